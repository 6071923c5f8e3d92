/**
 * Certificates that users of docker and podman keep for one registry: `certs.d/HOST[:PORT]/` with authorities (`*.crt`)
 * and what is shown to the registry (`NAME.cert` with `NAME.key`).
 *
 * They are added to the common authorities (NODE_EXTRA_CA_CERTS among them), never instead of them. Unaware of HTTP.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { environmentProblem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import { errnoOf } from '../files/index.ts';
import type { HostTrust } from '../sources/network/network.ts';

/** The folders for a host, the user's own first. */
export function trustFolders(host: string, env: NodeJS.ProcessEnv): string[] {
  const home = env['HOME'] || homedir();
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const places = [
    join(config, 'containers', 'certs.d'),
    join(home, '.docker', 'certs.d'),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  return places.map((place) => join(place, host));
}

/**
 * What is kept for a host; null where there is nothing.
 * @throws ProblemError `bad-certificate` (environment)
 */
export function trustOf(host: string, env: NodeJS.ProcessEnv): HostTrust | null {
  const authorities: string[] = [];
  let certificate: HostTrust['certificate'];
  for (const folder of trustFolders(host, env)) {
    const names = namesIn(folder);
    for (const name of names) {
      if (name.endsWith('.crt')) authorities.push(read(join(folder, name)));
      if (!name.endsWith('.cert') || certificate !== undefined) continue;
      const key = name.replace(/\.cert$/, '.key');
      if (!names.includes(key)) throw bad(join(folder, name), `there is no ${key} beside it`);
      certificate = { cert: read(join(folder, name)), key: read(join(folder, key)) };
    }
  }
  if (authorities.length === 0 && certificate === undefined) return null;
  return certificate === undefined ? { authorities } : { authorities, certificate };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort(byCodeUnit);
  } catch (error) {
    const errno = errnoOf(error);
    // Docker's own folder is often closed to users, who then have their own.
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return [];
    throw bad(folder, `it can not be read (${errno ?? 'unknown'})`);
  }
}

function read(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(path, `it can not be read (${errnoOf(error) ?? 'unknown'})`);
  }
  if (!text.includes('-----BEGIN ')) throw bad(path, 'it is no PEM file');
  return text;
}

function bad(file: string, why: string): ProblemError {
  return new ProblemError(
    environmentProblem({
      code: 'bad-certificate',
      text: `A certificate for a registry is of no use: ${why}.`,
      file,
      hint: 'certs.d/HOST[:PORT]/ holds authorities as *.crt and a client certificate as NAME.cert with NAME.key.',
    }),
  );
}
