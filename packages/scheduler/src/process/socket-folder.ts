/**
 * Where unix sockets go. Their paths end at 107 bytes, and a state folder may be anywhere: where it is too deep they
 * go into a folder of this user's with a short name.
 *
 * Unaware of what talks through them.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { shortName } from '../paths.ts';

/** A unix socket's path ends at 107 bytes (unix(7)); we leave some room. */
const SOCKET_BYTES = 100;
/** buildctl reads other characters as parts of a URL. */
const PLAIN = /^[A-Za-z0-9._/-]+$/;

/** `folder` itself where a socket of that name fits there, else one of a short name. @param longest a socket's name */
export function socketFolder(folder: string, longest: string, env: NodeJS.ProcessEnv): string {
  const here = join(folder, longest);
  const fits = Buffer.byteLength(here) <= SOCKET_BYTES && PLAIN.test(here);
  return fits ? folder : join(runtimeFolder(env), shortName(folder));
}

function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime && PLAIN.test(runtime) && runtime.length <= 60) return join(runtime, 'stx-make');
  return `/tmp/stx-make-${process.getuid?.() ?? 0}`;
}

/** Makes the folder of a short name. One in /tmp could have been put there by somebody else: whoever owns it could
 * take what is meant for us. @throws ProblemError `daemon-folder` (environment) */
export function makeSocketFolder(path: string, whose: string): void {
  for (const folder of [resolve(path, '..'), path]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = lstatSync(folder);
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) continue;
    throw new ProblemError(
      environmentProblem({
        code: 'daemon-folder',
        text: `${folder} should hold ${whose} sockets, but it is not a folder that only this user can write.`,
        hint: 'Remove it, or set XDG_RUNTIME_DIR.',
      }),
    );
  }
}
