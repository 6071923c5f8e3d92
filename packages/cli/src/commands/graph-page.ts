/** `graph --format svg|html`: the picture of the tree's graph, as a file and as a page to walk in. */
import type { TargetGraph } from '@stx-make/core/graph/model';
import { bundledPageCode, htmlDocument } from '../page/html.ts';
import { pageData, pictureOf, plainTargets } from '../page/make.ts';
import { svgDocument } from '../page/svg.ts';

export async function graphSvg(graph: TargetGraph): Promise<string> {
  return svgDocument(await pictureOf([...graph.targets.values()]));
}

/** @param root for the title. */
export async function graphHtml(graph: TargetGraph, root: string): Promise<string> {
  const data = await pageData(`Targets of ${root}`, plainTargets([...graph.targets.values()]), null);
  return htmlDocument(data, bundledPageCode());
}
