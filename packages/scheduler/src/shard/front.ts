/**
 * For commands: a session's results out of a remote, without a run.
 */
import { RegistryClient } from '../registry/index.ts';
import type { RemoteNotes, RemoteOptions } from '../remote/model.ts';
import { openNotes } from '../remote/notes.ts';
import { remotePlace } from '../remote/place.ts';
import { type Collected, collect, historyTag } from './collect.ts';
import { expectedOf, readHistory } from './result.ts';
import type { SessionKey } from './session.ts';

export interface NotesRequest {
  readonly remote: RemoteOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Opens the notes of a remote for a while. @throws ProblemError `bad-registry` (input), and what `use` throws */
export async function withNotes<T>(
  { remote, env, signal }: NotesRequest,
  use: (notes: RemoteNotes, name: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const place = remotePlace(remote);
  const client = new RegistryClient({ place, env, signal });
  try {
    return await use(openNotes({ client, place }), place.name, signal);
  } finally {
    client.close();
  }
}

/** @throws ProblemError as `collect`, `bad-registry` (input) */
export function collectFromRemote(request: NotesRequest & { readonly key: SessionKey }): Promise<Collected> {
  const { remote, key } = request;
  return withNotes(request, (notes, name, signal) =>
    collect({ notes, remote: name, key, mayWrite: remote.write, signal }),
  );
}

/** target -> ms it is expected to take, by the sessions of this remote. Empty where there was none yet.
 * @throws ProblemError where the remote can not be read, `bad-registry` (input) */
export function expectedFromRemote(
  request: NotesRequest & { readonly platform: string },
): Promise<Map<string, number>> {
  return withNotes(request, async (notes, _, signal) =>
    expectedOf(readHistory(await notes.get(historyTag(request.platform), signal))),
  );
}
