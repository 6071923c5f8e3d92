/**
 * The instructions of one build stage that is built, in order, with its variables: what they take from the
 * context and from the network.
 *
 * After `dispatch` in BuildKit v0.32.2 frontend/dockerfile/dockerfile2llb/convert.go: which words are
 * expanded, and with what. Unaware of how stages were linked.
 */

import { checkChecksum, checkMode, checkPort, checkSignal } from './checks.ts';
import type { Expansion, StageEnvironment } from './environment.ts';
import type { ArgInstruction, CopyInstruction, RunInstruction } from './instructions.ts';
import type { StageNode, Step } from './link.ts';
import type { ContextSource } from './model.ts';
import { parseMount } from './mounts.ts';
import { sourceKind } from './remote.ts';
import { cleanPath, PlacedError, ReadingError } from './text.ts';

/** What is gathered over all stages that are built. */
export interface Gathered {
  readonly contextSources: ContextSource[];
  readonly remoteAdds: { readonly url: string; readonly line: number }[];
  readonly args: Set<string>;
}

export interface DispatchInput {
  readonly environment: StageEnvironment;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globals: ReadonlyMap<string, string>;
  /** Whether a stage's result is there: it stands before this one, or is an image. */
  readonly isReady: (node: StageNode) => boolean;
}

/** Reads the steps of one stage. @throws PlacedError where BuildKit's build fails before it starts. */
export function dispatchSteps(steps: readonly Step[], input: DispatchInput, gathered: Gathered): void {
  const dispatcher = new Dispatcher(input, gathered);
  let line = 0;
  try {
    for (const step of steps) {
      line = step.line;
      dispatcher.step(step);
    }
  } catch (error) {
    if (error instanceof ReadingError) throw new PlacedError(error.message, line, 'containerfile-value');
    throw error;
  }
}

class Dispatcher {
  private readonly environment: StageEnvironment;
  private readonly input: DispatchInput;
  private readonly gathered: Gathered;

  constructor(input: DispatchInput, gathered: Gathered) {
    this.environment = input.environment;
    this.input = input;
    this.gathered = gathered;
  }

  step(step: Step): void {
    const { instruction } = step;
    switch (instruction.kind) {
      case 'arg':
        this.arg(instruction);
        return;
      case 'env': {
        // All are expanded before any is set.
        const pairs = instruction.pairs.map(
          ({ key, value }) => [this.text(key), this.environment.expand(value)] as const,
        );
        for (const [key, { text, certain }] of pairs)
          this.environment.setEnv(key, certain ? text : undefined);
        return;
      }
      case 'label':
        for (const { key, value } of instruction.pairs) {
          this.text(key);
          this.text(value);
        }
        return;
      case 'add':
      case 'copy':
        this.copy(instruction, step.sources);
        return;
      case 'run':
        this.run(instruction, step.sources);
        return;
      case 'workdir':
        this.workdir(this.environment.expand(instruction.word));
        return;
      case 'user':
        this.text(instruction.word);
        return;
      case 'stopsignal': {
        const { text, certain } = this.environment.expand(instruction.word);
        if (certain) checkSignal(text);
        return;
      }
      case 'volume':
        for (const word of instruction.words) {
          const { text, certain } = this.environment.expand(word);
          if (certain && text === '') throw new ReadingError('VOLUME specified can not be an empty string');
        }
        return;
      case 'expose':
        for (const word of instruction.words) {
          const { words, certain } = this.environment.split(word);
          if (certain) words.forEach(checkPort);
        }
        return;
      case 'onbuild':
      case 'cmd':
      case 'entrypoint':
      case 'healthcheck':
      case 'maintainer':
      case 'shell':
        return;
    }
  }

  /** A build arg wins over the default, which wins over the ARG of that name before the first FROM. */
  private arg(instruction: ArgInstruction): void {
    for (const { key, value } of instruction.pairs) {
      this.gathered.args.add(key);
      const given = this.input.buildArgs.get(key);
      if (given !== undefined) this.environment.setArg(key, given);
      else if (value !== null) {
        const { text, certain } = this.environment.expand(value);
        this.environment.setArg(key, certain ? text : undefined);
      } else {
        const global = this.input.globals.get(key);
        if (global !== undefined) this.environment.setArg(key, global);
      }
    }
  }

