/**
 * Logins as users of docker and podman have them: their files and credential helpers, read and never written.
 *
 * Files are looked through in turn, those that the environment names first; in each the entry with the longest prefix of
 * the repository counts (podman's rule, which contains docker's), then the file's own store. Nothing secret is ever part
 * of a text: what is told of a login is where it was found.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../files/index.ts';
import { askHelper } from './helper.ts';

export interface Credentials {
  readonly user: string;
  readonly secret: string;
  /** The secret is no password but a refresh token (OAuth 2). */
  readonly isIdentityToken: boolean;
}

export interface Login {
  readonly credentials: Credentials | null;
  /** For people: where it was found, or what could not be read on the way. */
  readonly told: string;
}

interface AuthFile {
  readonly auths?: unknown;
  readonly credHelpers?: unknown;
  readonly credsStore?: unknown;
}

/** Docker's own registry has a name of its own among logins. */
const HUB = 'https://index.docker.io/v1/';

/** The files that can hold logins, the first one first. */
export function authFiles(env: NodeJS.ProcessEnv): string[] {
  const home = env['HOME'] || homedir();
  const runtime = env['XDG_RUNTIME_DIR'];
  const user = process.getuid?.() ?? 0;
  const files = [
    env['REGISTRY_AUTH_FILE'],
    env['DOCKER_CONFIG'] ? join(env['DOCKER_CONFIG'], 'config.json') : undefined,
    runtime ? join(runtime, 'containers', 'auth.json') : `/run/containers/${user}/auth.json`,
    join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers', 'auth.json'),
    join(home, '.docker', 'config.json'),
  ];
  return [...new Set(files.filter((file) => file !== undefined && file !== ''))] as string[];
}

/** The names under which a login for a repository may be filed, the most special one first. */
export function loginNames(host: string, repository: string): string[] {
  const parts = repository.split('/');
  const names = parts.map((_, index) => `${host}/${parts.slice(0, parts.length - index).join('/')}`);
  return [...names, host];
}

/**
 * The login for a repository. Anonymous where there is none, or where it can not be read.
 * @throws only the signal's reason
 */
export async function loginFor(
  host: string,
  repository: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Login> {
  const names = loginNames(isHub(host) ? 'docker.io' : host, repository);
  const faults: string[] = [];
  for (const path of authFiles(env)) {
    const file = readAuthFile(path);
    if (file === null) continue;
    if (typeof file === 'string') {
      faults.push(`${path} ${file}`);
      continue;
    }
    const place = findEntry(file, names);
    if (place === null) continue;
    if ('credentials' in place) return { credentials: place.credentials, told: `the login in ${path}` };
    const answer = await askHelper(place.helper, place.server, env, signal);
    if (answer.kind === 'login') {
      return { credentials: answer.credentials, told: `the login of docker-credential-${place.helper}` };
    }
    if (answer.kind === 'failed') faults.push(`docker-credential-${place.helper} (${path}) ${answer.text}`);
  }
  return { credentials: null, told: faults.length === 0 ? 'no login' : `no login: ${faults.join('; ')}` };
}

/** Null where it is not there, a text where it is no use. */
function readAuthFile(path: string): AuthFile | string | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' || errno === 'ENOTDIR' ? null : `can not be read (${errno ?? 'unknown'})`;
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as AuthFile) : 'is no JSON object';
  } catch {
    // The parser's own words can show the text, which holds secrets.
    return 'is no JSON';
  }
}

type Entry = { readonly credentials: Credentials } | { readonly helper: string; readonly server: string };

function findEntry(file: AuthFile, names: readonly string[]): Entry | null {
  const helpers = normalised(file.credHelpers);
  const auths = normalised(file.auths);
  for (const name of names) {
    const helper = helpers.get(name);
    if (typeof helper?.value === 'string' && helper.value !== '')
      return { helper: helper.value, server: helper.key };
    const entry = auths.get(name);
    const credentials = entry === undefined ? null : credentialsOf(entry.value);
    if (credentials !== null) return { credentials };
  }
  const { credsStore } = file;
  const host = names.at(-1) ?? '';
  if (typeof credsStore !== 'string' || credsStore === '') return null;
  // The store knows the name that was given at login, which is also a key of `auths`.
  return { helper: credsStore, server: auths.get(host)?.key ?? (isHub(host) ? HUB : host) };
}

/** Keys without scheme and API path, as people write registries; the key as it is written is kept. */
function normalised(table: unknown): Map<string, { readonly key: string; readonly value: unknown }> {
  const map = new Map<string, { readonly key: string; readonly value: unknown }>();
  if (typeof table !== 'object' || table === null) return map;
  for (const [key, value] of Object.entries(table)) {
    const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
    const name = bare.replace(/\/v[12]$/, '');
    const known = isHub(name) ? 'docker.io' : name;
    if (!map.has(known)) map.set(known, { key, value });
  }
  return map;
}

function isHub(host: string): boolean {
  return /^(?:index\.|registry-1\.)?docker\.io$/.test(host);
}

function credentialsOf(value: unknown): Credentials | null {
  if (typeof value !== 'object' || value === null) return null;
  const { auth, username, password, identitytoken } = value as Record<string, unknown>;
  const [user, secret] =
    typeof auth === 'string' && auth !== ''
      ? pairOf(Buffer.from(auth, 'base64').toString('utf8'))
      : [username, password];
  if (typeof identitytoken === 'string' && identitytoken !== '') {
    return { user: typeof user === 'string' ? user : '', secret: identitytoken, isIdentityToken: true };
  }
  if (typeof user !== 'string' || typeof secret !== 'string' || user === '') return null;
  return { user, secret, isIdentityToken: false };
}

/** A password may hold colons, and Docker pads with NUL. */
function pairOf(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon === -1) return ['', ''];
  return [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}
