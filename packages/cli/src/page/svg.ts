/**
 * A laid out graph as one SVG file: `graph --format svg`. The same graph gives the same bytes. Nothing in it runs or
 * is fetched; it follows the reader's light or dark setting where the viewer does.
 */
import { escapeMarkup } from './escape.ts';
import type { Picture } from './model.ts';
import { PALETTE_CSS, stageClass, stageOrder } from './palette.ts';

const STYLE = `${PALETTE_CSS}
svg{background:#fff}
text{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;text-anchor:middle;dominant-baseline:central;fill:var(--text)}
rect{fill:var(--fill);stroke:var(--edge);rx:4px}
path{fill:none;stroke:#8a8f98;stroke-width:1;opacity:.65}
@media (prefers-color-scheme:dark){svg{background:#14161a}}`;

export function svgDocument({ width, height, nodes, links }: Picture): string {
  const stages = stageOrder(nodes.map(({ stage }) => stage));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>${STYLE}</style>`,
    '<g>',
    ...links.map(({ path }) => `<path d="${path}"/>`),
    '</g>',
  ];
  for (const { name, stage, x, y, width: w, height: h } of nodes) {
    const label = escapeMarkup(name);
    lines.push(
      `<g class="${stageClass(stages, stage)}"><title>${label}</title>` +
        `<rect x="${x - w / 2}" y="${y - h / 2}" width="${w}" height="${h}"/>` +
        `<text x="${x}" y="${y}">${label}</text></g>`,
    );
  }
  lines.push('</svg>', '');
  return lines.join('\n');
}
