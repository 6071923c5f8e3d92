/**
 * TOML with places: the only file that knows the parser (@iarna/toml 3.0.0).
 *
 * The parser tells no places after parsing, lets some redefinitions through, refuses CRLF after comments and
 * takes tables called `toString` for the built-in function; this file mends all four. Unaware of package.toml's fields.
 */
import parse from '@iarna/toml/parse-string.js';
import { inputProblem, type Problem } from '../errors.ts';
import { scanToml, type TomlNode } from './toml-scan.ts';
import { decodeUtf8, Lines, type Place } from './utf8.ts';

/** A way into a document: keys of tables, indexes of arrays. */
export type TomlPath = readonly (string | number)[];

export interface TomlDocument {
  /** Strings, booleans, numbers, bigints, Dates, arrays and plain objects. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the key at the end of the path stands (an array's element: the element). The nearest known part
   * of the path answers for what is not there; the start of the file for the empty path. */
  place(path: TomlPath): Place;
  /** The keys of a table in the order in which they appear; objects put those like `386` first. */
  keys(path: TomlPath): string[];
}

export type TomlResult =
  | { readonly document: TomlDocument; readonly problems: readonly [] }
  | { readonly document: null; readonly problems: readonly Problem[] };

/** Parses a TOML 1.0 document. Problems: `toml-encoding` (not UTF-8), `toml-syntax`; each with file, line and
 * column. */
export function parseToml(bytes: Uint8Array, file: string): TomlResult {
  const decoded = decodeUtf8(bytes);
  if (!decoded.ok) {
    const byte = decoded.byte.toString(16).padStart(2, '0');
    return failed([
      inputProblem({
        code: 'toml-encoding',
        text: `byte 0x${byte} is not UTF-8`,
        file,
        ...decoded.place,
        hint: 'save the file as UTF-8',
      }),
    ]);
  }
  // TOML leaves newlines to the parser; places stay, and the parser then takes CRLF after comments.
  const text = decoded.text.replaceAll('\r\n', '\n');
  const lines = new Lines(text);
  const syntax = (offset: number, message: string): Problem =>
    inputProblem({ code: 'toml-syntax', text: message, file, ...lines.place(offset) });
  // Scanned first: names that every object inherits would make the parser write into the built-in functions.
  const { root, faults, complete } = scanToml(text);
  const found = faults.map((fault) => syntax(fault.offset, fault.text));
  if (faults.some(({ kind }) => kind === 'inherited')) return failed(found);
  let value: Record<string, unknown>;
  try {
    value = parse(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // A redefinition the scanner tells better; a date that does not exist comes as a bare TypeError.
    if (complete && found.length > 0 && (isRedefinition(error) || !hasPosition(error))) return failed(found);
    // `pos` counts the offending character in, whatever the line; `col` is 1-based on the first line only.
    const offset = hasPosition(error) ? error.pos - 1 : 0;
    return failed([...(complete ? found : []), syntax(offset, messageOf(error))]);
  }
  if (found.length > 0) return failed(found);
  return {
    document: {
      value,
      place: (path) => lines.place(walk(root, path).at),
      keys: (path) => [...walk(root, path).members.keys()],
    },
    problems: [],
  };
}

function failed(problems: readonly Problem[]): TomlResult {
  return { document: null, problems };
}

function walk(root: TomlNode, path: TomlPath): TomlNode {
  let node = root;
  for (const step of path) {
    const next = typeof step === 'number' ? node.items[step] : node.members.get(step);
    if (next === undefined) break;
    node = next;
  }
  return node;
}

function isRedefinition(error: Error): boolean {
  return /redefine|Can't extend/.test(error.message);
}

function hasPosition(error: Error): error is Error & { readonly pos: number } {
  return 'pos' in error && typeof error.pos === 'number';
}

/** The parser's first line without its own, partly wrong, place. */
function messageOf(error: Error): string {
  const first = error.message.split('\n', 1)[0] ?? '';
  return first.replace(/ at row \d+, col \d+, pos \d+:?$/, '');
}
