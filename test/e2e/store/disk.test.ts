/** A disk that is full, read-only or another one than the pool's: real file systems, mounted for the test. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { ProblemError } from '../../../packages/core/src/errors.ts';
import { stageContext } from '../../../packages/scheduler/src/context/index.ts';
import { writeFileDurable } from '../../../packages/scheduler/src/files/index.ts';
import {
  isPublished,
  memoryLedger,
  openPool,
  publishOutput,
} from '../../../packages/scheduler/src/store/index.ts';
import { outputIn } from '../../rig/outputs.ts';

let folder: string;
let disk: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-disk-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk]);
  return () => {
    execFileSync('umount', [disk]);
    rmSync(folder, { recursive: true });
  };
});

function codesOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.problems.map(({ tag, code }) => `${tag} ${code}`);
    throw error;
  }
  return [];
}

/** Fills the disk to the last byte. */
function fillDisk(): void {
  try {
    writeFileSync(join(disk, 'filler'), 'x'.repeat(1024 * 1024));
  } catch {
    // That is the point.
  }
}

it('full: the old file stays, nothing is left, and it is said what to do', async () => {
  const path = join(disk, 'record');
  writeFileSync(path, 'old');
  fillDisk();
  expect(codesOf(() => writeFileDurable(path, 'x'.repeat(10_000)))).toEqual(['environment no-space']);
  expect(readFileSync(path, 'utf8')).toBe('old');
  const recipe = join(folder, 'recipe');
  mkdirSync(recipe);
  writeFileSync(join(recipe, 'f'), 'x'.repeat(10_000));
  const request = { recipe, files: [{ path: 'f' }], sources: [], destination: join(disk, 'work', 'context') };
  expect(codesOf(() => stageContext(request))).toEqual(['environment no-space']);
  const pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  const output = await outputIn(pool, [{ path: 'f', content: 'f' }]);
  const name = { name: 'core-x', tag: 'stagex/core-x:1' };
  expect(codesOf(() => publishOutput(pool, output, disk, name))).toEqual(['environment no-space']);
  expect(readdirSync(disk).sort()).toEqual(['filler', 'record', 'work']);
  expect(readdirSync(join(disk, 'work'))).toEqual([]);
  // With room again the same call works, by copies: it is another file system.
  rmSync(join(disk, 'filler'));
  publishOutput(pool, output, disk, name);
  expect(isPublished(pool, output, disk, name)).toBe(true);
});

it('read-only: said as such', () => {
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  expect(codesOf(() => writeFileDurable(join(disk, 'f'), 'x'))).toEqual(['environment read-only']);
  expect(codesOf(() => openPool({ pool: join(disk, 'pool') }, memoryLedger()))).toEqual([
    'environment read-only',
  ]);
});

it('another one for the work folder than for the pool: refused, BuildKit could not rename', () => {
  const pool = openPool({ pool: join(folder, 'pool') }, memoryLedger());
  expect(codesOf(() => pool.makeExportDir(join(disk, 'work'), 'x'))).toEqual([
    'environment other-file-system',
  ]);
});
