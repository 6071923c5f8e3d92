/** Finished targets as lines for the scrollback: one each, printed once, never touched again. */
import { failurePlace, verdictOf } from '../report/verdict.ts';
import { fit, right } from '../text/width.ts';
import type { TargetView } from '../view/model.ts';
import type { Glyphs } from './glyphs.ts';
import { fitRow, type Row, span } from './rows.ts';

/** Wide enough for most names of the real tree, so that the columns line up. */
const NAME = 30;
/** As long as times get, but for runs of days. */
const TIME = 6;

export function verdictRow(target: TargetView, columns: number, glyphs: Glyphs): Row {
  const { word, tone, time, rest } = verdictOf(target);
  const place = target.failure === null ? null : failurePlace(target.failure);
  return fitRow(
    [
      span(`${fit(word, 9)} `, tone),
      span(
        fit(target.name, Math.max(NAME, target.name.length), glyphs.more),
        target.state === 'failed' ? 'bad' : 'plain',
      ),
      span(` ${right(time, TIME)}  ${rest}`, target.state === 'failed' ? 'plain' : 'quiet'),
      span(place === null ? '' : ` (${place})`, 'quiet'),
    ],
    columns,
    glyphs.more,
  );
}
