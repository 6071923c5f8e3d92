/**
 * Sources that lie in the tree already: what upstream's make left in `fetch/<stage>/<name>/<file>`, and files in
 * `<root>/sources/`, whatever they are called. They are verified by hash and copied into the store.
 *
 * Copied, not linked: the file is the user's and may be open for writing, or have other names.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WantedSource } from '../model.ts';
import type { SourceStore } from '../store/store.ts';
import { fetchPlaces } from '../wanted.ts';
import { walk } from './walk.ts';

/** The folder of a tree whose files are offered by hash. */
export const OFFERED = 'sources';

/**
 * Looks for wanted sources in the tree, network untouched.
 * @param root absolute
 * @returns the hashes that are in the store now and were not before
 * @throws ProblemError environment; the signal's reason
 */
export async function adoptLocal(
  root: string,
  wanted: readonly WantedSource[],
  store: SourceStore,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const missing = new Set<string>();
  for (const sha256 of new Set(wanted.map((item) => item.source.sha256))) {
    if ((await store.check(sha256, signal)) !== 'good') missing.add(sha256);
  }
  const adopted = new Set<string>();
  const take = (sha256: string): void => {
    missing.delete(sha256);
    adopted.add(sha256);
  };
  for (const place of fetchPlaces(wanted).places) {
    if (!missing.has(place.sha256)) continue;
    const path = join(root, 'fetch', place.stage, place.name, place.file);
    if ((await isFile(path)) && (await store.copyIn(path, place.sha256, signal))) take(place.sha256);
  }
  if (missing.size === 0) return adopted;
  for await (const path of walk(join(root, OFFERED))) {
    const sha256 = await store.hashOf(path, signal);
    if (sha256 !== null && missing.has(sha256) && (await store.copyIn(path, sha256, signal))) take(sha256);
    if (missing.size === 0) break;
  }
  return adopted;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
