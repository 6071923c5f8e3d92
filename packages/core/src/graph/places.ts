/**
 * Edges in the order in which they are written, each once: of a tree that is read and of one that was kept.
 */
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import { byCodeUnit } from '../order.ts';
import type { Edge } from './model.ts';

/** In order of place, without repetition: another platform writes the same edge in the same place. */
export function sortedByPlace(edges: Edge[]): readonly Edge[] {
  return edges.sort(byPlace).filter((edge, index, sorted) => {
    const before = sorted[index - 1];
    return before === undefined || byPlace(before, edge) !== 0;
  });
}

function byPlace(a: Edge, b: Edge): number {
  return a.line - b.line || byCodeUnit(a.to, b.to) || byCodeUnit(a.kind, b.kind);
}

/** The edges of a target again, from what its references were found to mean. */
export function edgesAgain(
  from: string,
  file: string,
  resolved: readonly Pick<ResolvedContainerfile, 'references'>[],
  contextNames: ReadonlyMap<string, string>,
): readonly Edge[] {
  const edges: Edge[] = [];
  for (const { references } of resolved) {
    for (const { kind, image, line } of references) {
      const to = contextNames.get(image);
      if (to !== undefined) edges.push({ from, to, kind, file, line });
    }
  }
  return sortedByPlace(edges);
}
