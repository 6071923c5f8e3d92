/**
 * A world of the twin as its events would be, without building anything: for views and reports at StageX's size. The
 * same every time. Two workers with four places each; some targets are hits, some turn out to be.
 */
import type { RunEvent } from '../../packages/core/src/events.ts';
import type { ShapedTarget } from './generate.ts';

export interface Played {
  readonly failing: readonly string[];
  /** What failed ones say. */
  readonly cause: string;
}

const PLACES = 8;
const START = '2026-11-23T12:00:00.000Z';

export function playedRun(targets: readonly ShapedTarget[], { failing, cause }: Played): RunEvent[] {
  const next = random(7);
  const expected = new Map(
    targets.map(({ name }) => [name, next() < 0.1 ? null : Math.round(2_000 + next() ** 4 * 900_000)]),
  );
  const hit = new Set(
    targets.filter(({ name }) => next() < 0.3 && !failing.includes(name)).map(({ name }) => name),
  );
  const known = new Set<string>();
  // A hit is known beforehand where all it needs is one.
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const { name, dependencies } of targets) {
      if (hit.has(name) && dependencies.every((needed) => known.has(needed))) known.add(name);
    }
  }
  const events: RunEvent[] = [
    {
      at: 0,
      type: 'run-started',
      schema: 1,
      run: '20261123-120000-1a2b3c4d',
      started: START,
      root: '/home/me/stagex',
      command: 'stx-make world -k',
      selection: [],
    },
    {
      at: 5,
      type: 'plan',
      targets: targets.map(({ name, stage, dependencies }) => ({
        name,
        stage,
        dependencies,
        action: known.has(name) ? 'hit' : hit.has(name) ? 'waiting' : 'build',
        reasons: known.has(name) ? [] : [{ code: 'file-changed', text: 'Containerfile changed' }],
        expected: expected.get(name) ?? null,
      })),
    },
    {
      at: 10,
      type: 'workers',
      notes: [],
      workers: ['managed', 'tcp://builder-2:1234'].map((name, i) => ({
        id: `w${i}`,
        name,
        address: name,
        platforms: ['linux/amd64'],
        jobs: PLACES / 2,
        version: 'v0.32.2',
      })),
    },
    {
      at: 11,
      type: 'warning',
      problem: {
        code: 'no-package-toml',
        tag: 'input',
        level: 'warning',
        text: `no package.toml ${cause}`,
        file: 'packages/user/mesa',
      },
    },
  ];
  const ends = new Map<string, 'good' | 'bad'>();
  const counts = { targets: targets.length, hit: 0, built: 0, unchanged: 0, failed: 0, skipped: 0 };
  const waiting = new Map(targets.map((target) => [target.name, target]));
  let running: {
    readonly name: string;
    readonly place: number;
    readonly took: number;
    readonly end: number;
  }[] = [];
  let now = 20;
  const finish = (name: string, result: 'hit' | 'built' | 'unchanged', duration: number): void => {
    ends.set(name, 'good');
    counts[result]++;
    const digest = `sha256:${[...name]
      .map((letter) => letter.charCodeAt(0).toString(16))
      .join('')
      .padEnd(64, '0')
      .slice(0, 64)}`;
    events.push({
      at: now,
      type: 'target-finished',
      target: name,
      result,
      digest,
      origin: 'built',
      duration,
      size: 1_000_000 * name.length,
      reasons: [],
    });
  };
  const begin = (name: string): void => {
    const place =
      Array.from({ length: PLACES }, (_, i) => i).find((i) => running.every((other) => other.place !== i)) ??
      0;
    const took = Math.round((expected.get(name) ?? 30_000) * (0.6 + next() * 0.9));
    running.push({ name, place, took, end: now + took });
    events.push({
      at: now,
      type: 'target-started',
      target: name,
      worker: `w${place % 2}`,
      attempt: 1,
      reasons: [],
      logFile: `/state/logs/r/${name}.log`,
    });
    events.push({ at: now, type: 'step-started', target: name, step: 's', name: '[build 3/5] RUN make' });
    // A worker elsewhere tells nothing of what it takes.
    if (place % 2 === 1) return;
    const memory = name.length * 50_000_000;
    events.push({
      at: now,
      type: 'usage',
      target: name,
      worker: 'w0',
      cores: ((name.length * 7) % 40) / 10,
      memory,
      cpu: took,
      peak: memory,
    });
  };
  /** Whatever can be said without time going on. */
  const settle = (): void => {
    for (const { name, dependencies } of [...waiting.values()]) {
      const needs = dependencies.map((needed) => ends.get(needed));
      if (needs.includes('bad')) {
        waiting.delete(name);
        ends.set(name, 'bad');
        counts.skipped++;
        const because = dependencies.filter((needed) => ends.get(needed) === 'bad').slice(0, 1);
        events.push({
          at: now,
          type: 'target-skipped',
          target: name,
          because,
          text: `needs ${because.join()}`,
        });
      } else if (needs.every((end) => end === 'good') && (hit.has(name) || running.length < PLACES)) {
        waiting.delete(name);
        if (hit.has(name)) finish(name, 'hit', 0);
        else begin(name);
      }
    }
  };
  while (waiting.size > 0 || running.length > 0) {
    for (let before = -1; before !== waiting.size; ) {
      before = waiting.size;
      settle();
    }
    running.sort((a, b) => a.end - b.end);
    const [first] = running;
    if (first === undefined) break;
    running = running.slice(1);
    now = first.end;
    events.push({
      at: now,
      type: 'step-finished',
      target: first.name,
      step: 's',
      cached: false,
      error: null,
    });
    if (!failing.includes(first.name)) {
      finish(first.name, next() < 0.2 ? 'unchanged' : 'built', first.took);
      continue;
    }
    ends.set(first.name, 'bad');
    counts.failed++;
    events.push({
      at: now,
      type: 'target-failed',
      target: first.name,
      duration: first.took,
      reasons: [],
      failure: {
        kind: 'build',
        step: '[build 3/5] RUN make',
        exitCode: 2,
        file: 'packages/x/Containerfile',
        line: 12,
        cause,
        tail: [cause],
        logFile: `/state/logs/r/${first.name}.log`,
      },
    });
  }
  events.push({
    at: now + 5,
    type: 'run-finished',
    ok: counts.failed === 0,
    duration: now + 5,
    counts,
    interrupted: false,
  });
  return events;
}

/** A linear congruential generator (Numerical Recipes): the same run every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
