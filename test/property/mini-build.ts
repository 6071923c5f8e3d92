/**
 * A builder in memory: carries out a small part of the Containerfile language on the bytes it is given, and nothing
 * else. Its output is a pure function of these bytes, as BuildKit's should be.
 *
 * The fake worker gives it what stx-make staged; the oracle what the model of the tree says. Shares no code with
 * packages/. `RUN mix N SCOPE BITS ARG...` stands for a compiler: it writes /out/N, a hash of the files under SCOPE
 * and of the named args, cut to BITS hex digits, so that a change may or may not reach the output.
 */
import { createHash } from 'node:crypto';
import {
  flatten,
  type ImageDraft,
  type Layer,
  type MiniFile,
  type MiniImage,
  type MiniOutput,
  makeLayer,
  makeOutput,
} from './mini-image.ts';

export interface MiniRequest {
  readonly target: string;
  readonly version: string;
  readonly platforms: readonly string[];
  readonly buildTarget: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly containerfile: string;
  /** The main context by path, Containerfile, package.toml and `fetch/` among them. */
  readonly context: ReadonlyMap<string, MiniFile>;
  /** An image by the name the Containerfile writes. */
  readonly image: (name: string, platform: string) => MiniImage;
  /** 1 to 9: what a builder's compressor does. */
  readonly compression: number;
}

/** A step said no. */
export class MiniFailure extends Error {}

interface Stage {
  readonly name: string | null;
  readonly base: string;
  readonly lines: readonly string[];
}

interface State {
  readonly layers: Layer[];
  /** Of these the first so many are the base image's own. */
  inherited: number;
  env: string[];
}

/** @throws MiniFailure */
export function miniBuild(request: MiniRequest): MiniOutput {
  const stages = parse(request.containerfile);
  const drafts = request.platforms.map((platform) => new Build(request, stages, platform).run());
  return makeOutput(drafts, {
    'containerd.io/distribution.source.docker.io': `stagex/${request.target}`,
    'org.opencontainers.image.version': request.version,
    'org.opencontainers.image.created': '1970-01-01T00:00:01Z',
  });
}

function parse(text: string): Stage[] {
  const stages: { name: string | null; base: string; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const [word = '', first = '', as, name] = line.trim().split(/\s+/);
    if (word === '' || word.startsWith('#')) continue;
    if (word === 'FROM') stages.push({ name: as === 'AS' ? (name ?? null) : null, base: first, lines: [] });
    else stages.at(-1)?.lines.push(line.trim());
  }
  return stages;
}

class Build {
  readonly #request: MiniRequest;
  readonly #stages: readonly Stage[];
  readonly #platform: string;
  readonly #done = new Map<Stage, State>();

  constructor(request: MiniRequest, stages: readonly Stage[], platform: string) {
    this.#request = request;
    this.#stages = stages;
    this.#platform = platform;
  }

  run(): ImageDraft {
    const { buildTarget } = this.#request;
    const wanted =
      buildTarget === null ? this.#stages.at(-1) : this.#stages.find(({ name }) => name === buildTarget);
    if (wanted === undefined) throw new MiniFailure(`no build stage ${buildTarget}`);
    const { layers, inherited, env } = this.#stage(wanted);
    return { platform: this.#platform, layers, inherited, env };
  }

  #stage(stage: Stage): State {
    const known = this.#done.get(stage);
    if (known !== undefined) return known;
    const state = this.#start(stage.base);
    const args: Record<string, string> = {};
    for (const line of stage.lines) this.#step(line, state, args);
    this.#done.set(stage, state);
    return state;
  }

  #start(base: string): State {
    if (base === 'scratch') return { layers: [], inherited: 0, env: [] };
    const own = this.#stages.find(({ name }) => name === base);
    if (own !== undefined) {
      const { layers, inherited, env } = this.#stage(own);
      return { layers: [...layers], inherited, env: [...env] };
    }
    const { layers, env } = this.#request.image(base, this.#platform);
    return { layers: [...layers], inherited: layers.length, env: [...env] };
  }

  #step(line: string, state: State, args: Record<string, string>): void {
    const words = line.split(/\s+/);
    const [word = '', ...rest] = words;
    switch (word) {
      case 'ARG': {
        const value = this.#request.buildArgs[rest[0] ?? ''];
        if (value !== undefined) args[rest[0] ?? ''] = value;
        return;
      }
      case 'ENV':
        state.env.push(rest.join(' '));
        return;
      case 'COPY':
      case 'ADD':
        this.#copy(rest, state);
        return;
      case 'RUN':
        this.#run(rest, state, args);
        return;
      default:
        throw new MiniFailure(`unknown instruction ${line}`);
    }
  }

  #copy(words: readonly string[], state: State): void {
    const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
    const [source = '', destination = ''] = from === undefined ? words : words.slice(1);
    const files =
      from === undefined
        ? this.#fromContext(source)
        : under(this.#rootOf(from), source.replace(/^\.$|^\//, ''));
    const placed = new Map(
      [...files].map(([path, file]) => [(destination + path).replace(/^\/+/, ''), file]),
    );
    // BuildKit drops what an empty copy would add.
    if (placed.size > 0) state.layers.push(makeLayer(placed, this.#request.compression));
  }

  #fromContext(pattern: string): Map<string, MiniFile> {
    const found = new Map<string, MiniFile>();
    for (const [path, file] of this.#request.context) if (isTaken(pattern, path)) found.set(path, file);
    return found;
  }

  #rootOf(from: string): Map<string, MiniFile> {
    const own = this.#stages.find(({ name }) => name === from);
    return flatten(
      own === undefined ? this.#request.image(from, this.#platform).layers : this.#stage(own).layers,
    );
  }

  #run(words: readonly string[], state: State, args: Readonly<Record<string, string>>): void {
    const mounts = words.filter((word) => word.startsWith('--mount='));
    const [command, name = '', scope = '', bits = '64', ...wanted] = words.filter(
      (word) => !word.startsWith('--'),
    );
    if (command !== 'mix') throw new MiniFailure(`RUN ${words.join(' ')} said no`);
    const hash = createHash('sha256').update(JSON.stringify([this.#platform, state.env, scope]));
    const root = flatten(state.layers);
    for (const mount of mounts) {
      const image = /from=([^,]+)/.exec(mount)?.[1] ?? '';
      for (const [path, file] of this.#rootOf(image)) root.set(`mnt/${path}`, file);
    }
    for (const [path, file] of [...root].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (scope === '/' || path.startsWith(scope))
        hash.update(JSON.stringify([path, file.mode, file.content]));
    }
    for (const arg of wanted) hash.update(JSON.stringify([arg, args[arg] ?? null]));
    const content = hash.digest('hex').slice(0, Number(bits));
    const file: MiniFile = { content, mode: '0755' };
    state.layers.push(makeLayer(new Map([[`out/${name}`, file]]), this.#request.compression));
  }
}

function under(root: ReadonlyMap<string, MiniFile>, prefix: string): Map<string, MiniFile> {
  const found = new Map<string, MiniFile>();
  for (const [path, file] of root) {
    if (path.startsWith(prefix)) found.set(path.slice(prefix.length), file);
  }
  return found;
}

/** Whether COPY takes a path: a name, a folder, or `*` in the first part. */
export function isTaken(pattern: string, path: string): boolean {
  if (pattern === '.') return true;
  if (!pattern.includes('*')) return path === pattern || path.startsWith(`${pattern}/`);
  const [head = '', tail = ''] = pattern.split('*');
  const first = path.split('/')[0] ?? '';
  return first.startsWith(head) && first.endsWith(tail) && first.length >= head.length + tail.length;
}
