/**
 * Text in terminal columns: measuring, cutting and padding by what a terminal shows (wide characters count
 * two, combining ones none), never through the middle of a grapheme.
 *
 * Takes text without escape sequences. The only place that knows string-width.
 */
import stringWidth from 'string-width';

let segmenter: Intl.Segmenter | undefined;
/** Made when first asked: the first one of a process costs 24 ms, and plain ASCII never needs it. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

const ASCII = /^[\u0020-\u007e]*$/;

/** Columns that `text` takes. */
export function width(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** `text` in at most `columns`; where something is lost it ends with `mark`. */
export function cut(text: string, columns: number, mark = '…'): string {
  if (columns <= 0) return '';
  if (width(text) <= columns) return text;
  const room = columns - width(mark);
  if (room < 0) return take(text, columns);
  return take(text, room) + mark;
}

/** The last part of `text` in at most `columns`, starting with `mark` where something is lost: for paths. */
export function cutStart(text: string, columns: number, mark = '…'): string {
  if (columns <= 0) return '';
  if (width(text) <= columns) return text;
  const room = Math.max(0, columns - width(mark));
  const kept: string[] = [];
  let used = 0;
  for (const { segment } of [...graphemes(text)].reverse()) {
    const w = width(segment);
    if (used + w > room) break;
    used += w;
    kept.push(segment);
  }
  return (columns >= width(mark) ? mark : '') + kept.reverse().join('');
}

function take(text: string, room: number): string {
  if (ASCII.test(text)) return text.slice(0, room);
  let used = 0;
  let end = 0;
  for (const { segment, index } of graphemes(text)) {
    const w = width(segment);
    if (used + w > room) break;
    used += w;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** Exactly `columns`: cut where too long, filled with spaces on the right where too short. */
export function fit(text: string, columns: number, mark = '…'): string {
  const shown = cut(text, columns, mark);
  return shown + ' '.repeat(Math.max(0, columns - width(shown)));
}

/** At least `columns`, filled on the left: for figures. */
export function right(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}

/** Breaks a paragraph at spaces into lines of at most `columns`; longer words stand alone, uncut. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
