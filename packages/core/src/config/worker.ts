/**
 * What can be said of a worker beside its address: one set of options, whether it is written after `--worker` or as a
 * table in TOML.
 *
 * Unaware of what an address may be (scheduler/buildkit/address.ts) and of the machine.
 */
import { didYouMean, listed, nearestNames } from '../recipe/nearest.ts';
import { platformFault } from '../recipe/platform.ts';
import { parseSize } from './size.ts';

/** A worker as it was asked for; null where nothing was said. */
export interface WorkerSpec {
  /** As buildctl takes it; TLS files stand as a query of a tcp address. */
  readonly address: string;
  readonly name: string | null;
  /** Builds at a time. */
  readonly jobs: number | null;
  /** It gets builds for these only. */
  readonly platforms: readonly string[] | null;
  /** Bytes that the builds on it may be allowed in all. */
  readonly memory: number | null;
  /** Seconds without a sign of life after which it is asked whether it lives. */
  readonly patience: number | null;
  /** Its cache may be dropped when its disk is full. */
  readonly prune: boolean;
  readonly tls: Readonly<Partial<Record<TlsOption, string>>>;
}

/** As buildx calls them. */
export const TLS_OPTIONS = ['tlsdir', 'cacert', 'cert', 'key', 'servername'] as const;
export type TlsOption = (typeof TLS_OPTIONS)[number];

export const WORKER_OPTIONS = [
  'name',
  'jobs',
  'platforms',
  'memory',
  'patience',
  'prune',
  ...TLS_OPTIONS,
] as const;
export type WorkerOption = (typeof WORKER_OPTIONS)[number];

export function isWorkerOption(name: string): name is WorkerOption {
  return WORKER_OPTIONS.some((known) => known === name);
}

/** Why something is not what it should be. */
export interface Fault {
  readonly code: string;
  readonly text: string;
  readonly hint?: string | undefined;
}

/** An address and nothing more. */
export function plainWorker(address: string): WorkerSpec {
  return {
    address,
    name: null,
    jobs: null,
    platforms: null,
    memory: null,
    patience: null,
    prune: false,
    tls: {},
  };
}

/** `ADDR[,OPTION=VALUE]...`. A comma that no `word=` follows is part of what it stands in, so an address or a path may
 * hold one. Codes: `bad-worker-option`. */
export function readWorker(text: string): { readonly spec: WorkerSpec; readonly faults: readonly Fault[] } {
  const [address = '', ...pairs] = text.split(/,(?=[A-Za-z][A-Za-z0-9_-]*=)/);
  let spec = plainWorker(address);
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    const read = isWorkerOption(name) ? setOption(spec, name, value) : unknownOption(name);
    if (seen.has(name)) faults.push(bad(`${name} is said twice`));
    else if ('code' in read) faults.push(read);
    else spec = read;
    seen.add(name);
  }
  return { spec, faults };
}

/** What is said of a name that is no option of a worker. */
export function unknownOption(name: string): Fault {
  const near = didYouMean(nearestNames(name, WORKER_OPTIONS));
  return {
    code: 'bad-worker-option',
    text: `a worker has no option \`${name}\``,
    hint: near ?? `known are ${listed(WORKER_OPTIONS, 'and')}`,
  };
}

/** The worker with one option more, or why its value is none. */
export function setOption(spec: WorkerSpec, option: WorkerOption, value: string): WorkerSpec | Fault {
  switch (option) {
    case 'name':
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(value)) {
        return bad(`name=${value}: a name is of letters, digits, dots, dashes and underscores`);
      }
      return { ...spec, name: value };
    case 'jobs':
    case 'patience': {
      const number = /^[0-9]{1,6}$/.test(value) ? Number(value) : 0;
      if (number < 1) return bad(`${option}=${value}: a whole number of at least 1 is needed`);
      return { ...spec, [option]: number };
    }
    case 'memory': {
      const memory = parseSize(value);
      if (memory === null) return bad(`memory=${value}: a size is needed, like 512M or 64GiB`);
      return { ...spec, memory };
    }
    case 'prune':
      if (value !== 'true' && value !== 'false') return bad(`prune=${value}: it is true or false`);
      return { ...spec, prune: value === 'true' };
    case 'platforms':
      return withPlatforms(spec, value.split('+'));
    case 'tlsdir':
    case 'cacert':
    case 'cert':
    case 'key':
    case 'servername':
      if (value === '') return bad(`${option} is empty`);
      if (!spec.address.startsWith('tcp://')) {
        return bad(`${option}: only a tcp address has TLS, not ${spec.address}`);
      }
      return { ...spec, tls: { ...spec.tls, [option]: value } };
  }
}

export function withPlatforms(spec: WorkerSpec, platforms: readonly string[]): WorkerSpec | Fault {
  for (const platform of platforms) {
    const fault = platformFault(platform);
    if (fault !== null) return { code: 'bad-platform', ...fault };
  }
  if (platforms.length === 0) return bad('platforms is empty');
  return { ...spec, platforms: [...new Set(platforms)] };
}

function bad(text: string): Fault {
  return { code: 'bad-worker-option', text };
}
