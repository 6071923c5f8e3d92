/**
 * Where images are in a registry: what people write after --from and --remote, and a target's repository in it.
 *
 * Unaware of HTTP.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';

/** StageX's own. */
export const PUBLISHED = 'docker.io/stagex';

export interface RegistryPlace {
  /** As people know it: `docker.io/stagex`. */
  readonly name: string;
  /** As people know it, and as logins and certificates are filed: `docker.io`. */
  readonly host: string;
  /** Of the API: no path. */
  readonly origin: URL;
  /** Repositories of targets are below it: `stagex`. */
  readonly namespace: string;
}

export interface PlaceRules {
  /** What stands for a path that is left out; null: it must be there. */
  readonly namespace: string | null;
  /** Plain http to another machine is allowed, where it is written: somebody said so. */
  readonly insecure: boolean;
  /** For the hint. */
  readonly example: string;
}

const PUBLISHED_RULES: PlaceRules = {
  namespace: 'stagex',
  insecure: false,
  example: `${PUBLISHED} or 127.0.0.1:5000/stagex; a folder of layouts is a path`,
};

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
/** github.com/distribution/reference: the parts of a repository's path. */
const NAMESPACE = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;

/**
 * `HOST[:PORT][/NAMESPACE]`, with https:// or http:// in front where wanted. Plain http only for loopback, where it is
 * the default: digests would tell other bytes, but not who reads along.
 * @throws ProblemError `bad-registry` (input)
 */
export function parseRegistry(text: string, rules: PlaceRules = PUBLISHED_RULES): RegistryPlace {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/*$/i.exec(text) ?? [];
  const slash = rest.indexOf('/');
  const host = slash === -1 ? rest : rest.slice(0, slash);
  const namespace = slash === -1 ? rules.namespace : rest.slice(slash + 1);
  if (!HOST.test(host) || namespace === null || !NAMESPACE.test(namespace)) {
    const form = rules.namespace === null ? 'HOST[:PORT]/PATH' : 'HOST[:PORT][/NAMESPACE]';
    throw bad(text, `it is not of the form ${form}`, rules);
  }
  const local = isLoopback(host);
  const plain = scheme?.toLowerCase() === 'http';
  if (plain && !local && !rules.insecure) throw bad(text, 'plain http is for this machine only', rules);
  const protocol = scheme?.toLowerCase() ?? (local ? 'http' : 'https');
  // Docker's own registry answers under another name than the one in its images' names.
  const api = /^(index\.)?docker\.io$/.test(host) ? 'registry-1.docker.io' : host;
  const address = `${protocol}://${api}/`;
  if (!URL.canParse(address)) throw bad(text, 'it names no host', rules);
  return { name: `${host}/${namespace}`, host, origin: new URL(address), namespace };
}

/** True for names and addresses of this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:[0-9]+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}

/** Whether a request may be made: plain http never leaves this machine, except to a registry that was named so. */
export function isAllowed(url: URL, place: RegistryPlace): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (isLoopback(url.host) || url.origin === place.origin.origin);
}

/** `stagex/core-musl` */
export function repositoryOf(place: Pick<RegistryPlace, 'namespace'>, target: string): string {
  return `${place.namespace}/${target}`;
}

function bad(text: string, why: string, { example }: PlaceRules): ProblemError {
  return new ProblemError(
    inputProblem({
      code: 'bad-registry',
      text: `${JSON.stringify(text)} is no registry: ${why}.`,
      hint: `Write for example ${example}.`,
    }),
  );
}
