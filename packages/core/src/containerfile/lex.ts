/**
 * BuildKit's shell lexer: quotes, escapes and `$name`, `${name...}` in a word, and splitting into words.
 *
 * A port of BuildKit v0.32.2 frontend/dockerfile/shell/lex.go, with its quirks (they decide what is built).
 * Unaware of where variables come from.
 */

import { replace, trimPrefix, trimSuffix } from './pattern.ts';
import { ReadingError } from './text.ts';
import { Words } from './wordlist.ts';

export type EscapeToken = '\\' | '`';

/** Where variables are looked up; undefined is unset. */
export interface Variables {
  get(name: string): string | undefined;
}

export const NO_VARIABLES: Variables = new Map<string, string>();

export interface LexOptions {
  readonly escapeToken: EscapeToken;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters. */
  readonly ignoreQuotes?: boolean;
  /** Unset variables stay as written. */
  readonly keepUnset?: boolean;
}

export interface LexResult {
  readonly text: string;
  readonly words: readonly string[];
}

const SPECIAL = /[$'"\\`<\ufeff]/;
/** BuildKit has no such limit; our stack does. */
const MAX_DEPTH = 500;
/** Runs of characters that mean themselves whatever the options; what stops them is looked at one by one. */
const PLAIN = /[^$'"\\`<]+/y;
const PLAIN_IN_BRACES = /[^$'"\\`<}/]+/y;

/** Whether expanding `word` could change it or fail. */
export function isPlainWord(word: string): boolean {
  return !SPECIAL.test(word);
}

/** Expands `word` as one word. @throws ReadingError on bad syntax and on `${name:?}`. */
export function expandWord(word: string, variables: Variables, options: LexOptions): LexResult {
  if (isPlainWord(word)) return { text: word, words: [] };
  return new Lexer(word, variables, options).run();
}

/** Expands `text` and splits it into words after expansion. @throws ReadingError as expandWord. */
export function splitWords(text: string, variables: Variables, options: LexOptions): readonly string[] {
  return new Lexer(text, variables, options).run().words;
}

class Lexer {
  private pos: number;
  private depth = 0;
  private rawEscapes: boolean;
  /** Shared by nested substitutions, which empty it: what is written before `${a:-b}` in the same word is
   * lost from the words (not from the text). BuildKit does the same. */
  private readonly buffer = { text: '' };
  private readonly source: string;
  private readonly variables: Variables;
  private readonly options: LexOptions;

  constructor(source: string, variables: Variables, options: LexOptions) {
    this.source = source;
    this.variables = variables;
    this.options = options;
    this.rawEscapes = options.rawEscapes === true;
    this.pos = source.startsWith('\ufeff') ? 1 : 0;
  }

  run(): LexResult {
    try {
      return this.until('', this.rawEscapes);
    } catch (error) {
      if (error instanceof ReadingError) {
        throw new ReadingError(`failed to process ${JSON.stringify(this.source)}: ${error.message}`);
      }
      throw error;
    }
  }

  /** The next character, '' at the end. */
  private peek(): string {
    const code = this.source.codePointAt(this.pos);
    return code === undefined
      ? ''
      : code > 0xffff
        ? String.fromCodePoint(code)
        : this.source.charAt(this.pos);
  }

  private next(): string {
    const char = this.peek();
    this.pos += char.length;
    return char;
  }

  private lookUp(name: string): string | undefined {
    return this.variables.get(name);
  }

  /** Up to and over `stop`; '' is the end of the source. */
  private until(stop: string, rawEscapes: boolean): { text: string; words: string[] } {
    const before = this.rawEscapes;
    this.rawEscapes = rawEscapes;
    if (++this.depth > MAX_DEPTH) throw new ReadingError('substitutions are nested too deeply');
    try {
      return this.untilWith(stop);
    } finally {
      this.depth--;
      this.rawEscapes = before;
    }
  }

  private untilWith(stop: string): { text: string; words: string[] } {
    let text = '';
    this.buffer.text = '';
    const words = new Words(this.buffer);
    const plain = stop === '' ? PLAIN : PLAIN_IN_BRACES;
    for (;;) {
      plain.lastIndex = this.pos;
      const run = plain.exec(this.source)?.[0];
      if (run !== undefined) {
        this.pos += run.length;
        words.add(run);
        text += run;
      }
      const char = this.peek();
      if (char === '') break;
      if (char === stop) {
        this.next();
        return { text, words: words.finish() };
      }
      const special = this.special(char);
      if (special !== undefined) {
        text += special;
        if (char === '$') words.add(special);
        else words.addRaw(special);
        continue;
      }
      this.next();
      if (char !== this.options.escapeToken) {
        words.add(char);
        text += char;
        continue;
      }
      if (this.rawEscapes) {
        words.addRaw(char);
        text += char;
      }
      const escaped = this.next();
      if (escaped === '') break;
      words.addRaw(escaped);
      text += escaped;
    }
    if (stop !== '') {
      throw new ReadingError(`unexpected end of statement while looking for matching ${stop}`);
    }
    return { text, words: words.finish() };
  }

  private special(char: string): string | undefined {
    switch (char) {
      case '$':
        return this.dollar();
      case '<':
        return this.possibleHeredoc();
      case "'":
        return this.options.ignoreQuotes === true ? undefined : this.singleQuoted();
      case '"':
        return this.options.ignoreQuotes === true ? undefined : this.doubleQuoted();
      default:
        return undefined;
    }
  }

  private singleQuoted(): string {
    const end = this.source.indexOf("'", this.pos + 1);
    if (end === -1) {
      this.pos = this.source.length;
      throw new ReadingError('unexpected end of statement while looking for matching single-quote');
    }
    const raw = this.options.rawQuotes === true ? 0 : 1;
    const text = this.source.slice(this.pos + raw, end + 1 - raw);
    this.pos = end + 1;
    return text;
  }

  private doubleQuoted(): string {
    const quote = this.next();
    const raw = this.options.rawQuotes === true ? quote : '';
    let text = raw;
    for (;;) {
      const char = this.peek();
      if (char === '') {
        throw new ReadingError('unexpected end of statement while looking for matching double-quote');
      }
      if (char === '$') {
        text += this.dollar();
        continue;
      }
      this.next();
      if (char === '"') return text + raw;
      if (char !== this.options.escapeToken) {
        text += char;
        continue;
      }
      if (this.rawEscapes) text += char;
      const following = this.peek();
      if (following === '') continue;
      // Only these can be escaped, before others the escape character stays.
      if (following === '"' || following === '$' || following === this.options.escapeToken)
        text += this.next();
      else text += char;
    }
  }

  private dollar(): string {
    this.next();
    if (this.peek() !== '{') {
      const name = this.name();
      if (name === '') return '$';
      const value = this.lookUp(name);
      return value ?? (this.options.keepUnset === true ? `$${name}` : '');
    }
    this.next();
    const first = this.peek();
    if (first === '') throw new ReadingError("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') {
      throw new ReadingError('syntax error: bad substitution');
    }
    const name = this.name();
    const operator = this.next();
    switch (operator) {
      case '}': {
        const value = this.lookUp(name);
        return value ?? (this.options.keepUnset === true ? `\${${name}}` : '');
      }
      case ':':
        return this.modified(name, this.next(), true);
      case '+':
      case '-':
      case '?':
      case '#':
      case '%':
        return this.modified(name, operator, false);
      case '/':
        return this.replaced(name);
      case '':
        throw new ReadingError("syntax error: missing '}'");
      default:
        throw new ReadingError(`unsupported modifier (${operator}) in substitution`);
    }
  }

  private modified(name: string, operator: string, nullIsUnset: boolean): string {
    const shown = (nullIsUnset ? ':' : '') + operator;
    const isTrim = operator === '#' || operator === '%';
    if (nullIsUnset && isTrim) throw new ReadingError(`unsupported modifier (${shown}) in substitution`);
    const word = this.inBraces('}', isTrim, "syntax error: missing '}'");
    const value = this.lookUp(name);
    if (this.options.keepUnset === true && value === undefined) return `\${${name}${shown}${word}}`;
    const given = value !== undefined && !(nullIsUnset && value === '');
    switch (operator) {
      case '-':
        return given ? value : word;
      case '+':
        return given ? word : '';
      case '?':
        if (given) return value;
        throw new ReadingError(
          `${name}: ${word !== '' ? word : `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
        );
      case '%':
      case '#': {
        const greedy = word.startsWith(operator);
        const pattern = greedy ? word.slice(1) : word;
        return operator === '%'
          ? trimSuffix(pattern, value ?? '', greedy)
          : trimPrefix(pattern, value ?? '', greedy);
      }
      default:
        throw new ReadingError(`unsupported modifier (${shown}) in substitution`);
    }
  }

  private replaced(name: string): string {
    const all = this.peek() === '/';
    if (all) this.next();
    const pattern = this.inBraces('/', true, "syntax error: missing '/' in a substitution");
    const replacement = this.inBraces('}', true, "syntax error: missing '}'");
    const value = this.lookUp(name);
    if (this.options.keepUnset === true && value === undefined)
      return `\${${name}/${pattern}/${replacement}}`;
    return replace(pattern, value ?? '', replacement, all);
  }

  private inBraces(stop: string, rawEscapes: boolean, atEnd: string): string {
    try {
      return this.until(stop, rawEscapes).text;
    } catch (error) {
      if (error instanceof ReadingError && this.peek() === '') throw new ReadingError(atEnd);
      throw error;
    }
  }

  /** A name, a run of digits, or one special parameter. */
  private name(): string {
    NAME.lastIndex = this.pos;
    const name = NAME.exec(this.source)?.[0] ?? '';
    this.pos += name.length;
    return name;
  }

  private possibleHeredoc(): string {
    this.next();
    if (this.peek() !== '<') return '<';
    this.next();
    let text = '<<';
    while (this.peek() === '\t' || this.peek() === '\r' || this.peek() === ' ') text += this.next();
    return text;
  }
}

const NAME = /\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*/uy;
