/**
 * Where a BuildKit daemon listens, as users write it: anything buildctl takes, with TLS files for tcp.
 *
 * buildctl takes TLS files as flags only, so they are written as a query of a tcp address, one worker its own:
 * `tcp://host:1234?tlsdir=/certs`, or `?cacert=..&cert=..&key=..&servername=..` (buildx's names), or for all
 * by the variable STX_MAKE_TLS_DIR. Unaware of what runs there.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';

/** Transports buildctl knows: its own two and its connection helpers (client/connhelper). */
const KINDS = [
  'unix',
  'tcp',
  'ssh',
  'docker-container',
  'podman-container',
  'nerdctl-container',
  'kube-pod',
  'npipe',
] as const;

export type AddressKind = (typeof KINDS)[number];

export interface Address {
  readonly kind: AddressKind;
  /** As the user wrote it, for messages; holds no secrets, only paths of them. */
  readonly text: string;
  /** buildctl's global flags that reach it. */
  readonly flags: readonly string[];
}

const TLS_FLAGS: Readonly<Record<string, string>> = {
  tlsdir: '--tlsdir',
  cacert: '--tlscacert',
  cert: '--tlscert',
  key: '--tlskey',
  servername: '--tlsservername',
};

/** @throws ProblemError `bad-worker-address` (input) */
export function parseAddress(text: string, env: NodeJS.ProcessEnv): Address {
  const scheme = text.slice(0, Math.max(0, text.indexOf('://')));
  const kind = KINDS.find((known) => known === scheme);
  if (kind === undefined || text.length === scheme.length + 3) {
    throw new ProblemError(
      inputProblem({
        code: 'bad-worker-address',
        text: `${JSON.stringify(text)} is not the address of a BuildKit daemon.`,
        hint: 'Write unix:///path/to.sock, tcp://host:port, ssh://user@host, docker-container://name, podman-container://name or kube-pod://name.',
      }),
    );
  }
  if (kind !== 'tcp') return { kind, text, flags: ['--addr', text] };
  const [bare = text, query = ''] = splitOnce(text, '?');
  const flags = ['--addr', bare];
  let secured = false;
  for (const [key, value] of new URLSearchParams(query)) {
    const flag = TLS_FLAGS[key];
    if (flag === undefined) {
      throw new ProblemError(
        inputProblem({
          code: 'bad-worker-address',
          text: `${JSON.stringify(text)}: ${JSON.stringify(key)} is not known in a tcp address.`,
          hint: `Known are ${Object.keys(TLS_FLAGS).join(', ')}.`,
        }),
      );
    }
    flags.push(flag, value);
    if (key !== 'servername') secured = true;
  }
  const folder = env['STX_MAKE_TLS_DIR'];
  if (!secured && folder) flags.push('--tlsdir', folder);
  return { kind, text, flags };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
