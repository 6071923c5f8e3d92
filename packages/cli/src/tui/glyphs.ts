/** The few symbols of the view, each with an ASCII stand-in for locales that are not UTF-8. No emoji: their
 * width differs between terminals. */

export interface Glyphs {
  readonly full: string;
  /** Eighths of a cell, thinnest first; empty where there are none. */
  readonly parts: readonly string[];
  readonly empty: string;
  readonly bad: string;
  readonly running: string;
  readonly selected: string;
  readonly waits: string;
  readonly more: string;
  readonly dot: string;
  readonly arrow: string;
}

const UNICODE: Glyphs = {
  full: '█',
  parts: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  empty: '░',
  bad: '✗',
  running: '•',
  selected: '▶',
  waits: '◦',
  more: '…',
  dot: '·',
  arrow: '→',
};

const ASCII: Glyphs = {
  full: '#',
  parts: [],
  empty: '.',
  bad: 'x',
  running: '*',
  selected: '>',
  waits: '-',
  more: '~',
  dot: '-',
  arrow: '->',
};

export function glyphsFor(unicode: boolean): Glyphs {
  return unicode ? UNICODE : ASCII;
}

/** A bar of `columns` cells; any progress at all shows, and only all of it fills it. */
export function bar(
  share: number,
  columns: number,
  glyphs: Glyphs,
): { readonly full: string; readonly empty: string } {
  const steps = glyphs.parts.length + 1;
  const cells = Math.min(1, Math.max(0, share)) * columns;
  let eighths = Math.floor(cells * steps);
  if (share > 0 && eighths === 0) eighths = 1;
  if (share < 1 && eighths === columns * steps) eighths--;
  const whole = Math.floor(eighths / steps);
  const part = glyphs.parts[(eighths % steps) - 1] ?? '';
  const full = glyphs.full.repeat(whole) + part;
  return { full, empty: glyphs.empty.repeat(columns - whole - (part === '' ? 0 : 1)) };
}
