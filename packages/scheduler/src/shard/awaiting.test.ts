/**
 * Shards against each other, hours in no time: each has a plan, a status and a shared shelf of records. Killed ones,
 * late ones, ones with another plan, failing builds: whoever is left gives every target, and nobody builds twice without
 * need.
 */

import { digestOf } from '@stx-make/core/oci/digest';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Settled } from '../run/ports.ts';
import { Patience } from '../run/testing/patience.ts';
import { Awaiting } from './awaiting.ts';
import type { ShardFailure } from './model.ts';
import { OwnStatus } from './own-status.ts';
import { ownersOf } from './ownership.ts';
import { Peers } from './peers.ts';

const SILENCE = 120_000;
const BUILD = 60_000;

interface Story {
  readonly count: number;
  readonly targets: number;
  /** Shards killed at that ms; never started where below zero. */
  readonly killed: ReadonlyMap<number, number>;
  /** Shards that come that many ms late. */
  readonly late?: ReadonlyMap<number, number>;
  readonly planOf?: (shard: number, target: string) => number | undefined;
  readonly fails?: ReadonlySet<string>;
  readonly failure?: ShardFailure;
  readonly isOwnSession?: boolean;
  /** Tags that are there from before. */
  readonly left?: ReadonlyMap<string, string>;
}

interface Told {
  /** By target: who built it. */
  readonly built: Map<string, number[]>;
  /** By shard and target: its end there. */
  readonly ends: Map<string, string>;
  readonly tookOver: string[];
  readonly time: number;
}

function settledOf(name: string): Settled {
  const descriptor = { mediaType: 'x', digest: digestOf(name), size: 1 };
  return { output: { index: descriptor, images: [] }, manifest: descriptor.digest, origin: 'substituted' };
}

const given = (story: Story) =>
  story.planOf ?? ((_: number, name: string) => (Number(name.slice(1)) % story.count) + 1);

async function play(story: Story): Promise<Told> {
  const patience = new Patience();
  const shelf = new Map(story.left);
  const records = new Set<string>();
  const told: Told = { built: new Map(), ends: new Map(), tookOver: [], time: 0 };
  const names = Array.from({ length: story.targets }, (_, index) => `t${index}`);
  const forever = new AbortController().signal;

  const shardRun = async (index: number): Promise<void> => {
    await patience.pause(story.late?.get(index) ?? 0, forever);
    const dead = story.killed.get(index) ?? Number.POSITIVE_INFINITY;
    const isDead = (): boolean => patience.clock() >= dead;
    if (isDead()) return;
    const notes = {
      get: async (tag: string) => shelf.get(tag) ?? null,
      put: async (tag: string, text: string) => {
        if (!isDead()) shelf.set(tag, text);
      },
    };
    const tagOf = (shard: number) => `shard-${shard}`;
    const plan = {
      count: story.count,
      tree: 't',
      engine: 'e',
      shardOf: new Map(
        names.flatMap((name) => {
          const shard = given(story)(index, name);
          return shard === undefined ? [] : [[name, shard] as const];
        }),
      ),
    };
    const own = new OwnStatus(
      {
        notes,
        tag: tagOf(index),
        shard: index,
        count: story.count,
        process: `p${index}`,
        silence: SILENCE,
        pause: patience.pause,
      },
      names.filter((name) => plan.shardOf.get(name) === index),
    );
    const shard = { index, count: story.count, session: 's', isOwnSession: true, silence: SILENCE };
    const peers = new Peers({
      notes,
      tagOf,
      isOwnSession: story.isOwnSession ?? true,
      clock: patience.clock,
    });
    const awaiting = new Awaiting({
      shard,
      plan,
      peers,
      own,
      clock: patience.clock,
      pause: patience.pause,
      onTakeover: (target, from) => told.tookOver.push(`${index} ${target} from ${from}`),
    });
    own.begin();
    // One build at a time, in the order in which they become free.
    let machine: Promise<void> = Promise.resolve();
    const ends = names.map(async (name) => {
      const find = async (): Promise<Settled | null> => (records.has(name) ? settledOf(name) : null);
      const sought = await awaiting.seek(name, find, forever);
      if (isDead()) return;
      if (sought.status === 'absent') {
        const before = machine;
        machine = before.then(() => patience.pause(BUILD, forever));
        await machine;
        if (isDead()) return;
        told.built.set(name, [...(told.built.get(name) ?? []), index]);
        if (story.fails?.has(name)) own.fail(name, story.failure ?? FAILURE);
        else {
          records.add(name);
          own.close(name);
        }
        told.ends.set(`${index} ${name}`, story.fails?.has(name) ? 'failed' : 'built');
      } else {
        own.close(name);
        told.ends.set(`${index} ${name}`, sought.status);
      }
    });
    await Promise.all(ends);
    if (!isDead()) await own.end();
  };

  const shards = Array.from({ length: story.count }, (_, index) => shardRun(index + 1));
  await patience.run(Promise.all(shards));
  return { ...told, time: patience.clock() };
}

