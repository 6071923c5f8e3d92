/**
 * The real world behind the conductor's ports: BuildKit workers, the store, the records, the tree on disk.
 */
import { join } from 'node:path';
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import { engineKey } from '../plan/engine-key.ts';
import { judge } from '../plan/evaluate.ts';
import { atOneMoment, evaluateContext } from '../plan/plan.ts';
import type { BuildRecord } from '../state/records.ts';
import { explainOutputs, isPublished, type Pool, publishOutput } from '../store/index.ts';
import { type AttemptTools, attemptBuild } from './attempt.ts';
import type { RunContext } from './context.ts';
import type { Crew } from './driver.ts';
import type { Outdated } from './outdated.ts';
import { pause } from './pause.ts';
import type { Attempt, Finding, Recorded, RunPorts, Settled } from './ports.ts';
import type { RunRemote } from './run-remote.ts';
import type { RunSources } from './run-sources.ts';
import type { ShardRun } from './shard-run.ts';

/** Where outputs are had from and given to, besides here. */
export interface Others {
  readonly remote: RunRemote | null;
  readonly shard: ShardRun | null;
}

export function worldPorts(
  context: RunContext,
  pool: Pool,
  work: string,
  crew: Crew,
  sources: RunSources,
  order: readonly GraphTarget[],
  outdated: Outdated,
  others: Others,
): RunPorts {
  const { workspace, state, options } = context;
  const { remote, shard } = others;
  const engine = engineKey(crew.engine, options.strictEngine);
  const judging = atOneMoment(
    evaluateContext(workspace, state, pool, order, engine, options),
    order.length,
    () => state.records.findCurrent(workspace.treeKey),
  );
  const tools: AttemptTools = {
    root: workspace.root,
    pool,
    work,
    crew,
    limits: options.limits,
    cache: options.noCache ? 'none' : 'cache',
    sourcesOf: (target) =>
      target.recipe.sources.map(({ file, sha256 }) => ({ file, sha256, path: sources.pathOf(sha256) })),
    via: remote?.via ?? undefined,
    isStillWanted: (attempt) => outdated.isStillWanted(attempt),
  };
  /** A record is on its way to the others. */
  const give = (given: BuildRecord, facts: string, duration: number | null): void => {
    if (remote === null) return;
    const there = remote.gives(given, facts, duration);
    shard?.gives(given.target, there);
  };
  /** What this run recorded, which says what the tree has now. */
  const recorded = new Map<string, Pick<BuildRecord, 'fingerprint' | 'manifest'>>();
  const logFile = (target: string): string => join(state.paths.logs, context.id, `${target}.log`);
  return {
    judge: (target, outputOf) => {
      const standing = judge(target, outputOf, judging);
      outdated.judged(target, standing, outputOf);
      if (standing.state === 'hit' && standing.record.fingerprint === standing.fingerprint.digest) {
        give(standing.record, standing.fingerprint.text, null);
      }
      return standing;
    },
    ...(remote === null ? {} : { seek: seeker(remote, shard, judging.forced) }),
    reload: async () => {
      await workspace.reload();
    },
    refresh: (target) => newestOf(context, target),
    fetch: async (target, outputs, signal) => {
      await sources.fetch(target, signal);
      const lost = (await remote?.have(outputs, signal)) ?? null;
      if (lost !== null) throw new ProblemError(lost);
    },
    build: (attempt) => outdated.build(attempt, (cancellable) => attemptBuild(cancellable, tools)),
    record: (attempt, output, duration) => record(context, attempt, output, duration),
    publish: async ({ name, tag }, settled, fingerprint) => {
      if (
        remote?.isApart(name, settled.output) !== true &&
        !isPublished(pool, settled.output, workspace.out, { name, tag })
      ) {
        publishOutput(pool, settled.output, workspace.out, { name, tag });
      }
      const known = recorded.get(name) ?? judging.current.get(name);
      if (known?.fingerprint !== fingerprint || known.manifest !== settled.manifest) {
        state.records.setCurrent(workspace.treeKey, [
          { target: name, fingerprint, manifest: settled.manifest },
        ]);
      }
    },
    noteFailure: (attempt, duration) =>
      state.history.note({
        run: context.id,
        target: attempt.target.name,
        result: 'failed',
        fingerprint: attempt.fingerprint.digest,
        previous: judging.current.get(attempt.target.name)?.fingerprint ?? null,
        manifest: null,
        duration: Math.round(duration),
        finished: Date.now(),
        worker: attempt.worker,
      }),
    revive: (worker, signal) => crew.revive(worker, signal),
    logFile,
    pause,
  };

  async function record(
    run: RunContext,
    attempt: Attempt,
    output: Output,
    duration: number,
  ): Promise<Recorded> {
    const { target, fingerprint } = attempt;
    const [image] = output.images;
    if (image === undefined) throw new Error(`${target.name} has an output without images`);
    const manifest = image.manifest.digest;
    const before = judging.current.get(target.name);
    const others = state.records.find(fingerprint.digest).filter((known) => known.manifest !== manifest);
    const finding = others[0] === undefined ? null : await findingOf(pool, others[0].output, output);
    const settled: Settled = { output, manifest, origin: 'built' };
    const result = before?.manifest === manifest ? 'unchanged' : 'built';
    const written: BuildRecord = {
      fingerprint: fingerprint.digest,
      manifest,
      output,
      origin: 'built',
      target: target.name,
      run: run.id,
      created: Date.now(),
    };
    // One wait for the disk, not two.
    state.database.transaction(() => {
      state.records.write(written, fingerprint.text, workspace.treeKey);
      state.history.note({
        run: run.id,
        target: target.name,
        result,
        fingerprint: fingerprint.digest,
        previous: before?.fingerprint ?? null,
        manifest,
        duration: Math.round(duration),
        finished: Date.now(),
        worker: attempt.worker,
      });
    });
    recorded.set(target.name, { fingerprint: fingerprint.digest, manifest });
    give(written, fingerprint.text, duration);
    return { ...settled, result, finding };
  }
}

