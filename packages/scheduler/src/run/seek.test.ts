/**
 * Somewhere else to look before a build: found, absent, failed elsewhere, and waits that end when nothing new may start.
 */
import type { RunEvent } from '@stx-make/core/events';
import { digestOf } from '@stx-make/core/oci/digest';
import { expect, test } from 'vitest';
import { conduct } from './conduct.ts';
import type { RunPorts, Settled, Sought } from './ports.ts';
import { bareTarget, options, world } from './testing/memory-world.ts';

const order = [bareTarget('a', []), bareTarget('b', ['a']), bareTarget('c', ['b']), bareTarget('d', [])];

function settledOf(name: string): Settled {
  const descriptor = { mediaType: 'x', digest: digestOf(name), size: 1 };
  const image = {
    platform: 'linux/amd64',
    manifest: descriptor,
    config: descriptor,
    layers: [],
    diffIds: [],
  };
  return {
    output: { index: descriptor, images: [image] },
    manifest: descriptor.digest,
    origin: 'substituted',
  };
}

async function run(
  seek: (name: string, signal: AbortSignal) => Promise<Sought>,
  more: Parameters<typeof options>[1] = {},
  change: (ports: RunPorts) => RunPorts = (ports) => ports,
) {
  const { ports, built } = world((name) => (name === 'd' ? 'failed' : 'built'));
  const asked: string[] = [];
  const published: string[] = [];
  const events: RunEvent['type'][] = [];
  const results = await conduct(
    options(order, more),
    change({
      ...ports,
      seek: (target, _, __, signal) => {
        asked.push(target.name);
        return seek(target.name, signal);
      },
      publish: async (target) => void published.push(target.name),
    }),
    (event) => events.push(event.type),
  );
  const ends = Object.fromEntries([...results].map(([name, { result }]) => [name, result]));
  return { ends, built, asked, published, events, results };
}

test('what is found is a hit with its origin, shown, and opens what needs it; what is not is built', async () => {
  const { ends, built, asked, published, results } = await run(async (name) =>
    name === 'a' ? { status: 'found', settled: settledOf('a') } : { status: 'absent' },
  );
  expect(ends).toEqual({ a: 'hit', b: 'built', c: 'built', d: 'failed' });
  expect(results.get('a')?.settled?.origin).toBe('substituted');
  expect(built).toEqual(['b', 'c']);
  expect(asked).toEqual(['a', 'd', 'b', 'c']);
  expect(published).toEqual(['a', 'b', 'c']);
});

test('what failed elsewhere is failed here, with what needs it skipped', async () => {
  const failure = { ...bareFailure, cause: 'exit 2 on shard 3' };
  const { ends, results } = await run(async (name) =>
    name === 'a' ? { status: 'failed', failure } : { status: 'absent' },
  );
  expect(ends).toEqual({ a: 'failed', b: 'skipped', c: 'skipped', d: 'failed' });
  expect(results.get('a')?.failure?.cause).toBe('exit 2 on shard 3');
});

test('a wait for somebody else ends when nothing new may start', async () => {
  let ended = 0;
  const waits = (name: string, signal: AbortSignal): Promise<Sought> =>
    name === 'd'
      ? Promise.resolve({ status: 'absent' })
      : new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            ended += 1;
            resolve({ status: 'absent' });
          });
        });
  const { ends, built } = await run(waits, { keepGoing: false });
  expect(ends).toEqual({ a: 'skipped', b: 'skipped', c: 'skipped', d: 'failed' });
  expect(ended).toBe(1);
  expect(built).toEqual([]);
});

test('a seek that throws fails its target alone', async () => {
  const { ends } = await run(async (name) => {
    if (name === 'a') throw new Error('a bug');
    return { status: 'found', settled: settledOf(name) };
  });
  expect(ends).toEqual({ a: 'failed', b: 'skipped', c: 'skipped', d: 'hit' });
});

const bareFailure = {
  kind: 'build' as const,
  step: null,
  exitCode: 2,
  file: null,
  line: null,
  cause: '',
  tail: [],
  logFile: null,
};
