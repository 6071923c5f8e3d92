/** Frames: at most ten a second, one a second when only clocks move, none when nothing runs. */
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { FRAME_MS, RunStore } from './store.ts';

/** A clock and timers moved by hand. */
function makeTimers() {
  let now = 0;
  const pending = new Set<{ due: number; callback: () => void }>();
  return {
    clock: () => now,
    after: (ms: number, callback: () => void) => {
      const entry = { due: now + ms, callback };
      pending.add(entry);
      return () => pending.delete(entry);
    },
    /** Moves on to `time`, firing what is due on the way. */
    to: (time: number) => {
      for (;;) {
        const next = [...pending].sort((a, b) => a.due - b.due)[0];
        if (next === undefined || next.due > time) break;
        pending.delete(next);
        now = Math.max(now, next.due);
        next.callback();
      }
      now = time;
    },
    pending: () => pending.size,
  };
}

test('a flood of events makes ten frames a second', () => {
  const timers = makeTimers();
  const store = new RunStore(timers);
  let frames = 0;
  store.subscribe(() => frames++);
  const events = madeRun({ targets: 20, jobs: 2 });
  for (const event of events.slice(0, 3)) store.sink(event);
  for (let now = 1; now <= 1000; now++) {
    timers.to(now);
    store.sink({ at: now, type: 'activity', id: 'x', text: String(now), done: false });
  }
  expect(frames).toBeGreaterThanOrEqual(9);
  expect(frames).toBeLessThanOrEqual(1000 / FRAME_MS + 1);
});

test('clocks move once a second; after the end nothing does', () => {
  const timers = makeTimers();
  const store = new RunStore(timers);
  const times: number[] = [];
  store.subscribe(() => times.push(store.frame().now));
  const events = madeRun({ targets: 2, jobs: 1 });
  for (const event of events.slice(0, 5)) store.sink(event);
  timers.to(5_000);
  expect(times.length).toBeGreaterThanOrEqual(5);
  expect(times.length).toBeLessThanOrEqual(6);
  for (const event of events) store.sink(event);
  timers.to(20_000);
  const before = times.length;
  timers.to(60_000);
  expect(times).toHaveLength(before);
  expect(timers.pending()).toBe(0);
});

test('every frame is a new object, and a closed store starts no timers', () => {
  const timers = makeTimers();
  const store = new RunStore(timers);
  const first = store.frame();
  store.flush();
  expect(store.frame()).not.toBe(first);
  store.close();
  store.sink({ at: 1, type: 'stopping', text: 'x' });
  expect(timers.pending()).toBe(0);
});
