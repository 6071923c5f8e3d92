/**
 * Selections: which targets a list of terms means.
 *
 * A term is
 *   NAME            one target, as names.ts reads it: core-zlib, core/zlib, zlib
 *   STAGE           every target of a stage: core
 *   GLOB            every target that matches: core-lib*, user/?im, *-{perl,python}. `*` and `?` do not match a
 *                   slash; with a slash the glob is compared with <stage>/<name>, without one with <stage>-<name>
 *   all             every target
 *   +TERM           the term's targets and everything they need (also dependencies+TERM)
 *   TERM+           the term's targets and everything that needs them (also TERM+dependents)
 *   +TERM+          both: all they need, and all that needs them
 *   @FILE           the terms in a file, one a line; empty lines and what follows a # do not count
 * The sum of all terms is selected, less the sum of the excepted ones. The plus stands on the side where its
 * targets are in build order: dependencies come before, dependents after.
 *
 * Unaware of the file system: files are read through a function.
 */
import { inputProblem, type Problem, ProblemError } from '../errors.ts';
import { sortedUnique } from '../order.ts';
import { withDependencies, withDependents } from './closure.ts';
import { globPattern, isGlob } from './glob.ts';
import type { TargetGraph } from './model.ts';
import { bareName, NameIndex } from './names.ts';

export interface SelectOptions {
  /** No term at all selects everything; a list that only names an empty file selects nothing. */
  readonly terms: readonly string[];
  readonly except?: readonly string[] | undefined;
  /** The text of an `@FILE`. May throw ProblemError. */
  readonly readFile?: ((path: string) => string) | undefined;
}

export interface Selection {
  /** Target names, sorted; what could be understood where there are problems. */
  readonly names: readonly string[];
  /** `unknown-target`, `ambiguous-name`, `empty-glob`, `bad-glob`, `bad-selection`, and what reading files gave. */
  readonly problems: readonly Problem[];
}

export function select(graph: TargetGraph, options: SelectOptions): Selection {
  const selector = new Selector(graph, options.readFile);
  const chosen = options.terms.length === 0 ? [...graph.targets.keys()] : selector.sum(options.terms);
  const except = new Set(selector.sum(options.except ?? []));
  return {
    names: sortedUnique(chosen.filter((name) => !except.has(name))),
    problems: selector.problems,
  };
}

/** Where a term was read: in a file, or null for the command line. */
type Origin = { readonly file: string; readonly line: number } | null;

class Selector {
  readonly problems: Problem[] = [];
  readonly #graph: TargetGraph;
  readonly #readFile: ((path: string) => string) | undefined;
  readonly #names: NameIndex;

  constructor(graph: TargetGraph, readFile: ((path: string) => string) | undefined) {
    this.#graph = graph;
    this.#readFile = readFile;
    this.#names = new NameIndex(graph);
  }

  sum(terms: readonly string[]): string[] {
    return terms.flatMap((term) =>
      term.startsWith('@') ? this.#file(term.slice(1)) : this.#term(term, null),
    );
  }

  #file(path: string): string[] {
    if (path === '' || this.#readFile === undefined) {
      this.#report(
        'bad-selection',
        null,
        `"@${path}" names no file`,
        'write @FILE, a file with one term a line',
      );
      return [];
    }
    let text: string;
    try {
      text = this.#readFile(path);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.problems.push(...error.problems);
      return [];
    }
    return text.split(/\r?\n/).flatMap((line, index) => {
      const term = line.replace(/(^|\s)#.*$/, '').trim();
      return term === '' ? [] : this.#term(term, { file: path, line: index + 1 });
    });
  }

  #term(term: string, origin: Origin): readonly string[] {
    const parts = plusForm(term);
    if (parts === null) {
      const hint =
        'write NAME, +NAME (with what it needs), NAME+ (with what needs it), a stage, a glob, all or @FILE';
      this.#report('bad-selection', origin, `${JSON.stringify(term)} is no selection`, hint);
      return [];
    }
    const names = this.#plain(parts.middle, origin);
    const below = parts.dependencies ? withDependencies(this.#graph, names) : [];
    const above = parts.dependents ? withDependents(this.#graph, names) : [];
    return [...names, ...below, ...above];
  }

  #plain(text: string, origin: Origin): readonly string[] {
    const { targets } = this.#graph;
    if (text === 'all') return [...targets.keys()];
    if (isGlob(text)) return this.#glob(text, origin);
    const stage = [...targets.values()].filter((target) => target.stage === text).map(({ name }) => name);
    const { name, problem } = this.#names.resolve(text);
    if (stage.length > 0) {
      // A stage may also be some target's bare name.
      const other = name ?? null;
      if (other === null && problem?.code === 'unknown-target') return stage;
      const choices = other === null ? 'several targets' : other;
      const hint = `write ${text}/* for the stage, or the target's whole name`;
      this.#report('ambiguous-name', origin, `${JSON.stringify(text)} can be a stage or ${choices}`, hint);
      return [];
    }
    if (name !== null) return [name];
    this.problems.push({ ...problem, ...origin });
    return [];
  }

  #glob(text: string, origin: Origin): readonly string[] {
    const pattern = globPattern(text);
    if (pattern === null) {
      this.#report('bad-glob', origin, `${JSON.stringify(text)}: a [ or { without its partner`);
      return [];
    }
    const slash = text.includes('/');
    const found: string[] = [];
    for (const target of this.#graph.targets.values()) {
      if (pattern.test(slash ? `${target.stage}/${bareName(target)}` : target.name)) found.push(target.name);
    }
    if (found.length === 0) {
      const hint = slash
        ? 'with a slash, globs are compared with <stage>/<name>'
        : 'globs are compared with <stage>-<name>, e.g. *-zlib';
      this.#report('empty-glob', origin, `no target matches ${JSON.stringify(text)}`, hint);
    }
    return found;
  }

  #report(code: string, origin: Origin, text: string, hint?: string): void {
    this.problems.push(inputProblem({ code, text, ...origin, hint }));
  }
}

interface PlusForm {
  readonly middle: string;
  readonly dependencies: boolean;
  readonly dependents: boolean;
}

/** Takes the pluses off. No target's name has a plus in it: OCI repository names do not allow one. */
function plusForm(term: string): PlusForm | null {
  const [, before, middle = '', after] =
    /^(?:(dependencies|dependents|)\+)?([^+]+)(?:\+(dependencies|dependents|))?$/.exec(term) ?? [];
  const words = ['dependencies', 'dependents'];
  if (middle === '' || middle.startsWith('@')) return null;
  // `+dependents` standing alone: the name was forgotten, or a blank is too many.
  if (words.includes(middle) && (before === '' || after === '')) return null;
  return {
    middle,
    dependencies: before === '' || before === 'dependencies' || after === 'dependencies',
    dependents: after === '' || after === 'dependents' || before === 'dependents',
  };
}
