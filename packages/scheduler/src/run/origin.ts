/**
 * Where a recorded output came from, as a run tells it. What a remote gave says so in its record.
 */
import type { BuildRecord } from '../state/records.ts';
import type { Settled } from './ports.ts';

/** In a record's `run`, before the remote's name. No run is called so. */
const FROM = 'remote ';

/** What a record of an output from a remote says for its run. */
export function runOfRemote(name: string): string {
  return `${FROM}${name}`;
}

/** What a target has when a record answers. */
export function settledOf({ output, manifest, origin, run }: BuildRecord): Settled {
  const from = run.startsWith(FROM) ? run.slice(FROM.length) : null;
  return from === null ? { output, manifest, origin } : { output, manifest, origin, from };
}
