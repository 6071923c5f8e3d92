/**
 * What changed between two sets of fingerprint facts, in words: the answer to `why`.
 *
 * Works on the encoder's own facts, so it can not say anything that the hash does not see.
 */
import type { Reason } from '../events.ts';
import { byCodeUnit } from '../order.ts';
import type { Fact } from './encode.ts';

/** One fact that differs. `before` or `after` is null where the fact was added or dropped. */
export interface FactChange {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Changes sorted by key; empty when the facts are equal. */
export function compareFacts(before: readonly Fact[], after: readonly Fact[]): FactChange[] {
  const old = new Map(before);
  const changes: FactChange[] = [];
  for (const [key, value] of after) {
    const was = old.get(key) ?? null;
    if (was !== value) changes.push({ key, before: was, after: value });
    old.delete(key);
  }
  for (const [key, value] of old) changes.push({ key, before: value, after: null });
  return changes.sort((a, b) => byCodeUnit(a.key, b.key));
}

/** A change in words. The reason's code is `<kind>-added`, `-dropped` or `-changed`. */
export function explainChange(change: FactChange): Reason {
  const space = change.key.indexOf(' ');
  const kind = space === -1 ? change.key : change.key.slice(0, space);
  const name = space === -1 ? '' : change.key.slice(space + 1);
  const what = name === '' || kind === 'platform' ? kind : `${kind} ${name}`;
  if (change.before === null)
    return { code: `${kind}-added`, text: `${what} was added (${show(change.after)})` };
  if (change.after === null)
    return { code: `${kind}-dropped`, text: `${what} was dropped (${show(change.before)})` };
  return {
    code: `${kind}-changed`,
    text: `${what} changed from ${show(change.before)} to ${show(change.after)}`,
  };
}

/** Digests shortened to twelve digits, other values quoted. */
function show(value: string | null): string {
  if (value === null) return 'nothing';
  const match = /^(?:(\S+) )?sha256:([0-9a-f]{12})[0-9a-f]{52}$/.exec(value);
  if (match === null) return value === '' ? 'empty' : value;
  return match[1] === undefined ? `${match[2]}…` : `${match[1]} ${match[2]}…`;
}
