/**
 * `collect`: what the shards of a session did, as one run: said, judged, and written as a page, a summary and events.
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EXIT, exitCodeOf, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { Session } from '@stx-make/scheduler/api';
import type { Collected, CollectedShard } from '@stx-make/scheduler/shard/collect';
import type { Handler, OptionValues } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { variable } from '../io.ts';
import { bundledPageCode } from '../page/html.ts';
import { summaryMarkdown } from '../report/ci.ts';
import { problemDocuments } from '../report/output.ts';
import { unwritable } from '../report/record.ts';
import { count, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { remoteOf } from './remote.ts';
import { reportPage } from './report.ts';
import { withSession } from './session.ts';
import { sessionNameOf } from './shard.ts';
import type { collectOptions } from './table-shards.ts';

type CollectValues = OptionValues<typeof collectOptions>;

export const collect: Handler<CollectValues> = (context, { options }) =>
  withSession(context, (session) => collectShards(context, session, options));

async function collectShards(
  context: CommandContext,
  session: Session,
  options: CollectValues,
): Promise<number> {
  const { output, services, io, stop } = context;
  const remote = remoteOf(options, io.env, session.config);
  if (remote === null) throw missing('remote', 'Name the remote of the shards: --remote HOST/PATH.');
  if (options.shards === undefined) throw missing('shards', 'Say how many there were: --shards N.');
  const { session: name } = sessionNameOf(options.session, io.env, session.content);
  const { collectFromRemote } = await services.shards();
  const collected = await collectFromRemote({
    remote,
    env: io.env,
    signal: stop,
    key: { session: name, count: options.shards, platform: session.platform },
  });
  await writeFiles(context, options, collected);
  if (output.json) output.document(documentOf(collected, name));
  else for (const line of linesOf(collected)) output.print(line);
  output.problems(collected.problems);
  const code = exitCodeOf(collected.problems);
  if (code === EXIT.done && collected.stopped === 'time') return EXIT.interrupted;
  return code === EXIT.done && !collected.ok ? EXIT.no : code;
}

/** Events, page and summary, where they were asked for. @throws ProblemError for what can not be written */
async function writeFiles(
  context: CommandContext,
  options: CollectValues,
  collected: Collected,
): Promise<void> {
  const { io } = context;
  const events = collected.run.events.map((event) => `${JSON.stringify(event)}\n`).join('');
  if (options.events !== undefined) write(resolve(io.cwd, options.events), events);
  if (options.report !== undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'stx-make-collect-'));
    try {
      const file = join(folder, 'events.ndjson');
      writeFileSync(file, events);
      const { html } = await reportPage(file, context, null, bundledPageCode);
      write(resolve(io.cwd, options.report), html);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const summary = options.summary ?? variable(io.env, 'GITHUB_STEP_SUMMARY');
  if (summary !== undefined) append(resolve(io.cwd, summary), markdownOf(collected));
}

function linesOf({ shards, run, twice }: Collected): string[] {
  const { counts } = run;
  const table = shards.map(({ shard, result }) => {
    if (result === null) return `shard ${shard}  left nothing`;
    const verdict = verdictOf(result);
    const { built, unchanged, failed } = result.counts;
    const took = result.tookOver.length > 0 ? `, ${result.tookOver.length} taken over` : '';
    return `shard ${shard}  ${verdict}  ${built} built, ${unchanged} unchanged, ${failed} failed${took}  ${duration(result.seconds * 1_000)}`;
  });
  const twiceLine = twice.length === 0 ? [] : [`built twice: ${twice.map(sanitizeLine).join(', ')}`];
  return [
    ...table,
    ...twiceLine,
    `${count(counts.targets, 'target')}: ${counts.built} built, ${counts.unchanged} unchanged, ${counts.hit} up to date, ${counts.failed} failed, ${counts.skipped} skipped`,
  ];
}

function verdictOf({ ok, interrupted, stopped, counts }: NonNullable<CollectedShard['result']>): string {
  if (interrupted) return 'interrupted';
  if (stopped === 'time' && counts.failed === 0) return 'time was up';
  return ok ? 'done' : 'failed';
}

function documentOf(
  { ok, stopped, shards, run, twice, problems }: Collected,
  session: string,
): Record<string, unknown> {
  const errors = problemDocuments(problems);
  return {
    ok,
    stopped,
    session,
    counts: run.counts,
    shards: shards.map(({ shard, result }) => ({ shard, result: shardDocument(result) })),
    targets: run.targets.map(({ name, result, digest, shard, duration: took, builtBy }) => ({
      name,
      result,
      digest,
      shard,
      seconds: Math.round(took) / 1_000,
      builtBy,
    })),
    twice,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

function shardDocument(result: CollectedShard['result']): Record<string, unknown> | null {
  if (result === null) return null;
  const { ok, interrupted, stopped, seconds, counts, tookOver, problems } = result;
  return { ok, interrupted, stopped: stopped ?? null, seconds, counts, tookOver, problems };
}

/** The page of a job: the run, then its shards. */
function markdownOf({ run, shards, twice }: Collected): string {
  const view = emptyView();
  for (const event of run.events) fold(view, event);
  const rows = shards.map(({ shard, result }) =>
    result === null
      ? `| ${shard} | left nothing | | | | |`
      : `| ${shard} | ${verdictOf(result)} | ${result.counts.built} | ${result.counts.unchanged} | ${result.tookOver.length} | ${duration(result.seconds * 1_000)} |`,
  );
  return [
    summaryMarkdown(view),
    '| shard | end | built | unchanged | taken over | time |',
    '|---:|---|---:|---:|---:|---:|',
    ...rows,
    '',
    ...(twice.length === 0 ? [] : [`Built twice: ${twice.length}.`, '']),
    '',
  ].join('\n');
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new ProblemError(unwritable(path, error), { cause: error });
  }
}

function append(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw new ProblemError(unwritable(path, error), { cause: error });
  }
}

function missing(option: string, hint: string): ProblemError {
  return new ProblemError(inputProblem({ code: 'missing-option', text: `collect needs --${option}.`, hint }));
}
