/** Names of runs sort by time, also within a second. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { runId } from './run-id.ts';

const YEAR_3000 = Date.UTC(3000, 0);

test('says when the run began', () => {
  expect(runId(Date.UTC(2026, 10, 23, 22, 45, 1, 120))).toMatch(/^20261123-224501-078[0-9a-f]{5}$/);
  expect(runId(Date.UTC(2026, 10, 23, 22, 45, 1, 0.5))).toMatch(/^20261123-224501-000[0-9a-f]{5}$/);
});

test('sorts by the millisecond', () => {
  fc.assert(
    fc.property(fc.nat(YEAR_3000), fc.oneof(fc.constant(1), fc.nat(100_000)), (began, later) => {
      expect(runId(began) < runId(began + later + 1)).toBe(true);
    }),
  );
});

test('has five digits of chance', () => {
  const random = vi.spyOn(Math, 'random');
  const ids = [0, 0.5, 1 - 2 ** -52].map((value) => {
    random.mockReturnValueOnce(value);
    return runId(1_000_000_000_000);
  });
  random.mockRestore();
  expect(ids.map((id) => id.slice(-5))).toEqual(['00000', '80000', 'fffff']);
});
