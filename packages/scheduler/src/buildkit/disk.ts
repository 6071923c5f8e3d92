/**
 * How much room a worker's disk has, wherever it is: asked of a step that runs there, because BuildKit does not tell.
 *
 * A step's root lies on the disk of BuildKit's root folder, whatever the snapshotter. Unaware of who wants to know.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { buildctlEnvironment } from './arguments.ts';
import { diskProbe } from './elf-disk.ts';

export interface DiskFacts {
  /** Bytes. */
  readonly free: number;
  readonly total: number;
}

export interface DiskOptions {
  readonly address: string;
  readonly buildctl: string;
  readonly env: NodeJS.ProcessEnv;
  /** What is made in it is removed again. */
  readonly work: string;
  readonly signal: AbortSignal;
}

const ANSWER_MS = 20_000;

/** A disk that is so full that not even the question can be asked. */
const FULL: DiskFacts = { free: 0, total: 0 };

/** Below this, and below 1 % of the disk, it counts as full. The failed step's own files are going away already. */
const FULL_BYTES = 256 * 1024 * 1024;
/** A worker that was full is trusted again from here on, or from 5 % of its disk. */
const ROOM_BYTES = 1024 ** 3;

export function isFullDisk({ free, total }: DiskFacts): boolean {
  return free < Math.min(FULL_BYTES, total / 100) || free === 0;
}

/** Enough to begin builds there again. */
export function hasRoom({ free, total }: DiskFacts): boolean {
  return free > 0 && free >= Math.min(ROOM_BYTES, total / 20);
}

/** Null where it can not be told: another architecture, no answer. Linux on amd64 alone. About 0.2 s. */
export async function diskOf(options: DiskOptions): Promise<DiskFacts | null> {
  mkdirSync(options.work, { recursive: true });
  const folder = mkdtempSync(join(options.work, 'disk-'));
  try {
    const context = join(folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'stx-make-disk'), diskProbe(), { mode: 0o755 });
    writeFileSync(
      join(context, 'Containerfile'),
      'FROM scratch\nCOPY --chmod=755 stx-make-disk /disk\nRUN --network=none ["/disk"]\n',
    );
    const { flags } = parseAddress(options.address, options.env);
    const args = [
      ...['build', '--progress', 'plain', '--no-cache', '--frontend', 'dockerfile.v0'],
      ...['--opt', 'filename=Containerfile', '--opt', 'cmdline=', '--opt', 'platform=linux/amd64'],
      ...['--local', `context=${context}`, '--local', `dockerfile=${context}`],
    ];
    const answer = await capture(options.buildctl, [...flags, ...args], {
      env: buildctlEnvironment(options.env),
      signal: options.signal,
      timeoutMs: ANSWER_MS,
    });
    if (answer.code === 0) return readDisk(answer.stderr);
    return /no space left on device|ResourceExhausted|disk quota exceeded/i.test(answer.stderr) ? FULL : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of what the step printed: the first 40 bytes of the kernel's statfs, in hex. */
export function readDisk(text: string): DiskFacts | null {
  const found = /\b[0-9a-f]{80}\b/.exec(text);
  if (found === null) return null;
  const bytes = Buffer.from(found[0], 'hex');
  const word = (index: number): number => Number(bytes.readBigUInt64LE(8 * index));
  // f_type, f_bsize, f_blocks, f_bfree, f_bavail
  return { free: word(4) * word(1), total: word(2) * word(1) };
}
