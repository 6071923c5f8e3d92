/**
 * Which known names a mistyped one may have meant.
 */
import { byCodeUnit } from '../order.ts';

/** At most `count` of the known names that are near, the nearest first, ties by code unit. Near: an edit
 * distance of at most a third of the length (at least 1, at most 4); swapping neighbours is one edit. */
export function nearestNames(text: string, known: Iterable<string>, count = 3): string[] {
  const limit = Math.min(4, Math.max(1, Math.floor(text.length / 3)));
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of known) {
    if (Math.abs(name.length - text.length) > limit) continue;
    const distance = editDistance(text, name);
    if (distance <= limit && distance < Math.max(text.length, name.length)) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance || byCodeUnit(a.name, b.name));
  return near.slice(0, count).map(({ name }) => name);
}

/** `did you mean a, b or c?`; undefined for none, so that it can stand as a hint. */
export function didYouMean(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `did you mean ${listed(names, 'or')}?`;
}

/** `a`, `a or b`, `a, b or c`. */
export function listed(items: readonly string[], word: 'and' | 'or'): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} ${word} ${last}`;
}

/** Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
