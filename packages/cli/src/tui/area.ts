/** The part of the terminal that a view may use. */
import type { Glyphs } from './glyphs.ts';

export interface Area {
  readonly columns: number;
  /** Rows that may be used. */
  readonly rows: number;
  readonly glyphs: Glyphs;
}
