/** Which known names are meant by an unknown one. Pure; unaware of what is named. */

/** Edit distance with transpositions of neighbours (optimal string alignment), at most `limit` + 1. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/** At most three known names close to `word`, nearest first, then in the order given: a typing error away, or
 * beginning with it. */
export function nearest(word: string, known: Iterable<string>): string[] {
  const limit = word.length <= 3 ? 1 : word.length <= 6 ? 2 : 3;
  const found: { name: string; score: number }[] = [];
  for (const name of known) {
    const score = name.startsWith(word) && word.length >= 2 ? 0.5 : distance(word, name, limit);
    if (score <= limit) found.push({ name, score });
  }
  found.sort((a, b) => a.score - b.score);
  return found.slice(0, 3).map(({ name }) => name);
}

/** `did you mean a, b or c?`, undefined where nothing is near. */
export function didYouMean(word: string, known: Iterable<string>, prefix = ''): string | undefined {
  const names = nearest(word, known).map((name) => prefix + name);
  const last = names.pop();
  if (last === undefined) return undefined;
  return `did you mean ${names.length === 0 ? last : `${names.join(', ')} or ${last}`}?`;
}