/** Asks the remote, and of a shard waits for the others. What must be built whatever is known is not asked for. */
function seeker(
  remote: RunRemote,
  shard: ShardRun | null,
  forced: ReadonlySet<string>,
): NonNullable<RunPorts['seek']> {
  return async (target, fingerprint, outputs, signal) => {
    if (shard !== null) return await shard.seek(target, fingerprint, outputs, signal);
    // Its layers are of no use here where workers have them from the registry.
    const how = remote.via === null ? 'seek' : 'find';
    const settled = forced.has(target.name) ? null : await remote[how](target, fingerprint, outputs, signal);
    return settled === null ? { status: 'absent' } : { status: 'found', settled };
  };
}

/** The same inputs gave another output before: the first rung at which they differ. */
async function findingOf(pool: Pool, before: Output, now: Output): Promise<Finding> {
  const explained = await explainOutputs(pool, before, now).catch(() => null);
  const rung = explained?.difference.rungs.find(({ rung: name }) => name === explained.difference.cause);
  const file = explained?.file;
  const where = [
    rung === undefined
      ? 'the old output is no longer complete'
      : `${rung.rung} ${rung.before} became ${rung.after}`,
    ...(file === null || file === undefined ? [] : [`first differing file ${file.path}: ${file.kind}`]),
  ];
  return {
    text: `the same inputs gave another output before: ${where.join(', ')}`,
    before: before.images[0]?.manifest.digest ?? before.index.digest,
    now: now.images[0]?.manifest.digest ?? now.index.digest,
  };
}

/** The target as the tree was last read. It may not need what this run did not see to. */
function newestOf({ workspace, options }: RunContext, target: GraphTarget): GraphTarget {
  const now = workspace.tree.graph.targets.get(target.name);
  if (now === target) return now;
  const known = new Set(target.dependencies);
  if (now?.dependencies.every((dependency) => known.has(dependency)) === true) return now;
  const what = now === undefined ? 'is gone' : 'needs other targets';
  throw new ProblemError(
    inputProblem({
      code: 'edited-while-building',
      text: `${target.name} was edited during the run, and now ${what}.`,
      file: `${target.recipe.dir}/Containerfile`,
      hint: `Run \`${options.command}\` again.`,
    }),
  );
}
