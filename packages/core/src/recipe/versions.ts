/**
 * `version_from`: which version each recipe has in the end. Chains are followed; a cycle is an error.
 */
import { inputProblem, type Problem } from '../errors.ts';
import type { RecipeFacts } from './facts.ts';
import { didYouMean, listed, nearestNames } from './nearest.ts';

export interface ResolvedVersions {
  /** By recipe id. No entry: it can not be told, because of a problem that is reported. */
  readonly versions: ReadonlyMap<string, string | null>;
  readonly problems: readonly Problem[];
}

/** Codes: `unknown-version-from`, `version-cycle`. What points at a broken recipe is not reported again; what
 * points at one without a version has none either. */
export function resolveVersions(all: readonly RecipeFacts[]): ResolvedVersions {
  return new Resolver(all).run();
}

/** `undefined`: can not be told. */
type Answer = string | null | undefined;

class Resolver {
  readonly #all: readonly RecipeFacts[];
  readonly #giver = new Map<string, RecipeFacts>();
  readonly #answers = new Map<RecipeFacts, Answer>();
  readonly #problems: Problem[] = [];

  constructor(all: readonly RecipeFacts[]) {
    this.#all = all;
    for (const facts of all) {
      for (const name of facts.gives) if (!this.#giver.has(name)) this.#giver.set(name, facts);
    }
  }

  run(): ResolvedVersions {
    const versions = new Map<string, string | null>();
    for (const facts of this.#all) {
      if (facts.recipe === null) continue;
      const version = this.#versionOf(facts);
      if (version !== undefined) versions.set(facts.recipe.id, version);
    }
    return { versions, problems: this.#problems };
  }

  /** Follows the chain from one recipe to its end, then answers for all of it. */
  #versionOf(start: RecipeFacts): Answer {
    const chain: RecipeFacts[] = [];
    let answer: Answer;
    for (let facts = start; ; ) {
      if (this.#answers.has(facts)) {
        answer = this.#answers.get(facts);
        break;
      }
      if (chain.includes(facts)) {
        this.#cycle(chain.slice(chain.indexOf(facts)));
        break;
      }
      chain.push(facts);
      if (facts.recipe === null) break;
      if (facts.recipe.versionFrom === null) {
        answer = facts.recipe.version;
        break;
      }
      const next = this.#giver.get(facts.recipe.versionFrom);
      if (next === undefined) {
        this.#unknown(facts, facts.recipe.versionFrom);
        break;
      }
      facts = next;
    }
    for (const facts of chain) this.#answers.set(facts, answer);
    return this.#answers.get(start);
  }

  #unknown(facts: RecipeFacts, wanted: string): void {
    const split = this.#all.find(
      ({ recipe }) => recipe !== null && `${recipe.stage}-${recipe.name}` === wanted,
    );
    const text = `version_from = "${wanted}": there is no such target`;
    const hint = split
      ? `${split.recipe?.id} gives ${listed(split.gives, 'and')}`
      : didYouMean(nearestNames(wanted, this.#giver.keys()));
    this.#report('unknown-version-from', facts, text, hint);
  }

  #cycle(loop: readonly RecipeFacts[]): void {
    const steps = loop.map(
      ({ recipe, places }) =>
        `${recipe?.id} takes it from ${recipe?.versionFrom} (${recipe?.dir}/package.toml:${places.versionFrom?.line})`,
    );
    const [first] = loop;
    if (first) this.#report('version-cycle', first, `no version can be told: ${steps.join(', ')}`);
  }

  #report(code: string, { recipe, places }: RecipeFacts, text: string, hint?: string): void {
    const file = `${recipe?.dir}/package.toml`;
    this.#problems.push(inputProblem({ code, text, file, ...places.versionFrom, hint }));
  }
}