  private copy(instruction: CopyInstruction, from: readonly StageNode[]): void {
    const { kind, line } = instruction;
    this.text(instruction.chown);
    const mode = this.environment.expand(instruction.chmod);
    const checksum = this.environment.expand(instruction.checksum);
    const sources = instruction.sources.map((source) => this.environment.expand(source));
    this.text(instruction.destination);
    for (const file of instruction.inline) if (file.expand) this.environment.expandBody(file.content);
    for (const node of from) this.requireReady(node, `copy from stage ${shown(node)}`);
    if (mode.certain) checkMode(mode.text);
    if (checksum.certain && sources.every((source) => source.certain)) {
      checkChecksum(
        checksum.text,
        sources.map((source) => source.text),
      );
    }
    for (const source of sources) {
      const remote = source.certain ? sourceKind(source.text) : 'local';
      if (remote === 'local') {
        if (from.length === 0) this.takeSource(instruction, source);
      } else if (kind === 'add') {
        this.gathered.remoteAdds.push({ url: source.text, line });
      } else {
        throw new ReadingError(
          `source can't be a ${remote === 'git' ? 'git ref' : 'URL'} for COPY: ${source.text}`,
        );
      }
    }
  }

  private takeSource({ kind, line, parents }: CopyInstruction, source: Expansion): void {
    let pattern = source.certain ? contextPath(source.text) : '.';
    if (parents) pattern = withoutWildcards(pattern);
    this.gathered.contextSources.push({ pattern, instruction: kind, line });
  }

  private run(instruction: RunInstruction, from: readonly StageNode[]): void {
    if (instruction.devices.length > 0) {
      throw new ReadingError('RUN --device is only supported by the labs build of the Dockerfile frontend');
    }
    instruction.mounts.forEach(({ value }, index) => {
      let certain = true;
      const mount = parseMount(value, (word) => {
        const expansion = this.environment.expand(word);
        if (!expansion.certain) certain = false;
        return expansion.text;
      });
      const node = from[index];
      const isScratch = mount.from === '' && mount.type === 'cache';
      if (mount.from !== '' && node !== undefined) this.requireReady(node, `mount from stage ${shown(node)}`);
      if (isScratch && node !== undefined) this.requireReady(node, 'mount from stage scratch');
      if (mount.type === 'secret' || mount.type === 'ssh') return;
      const workdir = this.environment.workdir;
      if (certain && workdir !== null && cleanPath(join(workdir, mount.target)) === '/') {
        throw new ReadingError(`invalid mount target ${JSON.stringify(mount.target)}`);
      }
      if (mount.from !== '' || mount.type !== 'bind') return;
      const pattern = certain ? contextPath(mount.source).replace(/[\\*?[]/g, '\\$&') : '.';
      this.gathered.contextSources.push({ pattern, instruction: 'mount', line: instruction.line });
    });
  }

  private workdir({ text, certain }: Expansion): void {
    const { workdir } = this.environment;
    if (!certain || (workdir === null && !text.startsWith('/'))) this.environment.workdir = null;
    else this.environment.workdir = cleanPath(join(workdir ?? '/', text));
  }

  private requireReady(node: StageNode, what: string): void {
    if (this.input.isReady(node)) return;
    throw new ReadingError(`cannot ${what}, it needs to be defined before the current stage`);
  }

  private text(word: string): string {
    return this.environment.expand(word).text;
  }
}

function shown(node: StageNode): string {
  return JSON.stringify(node.from?.name ?? node.image);
}

function join(directory: string, path: string): string {
  return path.startsWith('/') ? path : `${directory}/${path}`;
}

/** As it lies in the context: cleaned, without a leading slash, never above its root. */
function contextPath(source: string): string {
  const path = cleanPath(`/${source}`).slice(1);
  return path === '' ? '.' : path;
}

/** `--parents` takes `**` too: all below the folder before the first wildcard. */
function withoutWildcards(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => /[*?[\\]/.test(part));
  if (first === -1) return pattern;
  return first === 0 ? '.' : parts.slice(0, first).join('/');
}
