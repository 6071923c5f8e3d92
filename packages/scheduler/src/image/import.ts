/**
 * `import`: loads outputs into the container engine of this machine, under the names that upstream's Makefile gives
 * them: `stagex/<target>:<version>` and `:local`.
 *
 * The engine is whichever answers first; a client whose daemon does not answer is passed over.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import { layoutIndex, MEDIA, OCI_LAYOUT } from '@stx-make/core/oci/index';
import type { Session } from '../api.ts';
import { readLayoutDocument, readLayoutTop } from '../digests/layout.ts';
import { capture, findProgram, start } from '../process/index.ts';
import { layoutOf } from './content.ts';
import {
  CLIENT,
  ENGINES,
  type EngineCall,
  type EngineName,
  loadCalls,
  localTag,
  pingCall,
} from './engines.ts';

export interface ImportRequest {
  /** Target names. */
  readonly targets: readonly string[];
  /** Null: the first that answers. */
  readonly into: EngineName | null;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onImported: (target: string, tags: readonly string[]) => void;
}

export interface ImportReport {
  readonly engine: EngineName;
  readonly targets: readonly { readonly name: string; readonly tags: readonly string[] }[];
}

/** An engine that does not answer within this is none, ms. */
const PING_MS = 10_000;

/** @throws ProblemError `no-output` (build), `no-engine`, `import-failed` (environment), integrity */
export async function importImages(session: Session, request: ImportRequest): Promise<ImportReport> {
  // All of them first: an image that is not there must not leave half of the list imported.
  const layouts = request.targets.map((name) => {
    const target = session.tree.graph.targets.get(name);
    if (target === undefined) throw new Error(`${name} is no target`);
    return { target, folder: layoutOf(session, name) };
  });
  const engine = await findEngine(request);
  const done: { readonly name: string; readonly tags: readonly string[] }[] = [];
  for (const { target, folder } of layouts) {
    await importOne(engine, target, folder, request);
    const tags = [target.tag, localTag(target.tag)];
    request.onImported(target.name, tags);
    done.push({ name: target.name, tags });
  }
  return { engine: engine.name, targets: done };
}

interface Engine {
  readonly name: EngineName;
  readonly client: string;
}

async function findEngine({ into, env, signal }: ImportRequest): Promise<Engine> {
  const said: string[] = [];
  for (const name of into === null ? ENGINES : [into]) {
    const client = findProgram(CLIENT[name], env);
    if (client === null) {
      said.push(`${CLIENT[name]} is not installed`);
      continue;
    }
    const answer = await capture(client, pingCall(name), { env, signal, timeoutMs: PING_MS });
    signal.throwIfAborted();
    if (answer.code === 0) return { name, client };
    const why = answer.timedOut ? 'it does not answer' : lastLine(answer.stderr) || `exit ${answer.code}`;
    said.push(`${CLIENT[name]}: ${why}`);
  }
  throw new ProblemError(
    environmentProblem({
      code: 'no-engine',
      text: `There is no container engine to import into: ${said.join('; ')}.`,
      hint: 'Start docker or containerd, or install podman; DOCKER_HOST, CONTAINERD_ADDRESS and the like name another one. skopeo reads out/<target> as it is: skopeo copy oci:out/TARGET ...',
    }),
  );
}

async function importOne(
  engine: Engine,
  target: GraphTarget,
  folder: string,
  { env, signal }: ImportRequest,
): Promise<void> {
  const [platform = 'linux/amd64'] = target.platforms;
  const names = mkdtempSync(join(tmpdir(), 'stx-import-'));
  try {
    writeNames(names, folder, target);
    for (const call of loadCalls(engine.name, target.tag, platform)) {
      signal.throwIfAborted();
      const failure = await runCall(engine, call, { names, folder }, env, signal);
      if (failure !== null) throw new ProblemError(failed(engine, target.name, call, failure));
    }
  } finally {
    rmSync(names, { recursive: true, force: true });
  }
}

/** The layout's top files with our name for the image: one that make left may be called otherwise. */
function writeNames(names: string, folder: string, target: GraphTarget): void {
  const top = readLayoutTop(folder);
  const [first] = top?.manifests ?? [];
  if (first === undefined) throw new Error(`${folder} was a layout a moment ago`);
  const index = top?.index ?? null;
  const descriptor =
    index === null
      ? first
      : { mediaType: MEDIA.index, digest: index, size: readLayoutDocument(folder, index).length };
  writeFileSync(join(names, 'oci-layout'), OCI_LAYOUT);
  writeFileSync(join(names, 'index.json'), layoutIndex(descriptor, target.tag));
}

/** Null when it went well, else what was said. */
async function runCall(
  { client }: Engine,
  { args, archive }: EngineCall,
  { names, folder }: { readonly names: string; readonly folder: string },
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | null> {
  if (!archive) {
    const ended = await capture(client, args, { env, signal });
    signal.throwIfAborted();
    return ended.code === 0 ? null : lastLine(ended.stderr) || `exit ${ended.code}`;
  }
  const tar = findProgram('tar', env);
  if (tar === null) return 'there is no program tar in PATH';
  const packing = start(tar, ['-cf', '-', '-C', names, 'oci-layout', 'index.json', '-C', folder, 'blobs'], {
    env,
    signal,
  });
  const [ended, packed, problem] = await Promise.all([
    capture(client, args, { env, signal, input: packing.stdout ?? '' }),
    packing.exit,
    tailOf(packing.stderr),
  ]);
  signal.throwIfAborted();
  if (ended.code !== 0) return lastLine(ended.stderr) || `exit ${ended.code}`;
  return packed.code === 0 ? null : `tar: ${problem || `exit ${packed.code}`}`;
}

async function tailOf(stream: Readable | null): Promise<string> {
  let text = '';
  for await (const piece of (stream ?? []) as AsyncIterable<Buffer>)
    text = `${text}${piece.toString()}`.slice(-4096);
  return lastLine(text);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}

function failed(engine: Engine, target: string, call: EngineCall, why: string): Problem {
  return environmentProblem({
    code: 'import-failed',
    text: `${CLIENT[engine.name]} ${call.args.slice(0, 2).join(' ')} failed for ${target}: ${why}`,
    hint: 'Another engine can be named with --into.',
  });
}
