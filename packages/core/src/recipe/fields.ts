/**
 * Typed reading of one TOML table: wrong types, missing and unknown keys become problems with a place.
 *
 * Unaware of which fields a package.toml has.
 */
import { inputProblem, type Problem, type ProblemLevel } from '../errors.ts';
import { didYouMean, nearestNames } from './nearest.ts';
import type { TomlDocument, TomlPath } from './toml.ts';
import type { Place } from './utf8.ts';

/** A value and where its key stands (for elements: where the element stands). */
export interface Placed<T> {
  readonly value: T;
  readonly place: Place;
}

/** Collects the problems of one file. */
export class FileProblems {
  readonly file: string;
  readonly list: Problem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  get failed(): boolean {
    return this.list.some((problem) => problem.level === 'error');
  }

  add(code: string, place: Place | null, text: string, hint?: string, level: ProblemLevel = 'error'): void {
    this.list.push(inputProblem({ code, level, text, file: this.file, ...place, hint }));
  }

  warn(code: string, place: Place | null, text: string, hint?: string): void {
    this.add(code, place, text, hint, 'warning');
  }
}

/** One table; every getter reports what is wrong and then answers null. */
export class Fields {
  readonly #document: TomlDocument;
  readonly #path: TomlPath;
  readonly #table: Readonly<Record<string, unknown>>;
  readonly #problems: FileProblems;

  constructor(
    document: TomlDocument,
    path: TomlPath,
    table: Readonly<Record<string, unknown>>,
    problems: FileProblems,
  ) {
    this.#document = document;
    this.#path = path;
    this.#table = table;
    this.#problems = problems;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  /** In the order of the file. */
  keys(): string[] {
    return this.#document.keys(this.#path);
  }

  place(key?: string): Place {
    return this.#document.place(key === undefined ? this.#path : [...this.#path, key]);
  }

  /** Reports `missing-key`. `what`: e.g. `[package]`. */
  require(key: string, what: string, hint?: string): void {
    if (!this.has(key)) {
      this.#problems.add('missing-key', this.place(), `${what} has no \`${key}\``, hint);
    }
  }

  /** A string, null where it is not there. Reports `wrong-type`. */
  string(key: string): Placed<string> | null {
    if (!this.has(key)) return null;
    const value = this.#table[key];
    const place = this.place(key);
    if (typeof value === 'string') return { value, place };
    this.#wrongType(key, place, 'a string', value);
    return null;
  }

  /** An array of strings, empty where it is not there. Reports `wrong-type` for it and for each element. */
  strings(key: string): Placed<string>[] {
    if (!this.has(key)) return [];
    const value = this.#table[key];
    if (!Array.isArray(value)) {
      this.#wrongType(key, this.place(key), 'an array of strings', value);
      return [];
    }
    const strings: Placed<string>[] = [];
    for (const [index, element] of value.entries()) {
      const place = this.#document.place([...this.#path, key, index]);
      if (typeof element === 'string') strings.push({ value: element, place });
      else this.#wrongType(`${key}[${index}]`, place, 'a string', element);
    }
    return strings;
  }

  /** A whole number of at least `least`, null where it is not there. Reports `wrong-type`. */
  integer(key: string, least: number): Placed<number> | null {
    if (!this.has(key)) return null;
    const value = this.#table[key];
    const place = this.place(key);
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (Number.isSafeInteger(number) && typeof number === 'number' && number >= least) {
      return { value: number, place };
    }
    this.#wrongType(key, place, `a whole number of at least ${least}`, value);
    return null;
  }

  /** True or false, null where it is not there. Reports `wrong-type`. */
  boolean(key: string): Placed<boolean> | null {
    if (!this.has(key)) return null;
    const value = this.#table[key];
    const place = this.place(key);
    if (typeof value === 'boolean') return { value, place };
    this.#wrongType(key, place, 'true or false', value);
    return null;
  }

  /** A table within, null where it is not there. Reports `wrong-type`. */
  table(key: string): Fields | null {
    if (!this.has(key)) return null;
    const value = this.#table[key];
    if (isTable(value)) return new Fields(this.#document, [...this.#path, key], value, this.#problems);
    this.#wrongType(key, this.place(key), 'a table', value);
    return null;
  }

  /** A warning `unknown-key` for each key that is not in the list. `where`: e.g. ` in [package]`. */
  onlyKnown(known: readonly string[], where: string): void {
    for (const key of this.keys()) {
      if (known.includes(key)) continue;
      this.#problems.warn(
        'unknown-key',
        this.place(key),
        `unknown key \`${key}\`${where}; it is ignored`,
        didYouMean(nearestNames(key, known)),
      );
    }
  }

  #wrongType(key: string, place: Place, wanted: string, value: unknown): void {
    this.#problems.add('wrong-type', place, `\`${key}\` must be ${wanted}, not ${typeName(value)}`);
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a date or time';
  switch (typeof value) {
    case 'boolean':
      return 'a boolean';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'string':
      return 'a string';
    default:
      return 'a table';
  }
}
