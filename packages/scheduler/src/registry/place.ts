/**
 * Where images are in a registry: what people write after --from, and a target's repository in it.
 *
 * Unaware of HTTP.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';

/** StageX's own. */
export const PUBLISHED = 'docker.io/stagex';

export interface RegistryPlace {
  /** As people know it: `docker.io/stagex`. */
  readonly name: string;
  /** Of the API: no path. */
  readonly origin: URL;
  /** Repositories of targets are below it: `stagex`. */
  readonly namespace: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
/** github.com/distribution/reference: the parts of a repository's path. */
const NAMESPACE = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;

/**
 * `HOST[:PORT][/NAMESPACE]`, with https:// or http:// in front where wanted. Without a namespace: `stagex`. Plain http
 * only for loopback, where it is the default: digests would tell other bytes, but not who reads along.
 * @throws ProblemError `bad-registry` (input)
 */
export function parseRegistry(text: string): RegistryPlace {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/*$/i.exec(text) ?? [];
  const slash = rest.indexOf('/');
  const host = slash === -1 ? rest : rest.slice(0, slash);
  const namespace = slash === -1 ? 'stagex' : rest.slice(slash + 1);
  if (!HOST.test(host) || !NAMESPACE.test(namespace)) {
    throw bad(text, 'it is not of the form HOST[:PORT][/NAMESPACE]');
  }
  const local = isLoopback(host);
  if (scheme?.toLowerCase() === 'http' && !local) throw bad(text, 'plain http is for this machine only');
  const protocol = scheme?.toLowerCase() ?? (local ? 'http' : 'https');
  // Docker's own registry answers under another name than the one in its images' names.
  const api = /^(index\.)?docker\.io$/.test(host) ? 'registry-1.docker.io' : host;
  const address = `${protocol}://${api}/`;
  if (!URL.canParse(address)) throw bad(text, 'it names no host');
  return { name: `${host}/${namespace}`, origin: new URL(address), namespace };
}

/** True for names and addresses of this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:[0-9]+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}

/** `stagex/core-musl` */
export function repositoryOf(place: RegistryPlace, target: string): string {
  return `${place.namespace}/${target}`;
}

function bad(text: string, why: string): ProblemError {
  return new ProblemError(
    inputProblem({
      code: 'bad-registry',
      text: `${JSON.stringify(text)} is no registry: ${why}.`,
      hint: `Write for example ${PUBLISHED} or 127.0.0.1:5000/stagex; a folder of layouts is a path.`,
    }),
  );
}
