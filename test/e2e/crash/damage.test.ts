/**
 * A state folder damaged in every way between two runs of a small world: the next run ends with the right digests and
 * every byte of out/ right, or says what is wrong and then the one after it does. Never a wrong output, no litter.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Problem, ProblemError } from '../../../packages/core/src/errors.ts';
import { Random } from '../../property/random.ts';
import { memoryFolder } from '../../property/world.ts';
import { fitStamps } from './stamps.ts';
import { CrashWorld, digestsOf, TARGETS } from './world.ts';

const PAGE = 4096;

let home: string;
/** Done and at rest; copied for each case. */
let pristine: string;
/** The database and its WAL as a killed run leaves them. */
let killed: string;
let right: ReadonlyMap<string, string | null>;
let cases = 0;

beforeAll(async () => {
  home = memoryFolder('stx-damage-');
  pristine = join(home, 'pristine');
  killed = join(home, 'killed');
  const world = new CrashWorld(pristine);
  world.writeTree();
  let ends = 0;
  const summary = await world.run(() => {
    ends += 1;
    if (ends < TARGETS) return;
    mkdirSync(killed);
    for (const name of ['state.db', 'state.db-wal'])
      copyFileSync(join(world.state, name), join(killed, name));
  });
  right = digestsOf(summary);
  expect(summary.counts.built).toBe(TARGETS);
  await world.run();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

let world: CrashWorld;
beforeEach(() => renew());

function renew(): void {
  rmSync(join(home, `case-${cases}`), { recursive: true, force: true });
  cases += 1;
  const folder = join(home, `case-${cases}`);
  cpSync(pristine, folder, { recursive: true, preserveTimestamps: true });
  world = new CrashWorld(folder);
  // As if it were the same files: what changes must be noticed by its stat.
  fitStamps(world.state);
}

/** Runs until it is done, at most twice: what went wrong on the way must be said as what it is. */
async function goesOn(): Promise<string[]> {
  const faults: string[] = [];
  for (const last of [false, true]) {
    try {
      const summary = await world.run();
      if (!last && !summary.ok && isSaid(summary.problems)) continue;
      const digests = digestsOf(summary);
      for (const [target, digest] of right) {
        if (digests.get(target) !== digest) faults.push(`${target} is ${digests.get(target)}, not ${digest}`);
      }
      if (!summary.ok) faults.push(`not ok: ${JSON.stringify(summary.problems)}`);
      faults.push(...world.faults(right));
      break;
    } catch (error) {
      if (!last && error instanceof ProblemError && isSaid(error.problems)) continue;
      return [...faults, String(error instanceof Error ? error.stack : error)];
    }
  }
  const again = await world.run();
  if (again.counts.hit !== TARGETS) faults.push(`one more run: ${JSON.stringify(again.counts)}`);
  return faults;
}

/** Found in the middle of a run, which can not go on then. */
function isSaid(problems: readonly Problem[]): boolean {
  return problems.every(
    ({ tag, hint }) => tag === 'environment' && hint?.includes('Run the command again') === true,
  );
}

describe('the database', () => {
  const atRest = (): void => {};
  /** With all of the last run still in the WAL. */
  const cutOff = (): void => {
    for (const name of ['state.db', 'state.db-wal'])
      copyFileSync(join(killed, name), join(world.state, name));
  };

  test.each([
    ['the database', 'state.db', atRest],
    ['the WAL', 'state.db-wal', cutOff],
    ['the database below a WAL', 'state.db', cutOff],
  ])('%s truncated anywhere', async (_, name, prepare) => {
    const size = readFileSync(join(prepare === atRest ? join(pristine, 'state') : killed, name)).length;
    const wrong: string[] = [];
    // Beside every page's and frame's boundary, in headers, and between.
    const places = new Set([0, 1, 16, 50, 99, 100, 101, size - 1]);
    for (let at = PAGE; at < size; at += PAGE) for (const off of [-1, 0, 1, 24]) places.add(at + off);
    const all = [...places].filter((at) => at < size);
    const step = Math.max(1, Math.floor(all.length / 20));
    for (const at of all.filter((_place, index) => index % step === 0)) {
      renew();
      prepare();
      truncateSync(join(world.state, name), at);
      wrong.push(...(await goesOn()).map((fault) => `cut at ${at}: ${fault}`));
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    ['the database', 'state.db', atRest, 60],
    ['the WAL', 'state.db-wal', cutOff, 30],
  ])('%s with bytes changed anywhere', async (_, name, prepare, count) => {
    const random = new Random(7);
    const wrong: string[] = [];
    for (let number = 0; number < count; number += 1) {
      renew();
      prepare();
      const path = join(world.state, name);
      const bytes = readFileSync(path);
      const at = random.below(bytes.length);
      const length = random.pick([1, 1, 16, PAGE]);
      const what = random.pick(['digit', 'zeros', 'noise']);
      for (let place = at; place < Math.min(at + length, bytes.length); place += 1) {
        const byte = what === 'zeros' ? 0 : what === 'noise' ? random.below(256) : (bytes[place] ?? 0) ^ 1;
        bytes[place] = byte;
      }
      writeFileSync(path, bytes);
      wrong.push(...(await goesOn()).map((fault) => `${length} bytes of ${what} at ${at}: ${fault}`));
    }
    expect(wrong).toEqual([]);
  });
});

describe('blobs', () => {
  const blobs = (): string => join(world.state, 'pool/blobs/sha256');
  const elsewhere = (): string => join(world.state, '..', 'elsewhere');

  test.each<[string, (path: string) => void]>([
    [
      'corrupted',
      (path) =>
        execFileSync('sh', ['-c', 'chmod u+w "$0"; printf X | dd of="$0" conv=notrunc status=none', path]),
    ],
    ['longer', (path) => execFileSync('sh', ['-c', 'chmod u+w "$0"; printf X >> "$0"', path])],
    ['truncated', (path) => truncateSync(path, 10)],
    ['empty', (path) => truncateSync(path, 0)],
    ['missing', unlinkSync],
    [
      'a link to its own content',
      (path) => {
        copyFileSync(path, elsewhere());
        unlinkSync(path);
        symlinkSync(elsewhere(), path);
      },
    ],
    [
      'a link to nothing',
      (path) => {
        unlinkSync(path);
        symlinkSync('/nowhere', path);
      },
    ],
    [
      'a link to itself',
      (path) => {
        unlinkSync(path);
        symlinkSync(path, path);
      },
    ],
    [
      'a folder',
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
        writeFileSync(join(path, 'f'), 'f');
      },
    ],
    [
      'a pipe',
      (path) => {
        unlinkSync(path);
        execFileSync('mkfifo', [path]);
      },
    ],
  ])('%s: built again, not used', async (_, damage) => {
    // Every third: index, manifest, config and layer are among them.
    for (const name of readdirSync(blobs()).filter((_name, index) => index % 3 === 0)) {
      renew();
      damage(join(blobs(), name));
      const before = existsSync(elsewhere()) ? readFileSync(elsewhere()) : null;
      expect(await goesOn()).toEqual([]);
      if (before !== null) expect(readFileSync(elsewhere()).equals(before)).toBe(true);
    }
  });
});

test('files and folders of others in the state folder: left alone', async () => {
  const places = [
    '',
    'pool',
    'pool/blobs',
    'pool/blobs/sha256',
    'sources',
    'sources/sha256',
    'logs',
    'locks',
  ];
  const made = places.flatMap((place) => {
    const folder = join(world.state, place, 'of-others');
    mkdirSync(folder, { recursive: true });
    const file = join(world.state, place, 'notes.txt');
    for (const path of [join(folder, 'f'), file]) writeFileSync(path, 'mine');
    return [join(folder, 'f'), file];
  });
  writeFileSync(world.edited, 'two\n');
  const summary = await world.run();
  expect(summary.ok && summary.counts.built + summary.counts.unchanged).toBeGreaterThan(0);
  for (const path of made) expect(readFileSync(path, 'utf8')).toBe('mine');
});

test('a clock that goes backwards, and forwards again', async () => {
  const YEAR = 365 * 24 * 3600 * 1000;
  const now = Date.now;
  const results: unknown[] = [];
  try {
    for (const [text, shift] of [
      ['one\n', -YEAR],
      ['two\n', -YEAR],
      ['one\n', -2 * YEAR],
      ['two\n', YEAR],
      ['one\n', 0],
    ] as const) {
      Date.now = () => now() + shift;
      if (readFileSync(world.edited, 'utf8') !== text) writeFileSync(world.edited, text);
      const { counts } = await world.run();
      const digests = digestsOf(await world.run());
      results.push([
        counts.hit,
        counts.built,
        text === 'two\n' || digests.get('core-a') === right.get('core-a'),
      ]);
      expect(world.faults(digests)).toEqual([]);
    }
  } finally {
    Date.now = now;
  }
  // Only what was never built is: a, c and d of the edited tree.
  expect(results).toEqual([
    [TARGETS, 0, true],
    [1, 3, true],
    [TARGETS, 0, true],
    [TARGETS, 0, true],
    [TARGETS, 0, true],
  ]);
});
