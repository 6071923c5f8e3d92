/** Changes that settle, git's lock, rounds: with a clock moved by hand. The real files are in test/e2e/watch. */
import { describe, expect, test } from 'vitest';
import { Changes, QUIET_MS } from './changes.ts';
import { watchLoop } from './loop.ts';

describe('Changes', () => {
  /** A clock moved by hand. */
  function setUp() {
    let now = 0;
    let busy = false;
    let timer: { at: number; callback: () => void } | null = null;
    const changes = new Changes({
      clock: () => now,
      after: (ms, callback) => {
        const mine = { at: now + ms, callback };
        timer = mine;
        return () => {
          if (timer === mine) timer = null;
        };
      },
      isGitBusy: () => busy,
    });
    let settled = 0;
    changes.onSettled = () => {
      settled += 1;
    };
    const pass = (ms: number): void => {
      const end = now + ms;
      while (timer !== null && timer.at <= end) {
        const due = timer;
        now = due.at;
        timer = null;
        due.callback();
      }
      now = end;
    };
    return { changes, pass, settled: () => settled, setBusy: (value: boolean) => (busy = value) };
  }

  test('settle when it is quiet; an endless writer is not waited for', () => {
    const { changes, pass, settled } = setUp();
    for (let at = 0; at < 10; at += 1) {
      changes.note('x');
      pass(QUIET_MS - 1);
    }
    expect(settled()).toBe(0);
    pass(1);
    expect(settled()).toBe(1);
    expect([...changes.take()]).toEqual(['x']);
    for (let at = 0; at < 100; at += 1) {
      changes.note('y');
      pass(QUIET_MS - 1);
    }
    expect(settled()).toBeGreaterThan(1);
  });

  test('git at work is waited for, a lock that git left behind is not for ever', () => {
    const { changes, pass, settled, setBusy } = setUp();
    setBusy(true);
    changes.note('x');
    pass(10_000);
    expect(settled()).toBe(0);
    setBusy(false);
    pass(QUIET_MS);
    expect(settled()).toBe(1);
    changes.take();
    setBusy(true);
    changes.note('x');
    pass(60_000);
    expect(settled()).toBe(2);
  });
});

test('what settles during a round is told to it, and there is another one', async () => {
  const changes = new Changes({ clock: () => performance.now(), after, isGitBusy: () => false });
  const stop = new AbortController();
  const rounds: string[][] = [];
  await watchLoop({
    changes,
    stop: stop.signal,
    round: async (changed, number, onEdits) => {
      rounds.push([...changed]);
      if (number !== 1) return;
      const told = new Promise<void>((resolve) => onEdits(resolve));
      changes.note('a');
      await told;
    },
    onIdle: () => {
      stop.abort();
      return () => {};
    },
  });
  expect(rounds).toEqual([[], ['a']]);
});

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
