/**
 * Build stages and what they need of each other: names, numbers, images, ONBUILD triggers.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/dockerfile2llb/convert.go. Knows the variables of FROM (ARGs
 * before it) and no others: `--from` takes none.
 */

import { familiar, isSimpleImageName, parseImageName } from './image.ts';
import type { FromInstruction, ParsedContainerfile, StageInstruction } from './instructions.ts';
import { interpret } from './interpret.ts';
import { type EscapeToken, expandWord, isPlainWord, NO_VARIABLES, type Variables } from './lex.ts';
import { formatPlatform, normalizePlatform, type Platform, parsePlatform } from './platform.ts';
import { parseTrigger } from './statements.ts';
import { PlacedError, placed, ReadingError } from './text.ts';

/** An instruction of a stage and what its `--from` means, one for each mount of a RUN. */
export interface Step {
  readonly instruction: StageInstruction;
  readonly sources: readonly StageNode[];
  readonly line: number;
}

/** A build stage, or an image that a `--from` names. */
export interface StageNode {
  /** Null for an image that a `--from` names. */
  readonly from: FromInstruction | null;
  /** What FROM or `--from` names, expanded. */
  readonly image: string;
  /** `--platform` after expansion. */
  readonly platform: string | null;
  readonly line: number;
  /** The named context that stands in for this stage. */
  readonly context: string | null;
  /** The stage it starts from; null for images and scratch. */
  base: StageNode | null;
  steps: Step[];
  readonly needs: Set<StageNode>;
  triggered: boolean;
}

export const SCRATCH = 'scratch';

/** Starts from an image or a named context, so not from scratch or another stage. */
export function isExternal(node: StageNode): boolean {
  return node.base === null && (node.context !== null || node.image !== SCRATCH);
}

export interface LinkOptions {
  readonly globals: Variables;
  readonly target: Platform;
  readonly build: Platform;
  readonly contexts: ReadonlySet<string>;
}

const STAGE = 'containerfile-stage';
const NO_NODES: readonly StageNode[] = [];

export class StageLinker {
  /** Written stages first, in order, then images in the order they are found: what a numeric `--from`
   * counts. */
  readonly nodes: StageNode[] = [];
  private readonly known = new Map<StageNode, number>();
  /** Some stage needs itself or one written after it: only then can there be a cycle. */
  private looksAhead = false;
  private readonly byName = new Map<string, StageNode>();
  private readonly escapeToken: EscapeToken;
  private readonly options: LinkOptions;

  /** @throws PlacedError */
  constructor(parsed: ParsedContainerfile, options: LinkOptions) {
    this.escapeToken = parsed.escapeToken;
    this.options = options;
    for (const stage of parsed.stages) this.addStage(stage.from);
    parsed.stages.forEach(({ instructions }, index) => {
      const node = this.nodes[index];
      if (node === undefined) return;
      node.steps = instructions.map((instruction) => this.link(node, instruction, instruction.line));
    });
    if (this.looksAhead) this.refuseCycles();
  }

