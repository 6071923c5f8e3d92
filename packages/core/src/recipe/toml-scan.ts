/**
 * A scanner over TOML: where every key stands, redefinitions (TOML 1.0, "Keys" and "Table"), dates that do
 * not exist, and names that are unsafe to hand to the parser.
 *
 * It keeps places, not values, and leaves the rest of the grammar to the parser. Unaware of package.toml's
 * fields.
 */
import { isRealTime, unescaped } from './toml-token.ts';

/** How a table or value came to be; it decides who may add to it.
 * implicit: a header's path led through it · header: `[x]` · dotted: `x.y = 1` made x · tables: `[[x]]` ·
 * inline, array, value: closed. */
type Kind = 'implicit' | 'header' | 'dotted' | 'tables' | 'inline' | 'array' | 'value';

/** One key or array element. Offsets are UTF-16 units. */
export interface TomlNode {
  kind: Kind;
  /** Start of the key that made it; for elements their own start. */
  readonly at: number;
  readonly members: Map<string, TomlNode>;
  readonly items: TomlNode[];
  /** For `dotted`: the table whose body made it; no other body may add to it. */
  readonly owner: TomlNode | null;
}

export interface ScanFault {
  /** `inherited`: a table with the name of what every object has. `stuck`: no TOML as far as the scanner
   * can tell; it is the last one. */
  readonly kind: 'redefined' | 'date' | 'inherited' | 'stuck';
  readonly offset: number;
  readonly text: string;
}

export interface Scan {
  readonly root: TomlNode;
  readonly faults: readonly ScanFault[];
  /** The scanner reached the end. */
  readonly complete: boolean;
}

/** Scans a whole document; lines end in LF. */
export function scanToml(text: string): Scan {
  return new Scanner(text).document();
}

interface KeyPart {
  readonly name: string;
  readonly at: number;
}

/** How deep arrays and inline tables may lie in each other; the scanner calls itself. */
const MAX_DEPTH = 200;

/** The scanner can not go on. */
class Stuck extends Error {
  readonly offset: number;
  constructor(offset: number) {
    super('stuck');
    this.offset = offset;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  readonly #faults: ScanFault[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  document(): Scan {
    const root = node('header', 0);
    let body = root;
    let complete = true;
    try {
      for (this.#blank(); this.#at < this.#text.length; this.#blank()) {
        if (this.#char() === '[') body = this.#header(root);
        else this.#pair(body);
      }
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      complete = false;
      this.#fault('stuck', error.offset, 'this is no TOML 1.0');
    }
    return { root, faults: this.#faults, complete };
  }

  #header(root: TomlNode): TomlNode {
    const start = this.#at;
    this.#at++;
    const many = this.#char() === '[';
    if (many) this.#at++;
    const path = this.#key();
    this.#expect(']');
    if (many) this.#expect(']');
    this.#refuseInherited(path);
    const last = path.pop();
    if (last === undefined) throw new Stuck(start);
    let table: TomlNode | null = root;
    for (const part of path) table = table && this.#through(table, part);
    if (table === null) return node('header', start);
    return many ? this.#oneOfTables(table, last) : this.#table(table, last);
  }

  /** A header's path goes through a part that is not its last. */
  #through(table: TomlNode, part: KeyPart): TomlNode | null {
    const next = table.members.get(part.name);
    if (next === undefined) {
      const made = node('implicit', part.at);
      table.members.set(part.name, made);
      return made;
    }
    if (next.kind === 'tables') return next.items.at(-1) ?? null;
    if (next.kind === 'implicit' || next.kind === 'header' || next.kind === 'dotted') return next;
    this.#fault('redefined', part.at, `${show(part.name)} is a value; it can not be a table as well`);
    return null;
  }

