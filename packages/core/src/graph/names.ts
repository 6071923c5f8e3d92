/**
 * What people type for one target: its name, `<stage>/<name>`, a bare name where only one stage has it, the
 * recipe's folder, or the image.
 *
 * Never guesses: twelve names of StageX exist in two stages.
 */
import { inputProblem, type Problem } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import { didYouMean, listed, nearestNames } from '../recipe/nearest.ts';
import { meaningOf } from './image.ts';
import type { GraphTarget, TargetGraph } from './model.ts';

export type NameResult =
  | { readonly name: string; readonly problem: null }
  | { readonly name: null; readonly problem: Problem };

/** The target a text means. Problems: `ambiguous-name` with the choices, `unknown-target` with the nearest. */
export function resolveName(text: string, graph: TargetGraph): NameResult {
  return new NameIndex(graph).resolve(text);
}

/** A target's name without its stage: `rust` of `core-rust`. */
export function bareName({ name, stage }: Pick<GraphTarget, 'name' | 'stage'>): string {
  return name.slice(stage.length + 1);
}

/** Looks up many names in one graph. */
export class NameIndex {
  readonly #graph: TargetGraph;
  /** Every other spelling -> targets it may mean, in the graph's order. */
  readonly #spellings = new Map<string, string[]>();

  constructor(graph: TargetGraph) {
    this.#graph = graph;
    for (const target of graph.targets.values()) {
      const { name, stage, recipe } = target;
      const spellings = new Set([bareName(target), `${stage}/${bareName(target)}`]);
      // A recipe split into subpackages is no target; its names list them, unless one of them has that name.
      for (const own of [`${recipe.stage}-${recipe.name}`, recipe.id, recipe.name]) spellings.add(own);
      spellings.add(recipe.dir);
      for (const spelling of spellings) this.#add(spelling, name);
    }
  }

  resolve(text: string): NameResult {
    const meaning = meaningOf(text);
    const plain = (meaning.kind === 'target' ? meaning.target : text).replace(/\/+$/, '');
    if (this.#graph.targets.has(plain)) return { name: plain, problem: null };
    const choices = this.#choices(plain);
    const [only] = choices;
    if (only === undefined) return this.#unknown(text, plain);
    if (choices.length === 1) return { name: only, problem: null };
    return {
      name: null,
      problem: inputProblem({
        code: 'ambiguous-name',
        text: `${JSON.stringify(text)} can be ${listed(choices, 'or')}`,
        hint: 'name one of them',
      }),
    };
  }

  /** Targets that have the name themselves come before those whose recipe has it. */
  #choices(text: string): readonly string[] {
    const all = this.#spellings.get(text) ?? [];
    const own = all.filter((name) => {
      const target = this.#graph.targets.get(name);
      return (
        target !== undefined && (bareName(target) === text || `${target.stage}/${bareName(target)}` === text)
      );
    });
    return own.length > 0 ? own : all;
  }

  #unknown(text: string, plain: string): NameResult {
    const bare = plain.slice(plain.search(/[-/]/) + 1);
    const elsewhere = [...(this.#spellings.get(bare) ?? [])].sort(byCodeUnit);
    const near = elsewhere.length > 0 ? elsewhere : this.#nearest(plain);
    return {
      name: null,
      problem: inputProblem({
        code: 'unknown-target',
        text: `there is no target ${JSON.stringify(text)}`,
        hint: didYouMean(near),
      }),
    };
  }

  #nearest(plain: string): string[] {
    const full = nearestNames(plain, this.#graph.targets.keys());
    if (full.length > 0) return full;
    const bare = nearestNames(plain, this.#spellings.keys());
    return [...new Set(bare.flatMap((spelling) => this.#spellings.get(spelling) ?? []))].slice(0, 3);
  }

  #add(spelling: string, name: string): void {
    const known = this.#spellings.get(spelling);
    if (known === undefined) this.#spellings.set(spelling, [name]);
    else known.push(name);
  }
}
