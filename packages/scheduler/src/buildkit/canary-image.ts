/**
 * The canary: a fixed small image whose layer tells one gzip encoder from another, and one step's view from
 * another's (BUILDKIT.md 1 and 4). Everything in it is made here from constants; changing a byte changes the
 * known digests below.
 */
import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stepProbe } from './elf.ts';

/** Determined with BuildKit v0.32.2 compiled by Go 1.26, which gives StageX's published digests. */
export const KNOWN = {
  /** sha256 of the compressed layer: another one with the same diff id is another encoder. */
  layer: 'sha256:f5109d1e6d3a7d67e27ebb7f487d69a728607853494e5fd9d14b762184bf053b',
  /** sha256 of the layer's tar: another one means that BuildKit writes other files or headers. */
  diffId: 'sha256:a5eb3949c1304ae5dea679350bca847afaa2f1c2a65bc8835b97cfbd8fe84b42',
} as const;

/** A fixed time well in the past, seconds: a context's files are told apart by name, size and mtime alone
 * (BUILDKIT.md 3), so that the canary's must never change without another size or time. */
const MTIME = 77_000_001;

/** xorshift32: the same numbers everywhere, for ever. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/** Kinds of content on which encoders take different decisions: prose-like words (lazy matching), tables with
 * near repeats (match lengths and distances), long runs, noise (stored blocks), a far repeat at the edge of
 * the window. About 80 KB. */
function contents(): Map<string, Buffer> {
  const random = numbers(0x5354_4158);
  const next = (limit: number) => random.next().value % limit;
  const words = Array.from({ length: 400 }, () =>
    Array.from({ length: 2 + next(8) }, () => String.fromCharCode(97 + next(26))).join(''),
  );
  const prose: string[] = [];
  for (let count = 0; count < 4_000; count += 1) {
    // Squared, so that few words are common and many are rare.
    prose.push(words[Math.floor(next(400) ** 2 / 400)] ?? '', next(12) === 0 ? '.\n' : ' ');
  }
  const table: string[] = [];
  for (let row = 0; row < 500; row += 1)
    table.push(`${row}\t0x${((row * 2_654_435_761) % 2 ** 32).toString(16)}\t${row % 7}\n`);
  const noise = Buffer.from(Array.from({ length: 12_000 }, () => next(256)));
  const runs = Buffer.concat([Buffer.alloc(9_000), Buffer.alloc(3_000, 'ab'), Buffer.alloc(700, 'xyz')]);
  return new Map([
    ['prose.txt', Buffer.from(prose.join(''))],
    ['table.tsv', Buffer.from(table.join(''))],
    ['noise.bin', noise],
    ['runs.bin', runs],
    [
      'far.bin',
      Buffer.concat([
        noise.subarray(0, 500),
        runs,
        Buffer.from(prose.join('').slice(0, 20_000)),
        noise.subarray(0, 500),
      ]),
    ],
  ]);
}

/** The folder in the context that is copied whole. */
const TREE = 'stx-make-canary';

/** With `probe`, also a step that looks around (linux/amd64 only). */
export function canaryContainerfile(probe: boolean): string {
  const lines = ['FROM scratch', `COPY ${TREE}/ /`];
  if (probe) lines.push('COPY stx-make-probe /probe', 'RUN --network=none ["/probe"]');
  return `${lines.join('\n')}\n`;
}

/** Writes the canary's context into an empty folder. */
export function writeCanary(folder: string, probe: boolean): void {
  const tree = join(folder, TREE);
  mkdirSync(join(tree, 'deep', 'er'), { recursive: true });
  const stamped: string[] = [];
  const write = (path: string, bytes: Buffer | string, mode: number) => {
    writeFileSync(path, bytes);
    // Not by the mode of writeFile, which the umask cuts.
    chmodSync(path, mode);
    stamped.push(path);
  };
  for (const [name, bytes] of contents()) write(join(tree, name), bytes, 0o644);
  write(join(tree, 'deep', 'er', 'tool'), '#!/bin/false\n', 0o755);
  symlinkSync('deep/er/tool', join(tree, 'link'));
  write(join(folder, 'Containerfile'), canaryContainerfile(probe), 0o644);
  if (probe) write(join(folder, 'stx-make-probe'), stepProbe(), 0o755);
  for (const path of [join(tree, 'deep', 'er'), join(tree, 'deep'), tree]) {
    chmodSync(path, 0o755);
    stamped.push(path);
  }
  lutimesSync(join(tree, 'link'), MTIME, MTIME);
  for (const path of stamped) utimesSync(path, MTIME, MTIME);
}
