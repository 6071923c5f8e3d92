/** Outputs are synced many at a time, long builds at once, and a disk that fails is told. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Keeper } from './keeper.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function rig(fails: () => boolean = () => false) {
  const said: string[] = [];
  const pool = {
    syncTogether: async () => {
      said.push('pool');
      if (fails()) throw new Error('EIO');
    },
  };
  return { said, keeper: new Keeper(pool, { sync: () => void said.push('state') }) };
}

test('short builds are synced together, bytes before records', async () => {
  const { said, keeper } = rig();
  for (let build = 0; build < 10; build += 1) await keeper.recorded(20);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(said).toEqual(['pool', 'state']);
  await keeper.recorded(20);
  await keeper.keepAll();
  expect(said).toHaveLength(4);
});

test('nothing recorded, nothing synced', async () => {
  const { said, keeper } = rig();
  await keeper.keepAll();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(said).toEqual([]);
});

test('what took long is on the disk before anybody is told', async () => {
  const { said, keeper } = rig();
  await keeper.recorded(60_000);
  expect(said).toEqual(['pool', 'state']);
});

test('a disk that fails is told to the next one, and tried again at the end', async () => {
  let broken = true;
  const { said, keeper } = rig(() => broken);
  await keeper.recorded(20);
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(keeper.recorded(20)).rejects.toThrow('EIO');
  await expect(keeper.keepAll()).rejects.toThrow('EIO');
  expect(said).not.toContain('state');
  broken = false;
  await keeper.keepAll();
  expect(said.at(-1)).toBe('state');
  await keeper.recorded(20);
});
