/**
 * Places a graph of targets on a plane, by Graphviz's `dot`: the only file that knows @viz-js/viz.
 *
 * Chosen by measuring StageX's reduction (513 targets, 977 links, 35 levels) on one core of a loaded machine:
 * Graphviz 0.5 s and 6376 x 4280 px; elkjs 1.7-2.9 s, 12471 x 7257; dagre 1.5-2.4 s, 7087 x 10884; d3-dag 3.2-43 s,
 * 6281 x 4284-5241. The same graph gives the same picture every time. Costs 1.2 MB to load: imported only for
 * pictures. Nodes go in as numbers, so no name can mean anything to Graphviz.
 */
import { instance } from '@viz-js/viz';
import type { Picture, PictureLink, PictureNode } from './model.ts';

export interface LayoutNode {
  readonly name: string;
  readonly stage: string;
}

/** Places in the list of nodes: `from` needs `to`. */
export interface LayoutLink {
  readonly from: number;
  readonly to: number;
}

/** Px of a node's box. */
const HEIGHT = 22;
const PADDING = 16;
/** Px of one character of the 12 px monospaced font that the box is drawn with. */
const CHARACTER = 7.25;
/** Graphviz counts inches of 72 points; a point is a pixel here. */
const POINTS = 72;
/**
 * How much work a picture of so many links gets: rounds of network simplex and of undoing crossings, curves or not.
 * Measured on chains of StageX's shape: 1,956 links take 9 s without limits and 1 s with the second row, 5,872 take
 * 79 s and 10 s with the third; the pictures are no larger for it.
 */
const EFFORTS = [
  { links: 1_200, options: 'splines=true;' },
  { links: 4_000, options: 'splines=true; nslimit=0.2; nslimit1=0.2; mclimit=0.1;' },
  { links: Number.POSITIVE_INFINITY, options: 'splines=line; nslimit=0.02; nslimit1=0.02; mclimit=0.02;' },
];
const MARGIN = 12;

/** What is needed stands to the left of what needs it. */
export async function layOut(nodes: readonly LayoutNode[], links: readonly LayoutLink[]): Promise<Picture> {
  if (nodes.length === 0) return { width: 0, height: 0, nodes: [], links: [] };
  const widths = nodes.map(({ name }) => Math.ceil(name.length * CHARACTER + PADDING));
  const viz = await instance();
  const effort = EFFORTS.find((each) => links.length <= each.links)?.options ?? '';
  const dot = [
    'digraph {',
    `rankdir=LR; nodesep=0.1; ranksep=0.6; ${effort}`,
    `node [shape=box, fixedsize=true, height=${HEIGHT / POINTS}];`,
    'edge [arrowhead=none];',
    ...widths.map((width, place) => `${place} [width=${width / POINTS}];`),
    ...links.map(({ from, to }) => `${to} -> ${from};`),
    '}',
  ].join('\n');
  return readPlain(viz.renderString(dot, { format: 'plain' }), nodes, widths);
}

/** Graphviz's `plain`: `graph SCALE W H`, `node NAME X Y W H ...`, `edge TAIL HEAD N X1 Y1 .. XN YN ...`, inches,
 * y upwards. */
function readPlain(text: string, nodes: readonly LayoutNode[], widths: readonly number[]): Picture {
  const placed: PictureNode[] = [];
  const links: PictureLink[] = [];
  let width = 0;
  let height = 0;
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.split(' ');
    const number = (index: number): number => Number(rest[index]);
    const x = (index: number): number => Math.round(number(index) * POINTS) + MARGIN;
    const y = (index: number): number => height - Math.round(number(index) * POINTS) - MARGIN;
    if (word === 'graph') {
      width = Math.ceil(number(1) * POINTS) + 2 * MARGIN;
      height = Math.ceil(number(2) * POINTS) + 2 * MARGIN;
    } else if (word === 'node') {
      const place = number(0);
      const node = nodes[place];
      const own = widths[place];
      if (node === undefined || own === undefined)
        throw new Error(`Graphviz placed an unknown node: ${line}`);
      placed[place] = { name: node.name, stage: node.stage, x: x(1), y: y(2), width: own, height: HEIGHT };
    } else if (word === 'edge') {
      const points = Array.from({ length: number(2) }, (_, i) => `${x(3 + 2 * i)},${y(4 + 2 * i)}`);
      // A B-spline: a point, then three for every piece.
      links.push({ from: number(1), to: number(0), path: `M${points[0]}C${points.slice(1).join(' ')}` });
    }
  }
  if (placed.length !== nodes.length)
    throw new Error(`Graphviz placed ${placed.length} of ${nodes.length} nodes`);
  return { width, height, nodes: placed, links };
}