  #table(parent: TomlNode, part: KeyPart): TomlNode {
    const known = parent.members.get(part.name);
    if (known?.kind === 'implicit') {
      const made: TomlNode = { ...known, kind: 'header', at: part.at };
      parent.members.set(part.name, made);
      return made;
    }
    const made = node('header', part.at);
    if (known === undefined) parent.members.set(part.name, made);
    else this.#fault('redefined', part.at, `${show(part.name)} is defined a second time`);
    return made;
  }

  #oneOfTables(parent: TomlNode, part: KeyPart): TomlNode {
    const made = node('header', part.at);
    const known = parent.members.get(part.name);
    if (known === undefined) {
      const list = node('tables', part.at);
      list.items.push(made);
      parent.members.set(part.name, list);
    } else if (known.kind === 'tables') known.items.push(made);
    else this.#fault('redefined', part.at, `${show(part.name)} is defined a second time`);
    return made;
  }

  #pair(body: TomlNode): void {
    const start = this.#at;
    const path = this.#key();
    this.#expect('=');
    this.#space();
    const value = this.#value(path.at(-1)?.at ?? start);
    const last = path.pop();
    if (last === undefined) throw new Stuck(start);
    this.#refuseInherited(path);
    let table = body;
    for (const part of path) {
      const next = table.members.get(part.name);
      if (next === undefined || next.kind === 'implicit') {
        // A header that led through a table did not define it; this key does.
        const made: TomlNode = { ...(next ?? node('dotted', part.at)), kind: 'dotted', owner: body };
        table.members.set(part.name, made);
        table = made;
      } else if (next.kind === 'dotted' && next.owner === body) table = next;
      else {
        this.#fault(
          'redefined',
          part.at,
          `${show(part.name)} is already defined elsewhere; a dotted key can not add to it`,
        );
        return;
      }
    }
    if (table.members.has(last.name))
      this.#fault('redefined', last.at, `${show(last.name)} is defined a second time`);
    else table.members.set(last.name, value);
  }

  /** The parser looks tables up in plain objects, where `toString` is there already, and would write into it. */
  #refuseInherited(tables: readonly KeyPart[]): void {
    for (const { name, at } of tables) {
      if (name === '__proto__' || !(name in Object.prototype)) continue;
      this.#fault('inherited', at, `a table can not be called ${show(name)}`);
    }
  }

  #key(): KeyPart[] {
    const parts: KeyPart[] = [];
    do {
      this.#space();
      const at = this.#at;
      parts.push({ name: this.#keyPart(), at });
      this.#space();
    } while (this.#char() === '.' && ++this.#at);
    return parts;
  }

  #keyPart(): string {
    const quote = this.#char();
    const start = this.#at;
    if (quote === '"' || quote === "'") {
      this.#quoted(quote);
      const inner = this.#text.slice(start + 1, this.#at - 1);
      return quote === '"' ? unescaped(inner) : inner;
    }
    while (/[A-Za-z0-9_-]/.test(this.#char())) this.#at++;
    if (this.#at === start) throw new Stuck(start);
    return this.#text.slice(start, this.#at);
  }

  /** `keyAt`: what the value belongs to; elements of arrays are their own place. */
  #value(keyAt: number): TomlNode {
    const start = this.#at;
    if (this.#depth > MAX_DEPTH) throw new Stuck(start);
    const char = this.#char();
    if (char === '"' || char === "'") {
      this.#quoted(char);
      return node('value', keyAt);
    }
    if (char === '[') return this.#array(keyAt);
    if (char === '{') return this.#inline(keyAt);
    while (this.#at < this.#text.length && !',]}#\n'.includes(this.#char())) this.#at++;
    const token = this.#text.slice(start, this.#at).trimEnd();
    if (token === '') throw new Stuck(start);
    if (/^\d+[-:]/.test(token) && !isRealTime(token))
      this.#fault('date', start, `${token} is no date or time`);
    return node('value', keyAt);
  }

  #array(keyAt: number): TomlNode {
    const made = node('array', keyAt);
    this.#depth++;
    this.#at++;
    for (this.#blank(); this.#char() !== ']'; this.#blank()) {
      made.items.push(this.#value(this.#at));
      this.#blank();
      if (this.#char() === ',') this.#at++;
      else if (this.#char() !== ']') throw new Stuck(this.#at);
    }
    this.#depth--;
    this.#at++;
    return made;
  }

  #inline(keyAt: number): TomlNode {
    const made = node('inline', keyAt);
    this.#depth++;
    this.#at++;
    for (this.#space(); this.#char() !== '}'; this.#space()) {
      this.#pair(made);
      this.#space();
      if (this.#char() === ',') this.#at++;
      else if (this.#char() !== '}') throw new Stuck(this.#at);
    }
    this.#depth--;
    this.#at++;
    return made;
  }

  /** Moves behind a string, of one line or of several. */
  #quoted(quote: string): void {
    const start = this.#at;
    const triple = quote.repeat(3);
    const close = this.#text.startsWith(triple, start) ? triple : quote;
    this.#at += close.length;
    while (!this.#text.startsWith(close, this.#at)) {
      if (this.#at >= this.#text.length) throw new Stuck(start);
      this.#at += quote === '"' && this.#char() === '\\' ? 2 : 1;
    }
    this.#at += close.length;
    // Up to two quotes may stand right before the closing three.
    if (close === triple) while (this.#char() === quote) this.#at++;
  }

  #space(): void {
    while (this.#char() === ' ' || this.#char() === '\t') this.#at++;
  }

  /** Space, newlines and comments. */
  #blank(): void {
    for (;;) {
      this.#space();
      if (this.#char() === '\n') this.#at++;
      else if (this.#char() === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end === -1 ? this.#text.length : end;
      } else return;
    }
  }

  #expect(char: string): void {
    this.#space();
    if (this.#char() !== char) throw new Stuck(this.#at);
    this.#at++;
  }

  #char(): string {
    return this.#text.charAt(this.#at);
  }

  #fault(kind: ScanFault['kind'], offset: number, text: string): void {
    this.#faults.push({ kind, offset, text });
  }
}

function node(kind: Kind, at: number): TomlNode {
  return { kind, at, members: new Map(), items: [], owner: null };
}

const show = (name: string): string => JSON.stringify(name);
