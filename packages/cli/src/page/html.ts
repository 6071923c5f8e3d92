/**
 * One self-contained HTML file out of a page's data: works from disk, without a network.
 *
 * The content security policy allows exactly this style and this script, by their hashes, and no request at all; data
 * is JSON in an element that does not run, and the script makes text nodes of it: no name and no log can become code.
 */
import { createHash } from 'node:crypto';
import { embeddedJson, escapeMarkup } from './escape.ts';
import type { PageData } from './model.ts';
import { PALETTE_CSS } from './palette.ts';

/** What runs in the browser, made of browser/ by tools/page.ts. */
export interface PageCode {
  readonly script: string;
  readonly style: string;
}

/** Put in by tools/bundle.ts. */
declare const __STX_MAKE_PAGE__: PageCode | undefined;

/** The bundled code. Sources run without a bundle have none: tests bundle their own. */
export function bundledPageCode(): PageCode {
  if (typeof __STX_MAKE_PAGE__ === 'undefined') {
    throw new Error('pages can only be made by the bundle: node tools/bundle.ts');
  }
  return __STX_MAKE_PAGE__;
}

export function htmlDocument(data: PageData, code: PageCode): string {
  const style = `${PALETTE_CSS}${code.style}`;
  for (const text of [style, code.script]) {
    if (/<\/(script|style)|<!--/i.test(text)) throw new Error('the code of pages would end its own element');
  }
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(code.script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="stx-make ${escapeMarkup(data.version)}">
<title>${escapeMarkup(data.title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>This page shows its data by a script of its own; nothing is fetched from anywhere.</noscript>
<div id="page"></div>
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script>${code.script}</script>
</body>
</html>
`;
}

/** As a content security policy names an inline element. */
function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`;
}
