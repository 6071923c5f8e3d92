/** Figures for people. */
import { expect, test } from 'vitest';
import { bytes, count, digestHead, duration, elapsed } from './format.ts';

test('durations', () => {
  expect(
    [0, 80, 9_994, 12_340, 59_949, 59_960, 125_000, 3_599_600, 3_720_000, 100 * 3_600_000].map(duration),
  ).toEqual(['0.00 s', '0.08 s', '9.99 s', '12.3 s', '59.9 s', '1m00s', '2m05s', '1h00m', '1h02m', '4d04h']);
  expect([0, 999, 59_999, 60_000, 3_661_000, 90_000_000].map(elapsed)).toEqual([
    '0s',
    '0s',
    '59s',
    '1m00s',
    '1h01m',
    '1d01h',
  ]);
});

test('sizes', () => {
  expect([0, 512, 1023, 1024, 1536, 1_048_575, 36_507_222_016].map(bytes)).toEqual([
    '0 B',
    '512 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '34 GiB',
  ]);
});

test('words', () => {
  expect(digestHead(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:abababababab');
  expect([count(1, 'target'), count(0, 'target'), count(2, 'entry', 'entries')]).toEqual([
    '1 target',
    '0 targets',
    '2 entries',
  ]);
});
