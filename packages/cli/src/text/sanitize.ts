/**
 * Makes text that came from outside (build output, recipes, file names) harmless for a terminal: no escape
 * sequence, control character or bidirectional override survives, so nothing a build prints can move the
 * cursor, set the title, write the clipboard or disguise a line.
 *
 * Unaware of colours: our own are added after this.
 */

/** Longest piece of one line that is looked at; a 50 MB line must not cost 50 MB of work a frame. */
const LONGEST = 16_384;

/* Control strings (OSC, DCS, SOS, PM, APC) up to their terminator, then CSI, then two- and three-character
 * escapes; 7-bit and 8-bit forms (ECMA-48 5.3, 5.4, 5.6). Every alternative is linear: no nested repetition.
 * An unterminated control string ends at the end of the text. */
const SEQUENCES = new RegExp(
  [
    // biome-ignore format: one alternative a line
    '(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\u009c\\u001b]*(?:\\u0007|\\u009c|\\u001b\\\\)?',
    '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?',
    '\\u001b[ -/]*[0-~]?',
  ].join('|'),
  'g',
);

/* C0 without tab and newline, DEL, C1; line and paragraph separators; bidi embeddings, overrides and isolates
 * and marks (the "Trojan Source" set); byte order mark; interlinear annotations and tag characters, which
 * carry text nobody sees; lone surrogates. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** One line for people: what a terminal would show after carriage returns (progress bars keep their last
 * state), tabs as spaces, newlines as spaces, everything that is not text gone. At most 16 KiB are kept. */
export function sanitizeLine(text: string): string {
  let line = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  if (line.endsWith('\n')) line = line.slice(0, -1);
  if (line.endsWith('\r')) line = line.slice(0, -1);
  const back = line.lastIndexOf('\r');
  if (back >= 0) line = line.slice(back + 1);
  return clean(line).replaceAll('\n', ' ').replaceAll('\t', '    ');
}

/** Several lines; newlines stay, each line is cleaned like `sanitizeLine`. */
export function sanitizeText(text: string): string {
  return text.split('\n').map(sanitizeLine).join('\n');
}

/** Most lines: nothing to take out, and the patterns that would look for it cost 7 ms to compile (measured). */
const PLAIN = /^[\t\n\x20-\x7e]*$/;

function clean(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(SEQUENCES, '').replace(CONTROLS, '');
}