const FAILURE: ShardFailure = {
  kind: 'build',
  step: 'RUN false',
  exitCode: 1,
  file: 'core/x/Containerfile',
  line: 3,
  cause: 'exit 1',
};
const twice = (told: Told): string[] =>
  [...told.built].filter(([, by]) => by.length > 1).map(([name]) => name);

describe('shards', () => {
  test('each target is built once, by whom the plan says, and found by all others', async () => {
    const told = await play({ count: 3, targets: 12, killed: new Map() });
    expect(
      [...told.built].every(([name, by]) => by.length === 1 && by[0] === (Number(name.slice(1)) % 3) + 1),
    ).toBe(true);
    expect(told.tookOver).toEqual([]);
    expect([...told.ends.values()].filter((end) => end === 'found')).toHaveLength(24);
  });

  test('the work of a shard that is killed is taken over, each target by one', async () => {
    const told = await play({ count: 3, targets: 12, killed: new Map([[2, 90_000]]) });
    expect(told.built.size).toBe(12);
    expect(twice(told)).toEqual([]);
    expect(told.tookOver.length).toBeGreaterThan(0);
  });

  test('the work of one that never comes is taken over, later', async () => {
    const told = await play({ count: 2, targets: 6, killed: new Map([[1, -1]]) });
    expect([...told.built.values()].flat()).toEqual([2, 2, 2, 2, 2, 2]);
    expect(told.time).toBeGreaterThan(5 * SILENCE);
  });

  test('one that comes late is waited for', async () => {
    const told = await play({ count: 2, targets: 6, killed: new Map(), late: new Map([[1, 4 * SILENCE]]) });
    expect(told.tookOver).toEqual([]);
    expect(twice(told)).toEqual([]);
  });

  test('plans that contradict each other: nobody waits for ever', async () => {
    const other = await play({ count: 2, targets: 6, killed: new Map(), planOf: (shard) => 3 - shard });
    expect(other.built.size).toBe(6);
    const none = await play({ count: 3, targets: 6, killed: new Map(), planOf: () => undefined });
    expect(none.built.size).toBe(6);
    expect(twice(none)).toEqual([]);
  });

  test('what a recipe says no to fails on every shard, tried once; a machine’s own trouble is tried elsewhere', async () => {
    const no = await play({ count: 3, targets: 6, killed: new Map(), fails: new Set(['t4']) });
    expect(no.built.get('t4')).toEqual([2]);
    expect([1, 2, 3].map((shard) => no.ends.get(`${shard} t4`))).toEqual(['failed', 'failed', 'failed']);
    const failure: ShardFailure = { ...FAILURE, kind: 'infrastructure', cause: 'disk full' };
    const trouble = await play({ count: 3, targets: 6, killed: new Map(), fails: new Set(['t4']), failure });
    expect(trouble.built.get('t4')?.length).toBeGreaterThan(1);
  });

  test('what an earlier session left under the same name is no sign of life', async () => {
    const old = JSON.stringify({
      schema: 1,
      shard: 1,
      count: 2,
      process: 'old',
      beat: 7,
      ended: true,
      open: [],
      failed: { t0: FAILURE },
    });
    const left = new Map([['shard-1', old]]);
    const told = await play({ count: 2, targets: 4, killed: new Map([[1, -1]]), left, isOwnSession: false });
    expect([...told.ends.values()].filter((end) => end === 'failed')).toEqual([]);
    expect(told.built.size).toBe(4);
    const trusted = await play({ count: 2, targets: 4, killed: new Map([[1, -1]]), left });
    expect(trusted.ends.get('2 t0')).toBe('failed');
  });

  test('whoever is killed, and when: those left give everything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: -1, max: 900_000 }), { maxLength: 4 }),
        async (count, targets, times) => {
          const killed = new Map(times.slice(0, count - 1).map((time, index) => [index + 1, time]));
          const told = await play({ count, targets, killed });
          expect(told.built.size).toBe(targets);
          const survivor = Array.from({ length: targets }, (_, index) => told.ends.get(`${count} t${index}`));
          expect(survivor.every((end) => end === 'built' || end === 'found')).toBe(true);
          if (killed.size === 0) expect(twice(told)).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});

test('the order of owners: the given one first, each shard once, spread evenly', () => {
  const seconds = new Map<number, number>();
  for (let index = 0; index < 900; index += 1) {
    const owners = ownersOf(`core-${index}`, 4, 2);
    expect([...owners].sort()).toEqual([1, 2, 3, 4]);
    expect(owners[0]).toBe(2);
    const second = owners[1] ?? 0;
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  for (const shard of [1, 3, 4]) expect(seconds.get(shard)).toBeGreaterThan(230);
});
