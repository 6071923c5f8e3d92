/**
 * Making foreign text harmless: what a step printed must not move a cursor, colour a summary or reverse what
 * a person reads. Pure.
 */

/** CSI, OSC, DCS and the like, and two-character escapes (ECMA-48). */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])|\u009b[0-?]*[ -/]*[@-~]/g;

/** C0 and C1 controls but the tab, bidirectional controls (CVE-2021-42574) and line separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line as a terminal would leave it: escape sequences gone, of what carriage returns overwrote only the
 * last, other control characters as U+FFFD. */
export function harmlessLine(line: string): string {
  const plain = line.replace(ESCAPES, '').replace(/\r+$/, '');
  return plain
    .slice(plain.lastIndexOf('\r') + 1)
    .replaceAll('\t', '    ')
    .replace(CONTROLS, '\ufffd');
}

/** Several lines as one, for a cause or a step's name. */
export function harmlessName(text: string): string {
  return text
    .split('\n')
    .map(harmlessLine)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}

/** Cut to at most `limit` characters, with an ellipsis; never through a surrogate pair. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 2)) ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}
