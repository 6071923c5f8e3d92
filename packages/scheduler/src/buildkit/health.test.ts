/** Signs of life: what speaks is left alone, what is quiet is asked about, what does not answer is ended. */
import { expect, test } from 'vitest';
import { Health } from './health.ts';

const never = new AbortController().signal;

test('a quiet build on a worker that answers goes on', async () => {
  let asked = 0;
  const health = new Health(async () => {
    asked += 1;
    return true;
  }, 1);
  const watched = await health.watch(never, async () => {
    while (asked < 3) await new Promise((resolve) => setImmediate(resolve));
    return 'done';
  });
  expect(watched).toEqual({ result: 'done' });
});

test('no word and no answer, twice: it is ended', async () => {
  let asked = 0;
  const health = new Health(async () => {
    asked += 1;
    return false;
  }, 1);
  const watched = await health.watch(
    never,
    ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('ended'), { once: true })),
  );
  expect(watched).toHaveProperty('silent');
  expect(asked).toBe(2);
});

test('a word while the worker is asked counts; several builds ask once; our own stop is passed on', async () => {
  let asked = 0;
  let answer = (_: boolean): void => {};
  const health = new Health(() => {
    asked += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  }, 1);
  const stop = new AbortController();
  const one = health.watch(stop.signal, async ({ signal, sign }) => {
    while (asked < 1) await new Promise((resolve) => setImmediate(resolve));
    // It speaks again before the answer is there: not ended by these two questions.
    answer(false);
    while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
    sign();
    answer(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(signal.aborted).toBe(false);
    stop.abort();
    expect(signal.aborted).toBe(true);
    return 'stopped';
  });
  expect(await one).toEqual({ result: 'stopped' });
  expect(asked).toBe(2);
});
