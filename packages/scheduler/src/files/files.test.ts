/** Durable writes, links and removals on a real file system. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemError } from '@stx-make/core/errors';
import { digestOf } from '@stx-make/core/oci/digest';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  copyExact,
  digestOfFile,
  fileProblem,
  forEachLimited,
  freeSpace,
  isTemporaryName,
  linkOrCopy,
  removeTemporaries,
  removeTree,
  temporaryBeside,
  withFileProblems,
  writeFileDurable,
} from './index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-files-'));
  return () => rmSync(folder, { recursive: true });
});

/** The error a system call really gives. */
function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('writing', () => {
  it('replaces the whole file and leaves nothing beside it', () => {
    const path = join(folder, 'f');
    writeFileSync(path, 'a longer text than the next');
    writeFileDurable(path, 'new', { mode: 0o444 });
    writeFileDurable(path, 'newer', { mode: 0o444, durable: false });
    expect(readFileSync(path, 'utf8')).toBe('newer');
    expect(statSync(path).mode & 0o777).toBe(0o444);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('does not write through a link', () => {
    writeFileSync(join(folder, 'other'), 'other');
    symlinkSync(join(folder, 'other'), join(folder, 'f'));
    writeFileDurable(join(folder, 'f'), 'new');
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('other');
    expect(lstatSync(join(folder, 'f')).isFile()).toBe(true);
  });

  it('leaves the old file and no temporary when it fails', () => {
    mkdirSync(join(folder, 'f'));
    expect(() => writeFileDurable(join(folder, 'f'), 'new')).toThrow(ProblemError);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('knows its temporaries, also those of long names', () => {
    const path = temporaryBeside(join(folder, 'n'.repeat(255)));
    writeFileSync(path, '');
    mkdirSync(join(folder, '.tmp-7-8-dir/deep'), { recursive: true });
    writeFileSync(join(folder, '.tmpfile'), 'mine');
    expect(removeTemporaries(folder)).toHaveLength(2);
    expect(readdirSync(folder)).toEqual(['.tmpfile']);
    expect(isTemporaryName('core-musl')).toBe(false);
  });
});

describe('links', () => {
  it('are links where they can be', () => {
    writeFileSync(join(folder, 'a'), 'x');
    expect(linkOrCopy(join(folder, 'a'), join(folder, 'b'))).toBe('link');
    expect(statSync(join(folder, 'b')).ino).toBe(statSync(join(folder, 'a')).ino);
    expect(() => linkOrCopy(join(folder, 'a'), join(folder, 'b'))).toThrow('EEXIST');
  });

  it('are exact copies across file systems', () => {
    const elsewhere = mkdtempSync('/dev/shm/stx-files-');
    try {
      const from = join(folder, 'a');
      writeFileSync(from, 'x', { mode: 0o444 });
      utimesSync(from, 1000, 1000);
      const to = join(elsewhere, 'b');
      // On a machine where both are one file system it is a link, as it should be.
      const expected = statSync(folder).dev === statSync(elsewhere).dev ? 'link' : 'copy';
      expect(linkOrCopy(from, to)).toBe(expected);
      expect(readFileSync(to, 'utf8')).toBe('x');
      expect(statSync(to)).toMatchObject({ mtimeMs: 1_000_000, mode: statSync(from).mode });
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('copies never share an inode', () => {
    writeFileSync(join(folder, 'a'), 'x', { mode: 0o640 });
    copyExact(join(folder, 'a'), join(folder, 'b'));
    expect(statSync(join(folder, 'b')).ino).not.toBe(statSync(join(folder, 'a')).ino);
    expect(statSync(join(folder, 'b')).mode & 0o777).toBe(0o640);
  });
});

describe('removing', () => {
  it('removes read-only trees and does not follow links', () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'closed'), { recursive: true });
    mkdirSync(join(folder, 'kept'));
    writeFileSync(join(folder, 'kept/f'), '');
    symlinkSync(join(folder, 'kept'), join(tree, 'closed/link'));
    chmodSync(join(tree, 'closed'), 0o500);
    removeTree(tree);
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
    expect(existsSync(join(folder, 'kept/f'))).toBe(true);
  });

  it.each(['/', '/tmp', 'relative/path', ''])('refuses %j', (path) => {
    expect(() => removeTree(path)).toThrow('refusing to remove');
  });
});

describe('problems', () => {
  it('says what to do when the disk is full', () => {
    const error = errorOf(() => writeFileSync('/dev/full', 'x'));
    expect(fileProblem(error, 'write the record', '/x')).toMatchObject({
      code: 'no-space',
      tag: 'environment',
      file: '/x',
    });
  });

  it('passes on what is no fault of the machine', () => {
    const bug = new TypeError('bug');
    expect(
      errorOf(() =>
        withFileProblems('try', '/x', () => {
          throw bug;
        }),
      ),
    ).toBe(bug);
  });

  it('measures free space', () => {
    const { free, total } = freeSpace(folder);
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(free);
    expect(() => freeSpace(join(folder, 'none'))).toThrow(ProblemError);
  });
});

describe('bounded parallelism', () => {
  it('never runs more than the limit, and everything once', async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      seen.push(item);
      running -= 1;
    });
    expect(most).toBe(3);
    expect(seen.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('starts nothing after a failure and waits for what runs', async () => {
    const finished: number[] = [];
    const run = forEachLimited([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new Error('one');
      await Promise.resolve();
      finished.push(item);
    });
    await expect(run).rejects.toThrow('one');
    expect(finished).toEqual([2]);
  });
});

describe('digestOfFile', () => {
  it('hashes files of any size', () => {
    const path = join(folder, 'f');
    for (const size of [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000]) {
      const bytes = Buffer.alloc(size, 'abc');
      writeFileSync(path, bytes);
      expect(digestOfFile(path, size)).toBe(digestOf(bytes));
    }
  });
});