  /** The stage of that name, whatever its case; the last of several. */
  find(name: string): StageNode | undefined {
    return this.byName.get(name.toLowerCase());
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  /** All that `target` needs, ONBUILD triggers of its stages' bases linked. @throws PlacedError */
  reach(target: StageNode): ReadonlySet<StageNode> {
    for (;;) {
      const reachable = reachableFrom(target);
      this.checkImageNames();
      let found = false;
      for (const node of this.nodes) {
        if (reachable.has(node) && this.trigger(node)) found = true;
      }
      if (!found) return reachable;
    }
  }

  private addStage(from: FromInstruction): void {
    const { globals, target, build } = this.options;
    const image = placed(from.line, STAGE, () => this.expandGlobal(from.image));
    if (image === '')
      throw new PlacedError(`base name (${from.image}) should not be blank`, from.line, STAGE);
    let platform: string | null = null;
    let context: string | null = null;
    placed(from.line, STAGE, () => {
      let parsed = target;
      if (from.platform !== '') {
        platform = expandWord(from.platform, globals, { escapeToken: this.escapeToken }).text;
        if (platform === '') throw new ReadingError(`empty platform value from expression ${from.platform}`);
        parsed = parsePlatform(platform, build);
      }
      if (from.name !== null) context = this.contextOf(from.name, parsed);
    });
    const node: StageNode = {
      from,
      image,
      platform,
      line: from.line,
      context,
      base: null,
      steps: [],
      needs: new Set(),
      triggered: false,
    };
    this.add(node);
    if (context !== null) node.base = null;
  }

  private expandGlobal(word: string): string {
    return expandWord(word, this.options.globals, { escapeToken: this.escapeToken }).text;
  }

  /** The named context that replaces a stage of that name. @throws ReadingError for a stage name that is no
   * image name: BuildKit looks every stage up as a context, so it refuses `AS a-`. */
  private contextOf(name: string, platform: Platform): string | null {
    if (name === SCRATCH || name === 'context') return null;
    const { contexts } = this.options;
    const key = isSimpleImageName(name) ? name : familiar(parseImageName(name));
    const isGiven = contexts.has(`${key}::${formatPlatform(normalizePlatform(platform), true)}`);
    return isGiven || contexts.has(key) ? key : null;
  }

  private add(node: StageNode): void {
    this.known.set(node, this.nodes.length);
    this.nodes.push(node);
    node.base = this.byName.get(node.image) ?? null;
    if (node.from?.name != null) this.byName.set(node.from.name, node);
  }

  private link(node: StageNode, instruction: StageInstruction, line: number): Step {
    const needs = instruction.kind === 'run' || instruction.kind === 'copy';
    const sources = needs ? placed(line, STAGE, () => this.sourcesOf(instruction, line)) : NO_NODES;
    for (const source of sources) {
      node.needs.add(source);
      const index = this.known.get(source);
      if (index === undefined) this.add(source);
      else if (index >= (this.known.get(node) ?? 0)) this.looksAhead = true;
    }
    return { instruction, sources, line };
  }

  private sourcesOf(instruction: StageInstruction, line: number): readonly StageNode[] {
    if (instruction.kind === 'run') {
      if (instruction.mounts.length === 0) return NO_NODES;
      return instruction.mounts.map(({ from }) => this.stageOrImage(from === '' ? SCRATCH : from, line));
    }
    if (instruction.kind !== 'copy' || instruction.from === '') return NO_NODES;
    const { from } = instruction;
    if (
      !isPlainWord(from) &&
      expandWord(from, NO_VARIABLES, { escapeToken: this.escapeToken }).text !== from
    ) {
      throw new ReadingError(
        'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      );
    }
    if (!/^[+-]?[0-9]{1,18}$/.test(from)) return [this.stageOrImage(from, line)];
    const node = this.nodes[Number(from)];
    if (node === undefined) throw new ReadingError(`invalid stage index ${Number(from)}`);
    return [node];
  }

  private stageOrImage(name: string, line: number): StageNode {
    return (
      this.find(name) ?? {
        from: null,
        image: name,
        platform: null,
        line,
        context: null,
        base: null,
        steps: [],
        needs: new Set(),
        triggered: true,
      }
    );
  }

  /** BuildKit parses the image names of unreachable stages too. */
  private checkImageNames(): void {
    for (const node of this.nodes) {
      if (!isExternal(node) || isSimpleImageName(node.image)) continue;
      placed(node.line, STAGE, () => parseImageName(node.image));
    }
  }

  /** Puts the triggers of the base stage before the node's own steps. True where they need something. */
  private trigger(node: StageNode): boolean {
    if (node.triggered || node.base === null) return false;
    node.triggered = true;
    const triggered: Step[] = [];
    for (const { instruction, line } of node.base.steps) {
      if (instruction.kind !== 'onbuild') continue;
      const parsed = placed(line, STAGE, () => readTrigger(instruction.expression, line));
      triggered.push(this.link(node, parsed, line));
    }
    node.steps = [...triggered, ...node.steps];
    return triggered.some((step) => step.sources.length > 0);
  }

  /** Only `--from` counts here, as in BuildKit; a stage FROM a later one is FROM an image. */
  private refuseCycles(): void {
    const done = new Set<StageNode>();
    for (const root of this.nodes) {
      if (done.has(root)) continue;
      const open = new Set<StageNode>([root]);
      const stack = [{ node: root, needs: root.needs.values() }];
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const { value: next } = top.needs.next();
        if (next === undefined) {
          open.delete(top.node);
          done.add(top.node);
          stack.pop();
        } else if (open.has(next)) {
          const lines = stack
            .slice(stack.findIndex(({ node }) => node === next))
            .map(({ node }) => node.line);
          throw new PlacedError(
            `circular dependency detected on stage: ${next.from?.name ?? next.image} (stages at lines ${lines.join(', ')})`,
            next.line,
            STAGE,
          );
        } else if (!done.has(next)) {
          open.add(next);
          stack.push({ node: next, needs: next.needs.values() });
        }
      }
    }
  }
}

function readTrigger(expression: string, line: number): StageInstruction {
  try {
    const instruction = interpret(parseTrigger(expression));
    if (instruction.kind === 'from') throw new ReadingError('FROM is not a command type');
    return { ...instruction, line };
  } catch (error) {
    // Lines within the trigger say nothing about the file.
    if (error instanceof PlacedError) throw new ReadingError(error.message);
    throw error;
  }
}

function reachableFrom(target: StageNode): Set<StageNode> {
  const reached = new Set<StageNode>([target]);
  // A set hands out what is added while it is walked.
  for (const node of reached) {
    if (node.base !== null) reached.add(node.base);
    for (const need of node.needs) reached.add(need);
  }
  return reached;
}
