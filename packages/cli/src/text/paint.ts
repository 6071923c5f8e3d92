/**
 * Colours for lines of text, or none of them. Eight colours and attributes only: they follow the user's
 * theme, so they can be read on light and on dark backgrounds (no white, no black, no grey shades). No yellow and no
 * cyan, which most terminals' own themes make unreadable on white; nor blue, which they do on black.
 */
import { styleText } from 'node:util';

/** What a piece of text means; the colour follows from it. */
export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'quiet' | 'strong' | 'accent';

/** Puts a tone's colour around text that is already harmless. */
export type Paint = (tone: Tone, text: string) => string;

const STYLES = {
  good: 'green',
  bad: 'red',
  warn: 'magenta',
  quiet: 'dim',
  strong: 'bold',
  accent: 'bold',
} as const;

const coloured: Paint = (tone, text) =>
  tone === 'plain' || text === '' ? text : styleText(STYLES[tone], text, { validateStream: false });

const plain: Paint = (_tone, text) => text;

export function paintFor(colour: boolean): Paint {
  return colour ? coloured : plain;
}
