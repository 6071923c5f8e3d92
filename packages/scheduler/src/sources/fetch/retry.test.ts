/** When and after how long a mirror is tried again. */
import { expect, it } from 'vitest';
import { Mirrors } from './retry.ts';

const limits = { retries: 2, backoffMs: 1000, maxBackoffMs: 3000, maxRetryAfterMs: 60_000 };
const transient = { transient: true };

it('goes through all mirrors in turn before any is tried again', () => {
  const mirrors = new Mirrors(['a', 'b'], limits, () => 0);
  const order: string[] = [];
  for (let next = mirrors.next(0); next !== null; next = mirrors.next(0)) {
    order.push(next.url);
    mirrors.failed(next.url, transient, 0, 0);
  }
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
});

it('waits twice as long each time, up to a limit, half of it by chance', () => {
  const waits = (random: number): (number | undefined)[] => {
    const mirrors = new Mirrors(['a'], { ...limits, retries: 4 }, () => random);
    return [1, 2, 3, 4].map(() => {
      mirrors.failed('a', transient, 0, 50);
      return mirrors.next(50)?.waitMs;
    });
  };
  expect(waits(0)).toEqual([500, 1000, 1500, 1500]);
  expect(waits(1)).toEqual([1000, 2000, 3000, 3000]);
});

it('waits what the server asks where that is longer, up to a limit', () => {
  const mirrors = new Mirrors(['a'], limits, () => 0);
  mirrors.failed('a', { transient: true, retryAfterMs: 9000 }, 0, 0);
  expect(mirrors.next(0)?.waitMs).toBe(9000);
  expect(mirrors.next(8000)?.waitMs).toBe(1000);
  mirrors.failed('a', { transient: true, retryAfterMs: 10 ** 9 }, 0, 0);
  expect(mirrors.next(0)?.waitMs).toBe(60_000);
});

it('asks the one that may be asked sooner', () => {
  const mirrors = new Mirrors(['a', 'b'], limits, () => 0);
  mirrors.failed('a', { transient: true, retryAfterMs: 50_000 }, 0, 0);
  mirrors.failed('b', transient, 0, 0);
  expect(mirrors.next(0)).toEqual({ url: 'b', waitMs: 500 });
});

it('drops a final failure at once', () => {
  const mirrors = new Mirrors(['a'], limits, () => 0);
  mirrors.failed('a', { transient: false }, 0, 0);
  expect(mirrors.next(0)).toBe(null);
});

it('counts no try that came much further than any before, and each of the others', () => {
  const mirrors = new Mirrors(['a'], { ...limits, retries: 1 }, () => 0);
  const mega = 1024 * 1024;
  for (let here = mega; here < 50 * mega; here += mega) {
    mirrors.failed('a', transient, here, 0);
    expect(mirrors.next(0)).not.toBe(null);
  }
  // A server without ranges: each time from the start, never further.
  mirrors.failed('a', transient, 30 * mega, 0);
  mirrors.failed('a', transient, 40 * mega, 0);
  expect(mirrors.next(0)).toBe(null);
});
