/**
 * Small text rules of Go that BuildKit's parser leans on and JavaScript does differently: what counts as
 * space, trimming, booleans.
 *
 * Unaware of Containerfiles.
 */

/** What is wrong with a piece of a Containerfile, without its place. Caught within this folder and turned
 * into a problem with file and line; never leaves it. */
export class ReadingError extends Error {
  override readonly name = 'ReadingError';
}

/** A ReadingError with its place. */
export class PlacedError extends Error {
  override readonly name = 'PlacedError';
  readonly line: number;
  /** Of the problem it becomes; null where its reader knows better. */
  readonly code: string | null;

  constructor(message: string, line: number, code: string | null = null) {
    super(message);
    this.line = line;
    this.code = code;
  }
}

/** Runs `read`, giving what it refuses its place. */
export function placed<T>(line: number, code: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ReadingError) throw new PlacedError(error.message, line, code);
    throw error;
  }
}

/** Go's unicode.IsSpace, which unlike `\s` has U+0085 and lacks U+FEFF. */
const SPACE = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const NON_SPACE = new RegExp(`[^${SPACE}]`);
const ONE_SPACE = new RegExp(`^[${SPACE}]`);
/** Matches text with a character that Go's unicode.IsSpace takes for space. */
export const ANY_SPACE = new RegExp(`[${SPACE}]`);

/** Go's unicode.IsSpace of the first character of `char`. */
export function isSpace(char: string): boolean {
  const code = char.charCodeAt(0);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return ONE_SPACE.test(char);
}

/** Go's strings.TrimLeftFunc(text, unicode.IsSpace). */
export function trimLeft(text: string): string {
  const code = text.charCodeAt(0);
  if (code > 0x20 && code < 0x80) return text;
  const start = text.search(NON_SPACE);
  return start === -1 ? '' : text.slice(start);
}

/** Go's strings.TrimSpace. */
export function trimSpace(text: string): string {
  const left = trimLeft(text);
  let end = left.length;
  while (end > 0 && isSpace(left.charAt(end - 1))) end--;
  return end === left.length ? left : left.slice(0, end);
}

/** Go's strconv.ParseBool; undefined where it is none. */
export function parseBool(text: string): boolean | undefined {
  switch (text) {
    case '1':
    case 't':
    case 'T':
    case 'true':
    case 'TRUE':
    case 'True':
      return true;
    case '0':
    case 'f':
    case 'F':
    case 'false':
    case 'FALSE':
    case 'False':
      return false;
    default:
      return undefined;
  }
}

/** Go's strings.Cut: the parts before and after the first `separator`; `after` is undefined without one. */
export function cut(text: string, separator: string): { before: string; after: string | undefined } {
  const index = text.indexOf(separator);
  return index === -1
    ? { before: text, after: undefined }
    : { before: text.slice(0, index), after: text.slice(index + separator.length) };
}

/** Go's path.Clean on slash-separated paths; `''` becomes `.`. */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  const rooted = path.startsWith('/');
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!rooted) out.push('..');
  }
  const joined = out.join('/');
  return rooted ? `/${joined}` : joined === '' ? '.' : joined;
}
