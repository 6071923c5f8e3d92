/**
 * A disk that is full or read-only under the state folder or the outputs, a state folder of a newer stx-make, another
 * run that holds the lock: the command line says what is wrong and what to do, exits with the code for it, leaves
 * nothing behind, and goes on as soon as it can. Real file systems, real BuildKit. Needs root.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { takeLock } from '../../../packages/scheduler/src/state/lock.ts';
import { documentOf, type RunDocument, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';
import { writeRecipes } from '../../rig/tree.ts';
import { litterOf } from './kill-world.ts';
import { layoutFaults } from './world.ts';

const MIB = 1024 * 1024;

interface Failed {
  readonly errors: readonly {
    readonly code: string;
    readonly tag: string;
    readonly text: string;
    readonly hint?: string;
  }[];
}

let folder: string;
let root: string;
let daemon: TestDaemon;
let cases = 0;
/** A file system of its own, mounted. */
let disk: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-full-'));
  root = join(folder, 'tree');
  // Incompressible, so that the output is as large.
  const recipe = { Containerfile: 'FROM scratch AS package\nCOPY big /big\n' };
  writeRecipes(root, {
    'core/big': recipe,
    'core/small': 'FROM scratch AS package\nCOPY --from=stagex/core-big . /\n',
  });
  writeFileSync(join(root, 'packages/core/big/big'), randomBytes(2 * MIB));
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  cases += 1;
  disk = join(folder, `disk-${cases}`);
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
  return () => execFileSync('umount', [disk]);
});

const here = (state: string) => ({ cwd: root, state });
const world = (state: string, out: string, ...args: string[]) =>
  stx(['world', '--json', '--worker', daemon.address, '--out', out, ...args], here(state));

/** Leaves so many bytes. */
function fillUpTo(left: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - left)));
}

/** It ended well, all of it is right, nothing is left. */
async function goesOn(state: string, out: string): Promise<void> {
  const finished = await world(state, out);
  expect(`${finished.code} ${finished.code === 0 ? '' : finished.stdout}`).toBe('0 ');
  for (const { name, digest } of documentOf<RunDocument>(finished).targets) {
    expect(layoutFaults(join(out, name), digest)).toEqual([]);
  }
  expect(litterOf(state, out)).toEqual([]);
}

test.each([
  ['the state', 'state', 900_000],
  ['the state, to the last byte', 'state', 0],
  ['the outputs', 'out', 900_000],
])('full under %s: exit 3 and what to do; with room again it goes on', async (_, what, left) => {
  const state = join(what === 'state' ? disk : folder, `state-${cases}`);
  const out = join(what === 'out' ? disk : folder, `out-${cases}`);
  mkdirSync(state);
  fillUpTo(left);
  const finished = await world(state, out);
  const { errors } = documentOf<Failed>(finished);
  expect(`${finished.code} ${JSON.stringify(errors)}`).toMatch(/^3 .*(no.space|full)/i);
  for (const { tag, hint } of errors) expect([tag, typeof hint]).toEqual(['environment', 'string']);
  rmSync(join(disk, 'filler'));
  await goesOn(state, out);
});

test('read-only under a state that has all: reading goes on, a run says so with exit 3', async () => {
  const state = join(disk, 'state');
  const out = join(folder, `out-${cases}`);
  await goesOn(state, out);
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const graph = await stx(['graph', '--format', 'json'], here(state));
  expect(graph.code).toBe(0);
  const finished = await world(state, out);
  const { errors } = documentOf<Failed>(finished);
  expect(`${finished.code} ${JSON.stringify(errors)}`).toMatch(/^3 .*writable/);
  expect(errors[0]?.hint).toContain('--state');
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  await goesOn(state, out);
});

test('a state of a newer format: exit 2, what to do, and not a byte of it is touched', async () => {
  const state = join(disk, 'state');
  const out = join(folder, `out-${cases}`);
  await goesOn(state, out);
  const path = join(state, 'state.db');
  const database = new DatabaseSync(path);
  // Nor the way in which it is written.
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 77');
  database.close();
  const before = sumOf(state);
  for (const args of [['world', '--worker', daemon.address], ['plan'], ['gc']]) {
    const finished = await stx([...args, '--json'], here(state));
    const { errors } = documentOf<Failed>(finished);
    expect([finished.code, errors.map(({ code }) => code)]).toEqual([2, ['state-newer']]);
    expect(errors[0]?.hint).toContain('newer stx-make');
  }
  expect(sumOf(state)).toBe(before);
});

/** Of every file's name and bytes. */
function sumOf(state: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(state, name);
    hash.update(`${name}\0`);
    try {
      hash.update(readFileSync(path));
    } catch {
      // A folder.
    }
  }
  return hash.digest('hex');
}

test('another run on the same tree with another state: --no-wait exits 3 and names it', async () => {
  const out = join(folder, `out-${cases}`);
  const lock = await takeLock(join(out, '.stx-make.lock'), 'the tree', {
    wait: false,
    holder: { pid: process.pid, command: 'other world', since: 'then' },
    onWait: () => {},
    signal: new AbortController().signal,
  });
  const finished = await world(join(disk, 'state'), out, '--no-wait');
  const { errors } = documentOf<Failed>(finished);
  expect([finished.code, errors.map(({ code }) => code)]).toEqual([3, ['locked']]);
  expect(errors[0]?.text).toContain('other world');
  lock.release();
  await goesOn(join(disk, 'state'), out);
});
