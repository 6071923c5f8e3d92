/**
 * One build: buildctl run to its end, its output read and kept, its end explained.
 *
 * Unaware of the graph, the store and retries. Exit status 0 does not mean right: what was exported is
 * verified elsewhere (BUILDKIT.md 4).
 */
import { mkdir, readFile, rename, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { ProblemError } from '@stx-make/core/errors';
import type { Failure } from '@stx-make/core/events';
import { isDigest } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import { type Exit, start } from '../process/index.ts';
import { parseAddress } from './address.ts';
import { ArchiveReader } from './archive.ts';
import { buildctlArguments, buildctlEnvironment, checkArguments, SOURCE_POLICY_TEXT } from './arguments.ts';
import { isFullDisk } from './disk.ts';
import { diagnose } from './failure.ts';
import { LogFile } from './log-file.ts';
import type { BuildRequest, BuildResult, Export, StepEvent } from './model.ts';
import { policyAllowing } from './policy.ts';
import { ProgressReader, type ProgressSummary } from './progress.ts';

export interface BuildOptions {
  /** As the user wrote it. */
  readonly address: string;
  /** Path of buildctl. */
  readonly buildctl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly export: Export;
  /** Written by `writeSourcePolicy`. */
  readonly policyFile: string;
  /** Appended to. */
  readonly logFile: string;
  /** Abort: cancels the build; nothing of it is left. */
  readonly signal: AbortSignal;
  readonly onStep: (step: StepEvent) => void;
  /** Called whenever buildctl says anything: the daemon lives. */
  readonly onSign?: (() => void) | undefined;
  /** The trace the build is part of, as W3C Trace Context writes it: its steps are known by it (usage.ts). */
  readonly trace?: string | undefined;
  /** BuildKit's root folder, where it is on this machine: a step that met a full disk looks like any that failed. */
  readonly daemonRoot?: string | null | undefined;
}

/** Writes the source policy that every build is given: deny all that is not local. Once a state folder; a run
 * beside us may be reading it. */
export async function writeSourcePolicy(path: string): Promise<void> {
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === SOURCE_POLICY_TEXT) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, SOURCE_POLICY_TEXT);
  await rename(draft, path);
}

/** Builds and exports. Never throws for what a build, buildctl or a daemon can do. In a failure, `file` is
 * `Containerfile`: which recipe's, the caller knows. */
export async function runBuild(request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
  const { flags } = parseAddress(options.address, options.env);
  if (options.signal.aborted) return { status: 'cancelled' };
  const policyFile = await policyFor(request, options);
  const into = options.export.kind === 'archive' ? 'stdout' : options.export;
  const args = buildctlArguments(request, { into, policyFile, connection: flags });
  const archive = options.export.kind === 'archive' ? new ArchiveReader(options.export) : null;
  const { exit, summary, unkept } = await follow(args, options, archive);
  if (exit.code === 0 && unkept === null) return await exported(options, archive);
  if (options.signal.aborted) return { status: 'cancelled' };
  if (unkept !== null) return notKept(unkept, options);
  if (exit.aborted) return { status: 'cancelled' };
  if (exit.startError !== null) {
    return failed(
      infrastructure(`${options.buildctl} could not be started: ${exit.startError.message}`),
      'no',
      options,
    );
  }
  const { failure, retry } = diagnose(summary, exit);
  if (failure.kind === 'build' && failure.exitCode !== null && (await isFull(options.daemonRoot ?? null))) {
    const hint = `The disk of ${options.daemonRoot} is full, which may be all that went wrong: free some space.`;
    return failed({ ...failure, kind: 'infrastructure', hint }, 'here', options);
  }
  return failed(failure, retry, options);
}

/** buildctl ended well: what it exported. */
async function exported(options: BuildOptions, archive: ArchiveReader | null): Promise<BuildResult> {
  try {
    const digest = archive === null ? await readMetadata(options.export) : archive.finish();
    if (digest !== null) return { status: 'exported', digest };
  } catch (error) {
    return notKept(error, options);
  }
  return failed(
    infrastructure('buildctl ended well but its metadata file names no image digest'),
    'here',
    options,
  );
}

/** What came was cut or damaged on its way, or there is no room for it: the first is worth another try. */
function notKept(error: unknown, options: BuildOptions): BuildResult {
  if (!(error instanceof ProblemError)) throw error;
  const [first] = error.problems;
  const { tag = 'environment', text = error.message, hint } = first ?? {};
  const failure = { ...infrastructure(text), ...(hint === undefined ? {} : { hint }) };
  return tag === 'integrity'
    ? failed({ ...failure, kind: 'integrity' }, 'here', options)
    : failed(failure, 'no', options);
}

/** What is taken from a registry is allowed for this build alone, by digest. */
async function policyFor(
  request: BuildRequest,
  { policyFile, export: place }: BuildOptions,
): Promise<string> {
  const images = request.dependencies.flatMap(({ image, digest }) =>
    image === undefined ? [] : [`${image}@${digest}`],
  );
  // Where dependencies come from a registry outputs go there, too, and nothing is printed.
  if (images.length === 0 || place.kind === 'archive') return policyFile;
  const own = join(place.folder, 'source-policy.json');
  await writeFile(own, policyAllowing(await readFile(policyFile, 'utf8'), images));
  return own;
}

