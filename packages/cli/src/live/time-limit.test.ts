/** `--for`, `--until`, `--grace`: what is meant by them, and that it is told. */
import { once } from 'node:events';
import { ProblemError } from '@stx-make/core/errors';
import { describe, expect, test } from 'vitest';
import { nextTimeOfDay, timeSpan } from '../text/time-span.ts';
import { timeLimitOf, watchClock } from './time-limit.ts';

const noon = new Date(2026, 10, 26, 12, 0, 0);
const given = (values: { for?: string; until?: string; grace?: string }) =>
  timeLimitOf({ for: undefined, until: undefined, grace: undefined, ...values }, noon);
const MINUTE = 60_000;

describe('what is typed', () => {
  test.each([
    ['5h', 300 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['90m', 90 * MINUTE],
    ['45s', 45_000],
    ['2d', 2880 * MINUTE],
    ['', null],
    ['5', null],
    ['h', null],
    ['30m1h', null],
    ['-5h', null],
    ['5 h', null],
  ])('a length "%s"', (text, ms) => expect(timeSpan(text)).toBe(ms));

  test.each([
    ['12:01', new Date(2026, 10, 26, 12, 1)],
    ['12:00', new Date(2026, 10, 27, 12, 0)],
    ['6:30', new Date(2026, 10, 27, 6, 30)],
    ['23:59', new Date(2026, 10, 26, 23, 59)],
    ['24:00', null],
    ['12:60', null],
    ['6', null],
  ])('a time of day "%s"', (text, date) => expect(nextTimeOfDay(text, noon)).toBe(date?.getTime() ?? null));

  test('of both the earlier one counts, and what runs may take a tenth more, at most half an hour', () => {
    expect(given({})).toBeNull();
    expect(given({ for: '1h' })).toEqual({
      text: 'its time is up (--for 1h)',
      end: noon.getTime() + 60 * MINUTE,
      grace: 6 * MINUTE,
    });
    expect(given({ for: '12h', until: '20:00' })).toMatchObject({
      text: 'its time is up (--until 20:00)',
      grace: 30 * MINUTE,
    });
    expect(given({ for: '12h', grace: '0s' })?.grace).toBe(0);
  });

  test('everything wrong is told at once', () => {
    const told = (() => {
      try {
        given({ for: '0h', until: 'six', grace: 'some' });
        return [];
      } catch (error) {
        return error instanceof ProblemError ? error.problems : [];
      }
    })();
    expect(told.map(({ tag, text }) => `${tag} ${text.split(' ')[0]}`)).toEqual([
      'input --for',
      'input --until',
      'input --grace',
    ]);
  });
});

describe('the clock', () => {
  const limit = { text: 'its time is up (--for 1h)', end: 1_000, grace: 500 };

  test('says nothing before, says that time is up, then that what runs must end', () => {
    const before = watchClock(limit, () => 999);
    expect(before.control.timeUp?.aborted).toBe(false);
    before.stop();
    const up = watchClock(limit, () => 1_000);
    expect(up.control.timeUp?.reason).toBe(limit.text);
    expect(up.control.graceOver?.aborted).toBe(false);
    up.stop();
    expect(watchClock(limit, () => 1_500).control.graceOver?.aborted).toBe(true);
  });

  test('runs by itself, both steps in turn', async () => {
    const { control } = watchClock({ ...limit, end: Date.now() + 20, grace: 20 });
    const { timeUp, graceOver } = control;
    if (timeUp === undefined || graceOver === undefined) throw new Error('no signals');
    // The timers keep no process alive; this does until they have told.
    const alive = setInterval(() => {}, 1_000);
    const second = once(graceOver, 'abort');
    await once(timeUp, 'abort');
    expect(graceOver.aborted).toBe(false);
    await second;
    clearInterval(alive);
  });

  test('without a limit there is nothing to tell', () => {
    expect(watchClock(null).control).toEqual({});
  });
});
