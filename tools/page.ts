/**
 * Bundles what runs in the browser for reports and graphs (packages/cli/src/page/browser) into two texts: a script
 * and a style, which pages carry inside them. Knows nothing of the pages' data.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** @throws where esbuild finds something wrong. */
export async function bundlePage(): Promise<{ readonly script: string; readonly style: string }> {
  const folder = 'packages/cli/src/page/browser';
  const { outputFiles, warnings } = await build({
    absWorkingDir: ROOT,
    entryPoints: { script: `${folder}/main.ts`, style: `${folder}/page.css` },
    outdir: 'out',
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    // What a browser of the last three years knows.
    target: ['es2022', 'chrome113', 'firefox115', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  if (warnings.length > 0) throw new Error('the page has warnings; see above');
  const text = (end: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(end));
    if (file === undefined) throw new Error(`the page has no ${end}`);
    return file.text.trimEnd();
  };
  return { script: text('.js'), style: text('.css') };
}