async function isFull(folder: string | null): Promise<boolean> {
  const stat = folder === null ? null : await statfs(folder).catch(() => null);
  if (stat === null) return false;
  return isFullDisk({ free: stat.bavail * stat.bsize, total: stat.blocks * stat.bsize });
}

/** What BuildKit's own lint says of one Containerfile (upstream's `make check`); builds nothing. */
export interface CheckResult {
  readonly ok: boolean;
  /** BuildKit's text, as it prints it. */
  readonly text: string;
  readonly failure: Omit<Failure, 'logFile'> | null;
}

/** Runs BuildKit's lint. buildctl prints its findings only: a Containerfile that can not be read at all gives none
 * (core refuses it before). Never throws for what the daemon can do. */
export async function runCheck(
  request: BuildRequest,
  options: Omit<BuildOptions, 'export' | 'onStep'>,
): Promise<CheckResult> {
  const { flags } = parseAddress(options.address, options.env);
  const args = checkArguments(request, { policyFile: options.policyFile, connection: flags });
  const { exit, summary, printed } = await follow(args, { ...options, onStep: () => undefined }, null);
  const text = printed.trim();
  if (exit.code === 0) return { ok: !/^(WARNING|ERROR): /m.test(text), text, failure: null };
  return { ok: false, text, failure: diagnose(summary, exit).failure };
}

interface Followed {
  readonly exit: Exit;
  readonly summary: ProgressSummary;
  /** Stdout, at most 8 MiB: answers of subrequests. Empty where it was an archive. */
  readonly printed: string;
  /** Why the archive could not be taken in; null where it was. */
  readonly unkept: unknown;
}

const PRINTED_BYTES = 8 * 1024 * 1024;

/** Runs buildctl and reads it to its end, no faster than the log file and the pool take it. */
async function follow(
  args: readonly string[],
  options: Pick<BuildOptions, 'buildctl' | 'env' | 'signal' | 'logFile' | 'onStep' | 'onSign' | 'trace'>,
  archive: ArchiveReader | null,
): Promise<Followed> {
  const broken = new AbortController();
  const log = await LogFile.open(options.logFile);
  const reader = new ProgressReader({ log: (bytes) => log.add(bytes), onStep: options.onStep });
  const child = start(options.buildctl, args, {
    env: {
      ...buildctlEnvironment(options.env),
      ...(options.trace === undefined ? {} : { TRACEPARENT: options.trace }),
    },
    signal: AbortSignal.any([options.signal, broken.signal]),
    // buildctl would end with its terminal (appcontext listens to INT and TERM alone); a run does not.
    outlivesTerminal: true,
    diesWithUs: true,
  });
  let unkept: unknown = null;
  const taken =
    archive === null
      ? firstBytes(child.stdout)
      : takeArchive(child.stdout, archive, options.onSign).catch((error: unknown) => {
          unkept = error;
          broken.abort();
          return '';
        });
  await readAll(child.stderr, (chunk) => {
    options.onSign?.();
    reader.push(chunk);
    return log.flush();
  });
  const summary = reader.end();
  const [exit, printed] = await Promise.all([child.exit, taken]);
  await log.close();
  return { exit, summary, printed, unkept };
}

/** The first bytes of a stream, all of which is read. */
async function firstBytes(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await readAll(stream, (chunk) => {
    if (size < PRINTED_BYTES) chunks.push(chunk.subarray(0, PRINTED_BYTES - size));
    size += chunk.length;
  });
  return Buffer.concat(chunks).toString('utf8');
}

async function takeArchive(
  stream: Readable | null,
  archive: ArchiveReader,
  onSign: (() => void) | undefined,
): Promise<string> {
  try {
    await readAll(stream, (chunk) => {
      onSign?.();
      return archive.push(chunk);
    });
  } finally {
    await archive.close();
  }
  return '';
}

/** Reads to the end; a pipe that breaks with a killed child is an end, too. What `take` throws goes on. */
async function readAll(
  stream: Readable | null,
  take: (chunk: Buffer) => Promise<void> | void,
): Promise<void> {
  if (stream === null) return;
  let thrown: { readonly error: unknown } | null = null;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      try {
        await take(chunk);
      } catch (error) {
        thrown = { error };
        break;
      }
    }
  } catch {
    // Its exit tells the rest.
  }
  if (thrown !== null) throw thrown.error;
}

function failed(
  failure: Omit<Failure, 'logFile'>,
  retry: Extract<BuildResult, { status: 'failed' }>['retry'],
  options: BuildOptions,
): BuildResult {
  return { status: 'failed', failure: { ...failure, logFile: options.logFile }, retry };
}

function infrastructure(cause: string): Omit<Failure, 'logFile'> {
  return { kind: 'infrastructure', step: null, exitCode: null, file: null, line: null, cause, tail: [] };
}

async function readMetadata(place: Export): Promise<Digest | null> {
  if (place.kind === 'archive') return null;
  try {
    const value: unknown = JSON.parse(await readFile(place.metadataFile, 'utf8'));
    const digest =
      typeof value === 'object' && value !== null ? Reflect.get(value, 'containerimage.digest') : null;
    return isDigest(digest) ? digest : null;
  } catch {
    return null;
  }
}
