/** What every part of the page is given. Types only. */
import type { PageData } from '../model.ts';
import type { Relations } from './relations.ts';
import type { Selection } from './selection.ts';

export interface Page {
  readonly data: PageData;
  /** From the seed up. */
  readonly stages: readonly string[];
  readonly selection: Selection;
  readonly relations: Relations;
}
