/**
 * Lines of the screen as data: pieces of harmless text with a meaning, cut to the terminal's columns. What the
 * TUI shows is made of these by pure functions, so it is tested without a terminal.
 */
import type { Tone } from '../text/paint.ts';
import { cut, width } from '../text/width.ts';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Row = readonly Span[];

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone };
}

export function rowWidth(row: Row): number {
  return row.reduce((sum, { text }) => sum + width(text), 0);
}

/** The row in at most `columns`; pieces at its end are cut or dropped. */
export function fitRow(row: Row, columns: number, mark: string): Row {
  const kept: Span[] = [];
  let left = columns;
  for (const [i, { text, tone }] of row.entries()) {
    const more = row.slice(i + 1).some((later) => later.text !== '');
    const w = width(text);
    if (w < left || (w === left && !more)) {
      kept.push({ text, tone });
      left -= w;
      continue;
    }
    // There is more than fits: the mark must be seen, also where this piece would just fill the line.
    const shown = w > left ? cut(text, left, mark) : cut(`${text} `, left, mark);
    if (shown !== '') kept.push({ text: shown, tone });
    break;
  }
  return kept;
}

/** Left part and right part on one line; the left one gives way. */
export function spread(left: Row, right: Row, columns: number, mark: string): Row {
  const room = columns - rowWidth(right) - 1;
  if (room < 8) return fitRow(left, columns, mark);
  const fitted = fitRow(left, room, mark);
  return [...fitted, span(' '.repeat(columns - rowWidth(fitted) - rowWidth(right))), ...right];
}

/** The row's text, for tests and screen readers. */
export function textOf(row: Row): string {
  return row.map(({ text }) => text).join('');
}
