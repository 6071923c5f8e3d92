/**
 * A fingerprint is of the tree alone: neither locale, time zone, umask, working folder, nor the order in which folders
 * are listed or files were made have a part in it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Disk } from './disk.ts';
import { randomModel } from './edits.ts';
import type { Model } from './model.ts';
import { Random } from './random.ts';
import { memoryFolder } from './world.ts';

const FINGERPRINTS = fileURLToPath(new URL('./fingerprints.ts', import.meta.url));

interface Circumstances {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly umask: string;
  readonly reversed: boolean;
  readonly cwd: 'root' | 'elsewhere';
}

const USUAL: Circumstances = {
  name: 'usual',
  env: { LC_ALL: 'C', TZ: 'UTC' },
  umask: '022',
  reversed: false,
  cwd: 'root',
};

const MODEL = randomModel(new Random(7), 12);
let folder = '';
let usual: ReturnType<typeof fingerprintsIn> = [];

beforeAll(() => {
  folder = memoryFolder('stx-environment-');
  usual = fingerprintsIn(USUAL, MODEL);
  expect(usual.length).toBeGreaterThan(8);
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a process says that is in these circumstances, of a clone that was made in them. */
function fingerprintsIn({ name, env, umask, reversed, cwd }: Circumstances, model: Model) {
  const root = join(folder, name);
  const state = join(folder, `${name}-state`);
  const before = process.umask(Number.parseInt(umask, 8));
  try {
    const made = reversed ? new Map([...model].reverse()) : model;
    new Disk(root, join(state, 'sources', 'sha256')).write(made, { replace: 'in place', times: 'now' });
  } finally {
    process.umask(before);
  }
  const text = execFileSync(
    'sh',
    ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, FINGERPRINTS, root, state],
    {
      cwd: cwd === 'root' ? root : '/',
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    },
  );
  return JSON.parse(text) as readonly [target: string, fingerprint: string][];
}

test.each<Partial<Circumstances> & { readonly name: string }>([
  // Where i has no dot, and where z comes before t.
  { name: 'Turkish', env: { LC_ALL: 'tr_TR.UTF-8', TZ: 'UTC' } },
  { name: 'Estonian', env: { LC_ALL: 'et_EE.UTF-8', TZ: 'UTC' } },
  { name: 'Kathmandu', env: { LC_ALL: 'C', TZ: 'Asia/Kathmandu' } },
  { name: 'private', umask: '077' },
  { name: 'open', umask: '000' },
  { name: 'backwards', reversed: true },
  { name: 'away', cwd: 'elsewhere' },
])('the same in other circumstances: $name', { timeout: 60_000 }, (other) => {
  expect(fingerprintsIn({ ...USUAL, ...other }, MODEL)).toEqual(usual);
});

test('and another one where the tree is another', { timeout: 60_000 }, () => {
  expect(fingerprintsIn({ ...USUAL, name: 'other' }, randomModel(new Random(8), 12))).not.toEqual(usual);
});
