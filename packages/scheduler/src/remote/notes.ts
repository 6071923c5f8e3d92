/**
 * Small texts under a tag that is moved: how shards tell each other how they are.
 *
 * Each is an artifact with nothing in it but one annotation, in a repository of its own below the remote's path. Writing
 * is one request, reading is one. Unaware of what the texts mean.
 */
import { integrityProblem, ProblemError } from '@stx-make/core/errors';
import { digestOf, MEDIA } from '@stx-make/core/oci/index';
import { repositoryOf } from '../registry/index.ts';
import type { RemoteParts } from './asking.ts';
import type { RemoteNotes } from './model.ts';

/** No target is called so: those have a stage in front. */
const REPOSITORY = 'notes';
const NOTE_TYPE = 'application/vnd.stx-make.note.v1+json';
const ANNOTATION = 'vnd.stx-make.note';
const MAX_NOTE = 3 * 1024 * 1024;

/** The config and only layer of an artifact that has none (OCI image spec, guidance for artifacts). */
const EMPTY = Buffer.from('{}');
const EMPTY_DESCRIPTOR = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(EMPTY),
  size: EMPTY.length,
};

export function openNotes({ client, place }: Pick<RemoteParts, 'client' | 'place'>): RemoteNotes {
  const repository = repositoryOf(place, REPOSITORY);
  /** The blob that all of them share. */
  let ground: Promise<void> | null = null;
  const prepare = async (signal: AbortSignal): Promise<void> => {
    const { digest, size } = EMPTY_DESCRIPTOR;
    if ((await client.has(repository, 'blobs', digest, signal)) !== null) return;
    await client.push.blob(repository, { digest, size, open: () => EMPTY }, null, signal);
  };
  return {
    put: async (tag, text, signal) => {
      ground ??= prepare(signal);
      try {
        await ground;
      } catch (error) {
        ground = null;
        throw error;
      }
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        artifactType: NOTE_TYPE,
        config: EMPTY_DESCRIPTOR,
        layers: [EMPTY_DESCRIPTOR],
        annotations: { [ANNOTATION]: text },
      });
      await client.push.manifest(repository, tag, MEDIA.manifest, Buffer.from(manifest), signal);
    },
    get: async (tag, signal) => {
      const tagged = await client.tagged(repository, tag, MAX_NOTE, signal);
      return tagged === null ? null : noteOf(tagged.bytes, tag);
    },
  };
}

function noteOf(bytes: Uint8Array, tag: string): string {
  try {
    const manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as {
      readonly annotations?: Readonly<Record<string, unknown>> | null;
    } | null;
    const text = manifest?.annotations?.[ANNOTATION];
    if (typeof text === 'string') return text;
  } catch {
    // Told below, as any other thing that is no note.
  }
  throw new ProblemError(
    integrityProblem({ code: 'bad-note', text: `What the remote has under the tag ${tag} is no note.` }),
  );
}
