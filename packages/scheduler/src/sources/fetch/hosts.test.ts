/** Limits per host, and hosts left alone for a while. */
import { expect, it } from 'vitest';
import { Hosts, Places } from './hosts.ts';

const never = new AbortController().signal;

it('a busy host takes no place from the others', async () => {
  const hosts = new Hosts({ parallel: 2, perHost: 1 }, () => 0);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const order: string[] = [];
  const slow = hosts.use('slow', never, () => held);
  const queued = hosts.use('slow', never, async () => void order.push('slow'));
  await hosts.use('quick', never, async () => void order.push('quick'));
  release();
  await Promise.all([slow, queued]);
  expect(order).toEqual(['quick', 'slow']);
});

it('a place is given back after a failure, and by those who stop waiting', async () => {
  const places = new Places(1);
  await places.take(never);
  const stop = new AbortController();
  const waiting = places.take(stop.signal);
  const behind = places.take(never);
  stop.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  places.give();
  await behind;
  const hosts = new Hosts({ parallel: 1, perHost: 1 }, () => 0);
  const fail = hosts.use('a', never, () => Promise.reject(new Error('no')));
  await expect(fail).rejects.toThrow('no');
  expect(await hosts.use('a', never, async () => 'next')).toBe('next');
});

it('a silent host is down for a minute; one answer makes it well', () => {
  let now = 0;
  const hosts = new Hosts({ parallel: 1, perHost: 1 }, () => now);
  for (let n = 0; n < 4; n += 1) hosts.silent('a');
  expect(hosts.isDown('a')).toBe(false);
  hosts.silent('a');
  expect(hosts.isDown('a')).toBe(true);
  expect(hosts.isDown('b')).toBe(false);
  now = 60_001;
  expect(hosts.isDown('a')).toBe(false);
  hosts.silent('a');
  expect(hosts.isDown('a')).toBe(true);
  hosts.answered('a');
  expect(hosts.isDown('a')).toBe(false);
});
