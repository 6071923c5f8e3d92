/**
 * `workers`: each BuildKit a run would use, what it is, and whether it can be used.
 */
import { EXIT } from '@stx-make/core/errors';
import { workersOf } from '@stx-make/scheduler/config';
import type { WorkerReport } from '@stx-make/scheduler/doctor';
import type { Handler, OptionValues } from '../args/model.ts';
import type { workerOptions } from '../args/options.ts';
import type { CommandContext } from '../context.ts';
import { bytes, count, digestHead } from '../text/format.ts';
import { sanitizeText } from '../text/sanitize.ts';
import { sessionOptionsOf } from './session.ts';

export const workers: Handler<OptionValues<typeof workerOptions>> = async (context, { options }) => {
  const { io, output, services } = context;
  const settings = await services.settings(sessionOptionsOf(context));
  const reports = await services.workers({
    stateRoot: await services.stateRoot(context.options.state, io.env, io.cwd),
    env: io.env,
    workers: await workersOf(options, io.env, settings, io.cwd),
    stop: context.stop,
  });
  const ok = reports.every(({ usable }) => usable);
  if (output.json) output.document({ ok, workers: reports.map(documentOf) });
  else for (const line of reports.flatMap((report) => linesOf(report, context))) output.print(line);
  return ok ? EXIT.done : EXIT.environment;
};

function documentOf({ name, address, usable, facts, problems }: WorkerReport): Record<string, unknown> {
  return {
    ...{ name, address, usable },
    id: facts?.id ?? null,
    version: facts?.version ?? null,
    goRelease: facts?.engine.goRelease ?? null,
    platforms: facts?.platforms ?? [],
    jobs: facts?.jobs ?? null,
    memory: facts?.memory ?? null,
    engine: facts?.engine.id ?? null,
    canary: facts?.engine.canary ?? null,
    published: facts?.engine.matchesPublished ?? null,
    disk: facts?.disk ?? null,
    gc: facts?.gc ?? [],
    problems: problems.map(({ code, level, text, hint }) => ({ code, level, text, hint: hint ?? null })),
  };
}

function linesOf(
  { name, address, usable, facts, problems }: WorkerReport,
  context: CommandContext,
): string[] {
  const { paint } = context.output;
  const mark = usable ? paint('good', 'ok  ') : paint('bad', 'FAIL');
  const lines = [
    `${mark}  ${paint('strong', sanitizeText(name))}${name === address ? '' : `  ${sanitizeText(address)}`}`,
  ];
  if (facts !== null) {
    const { version, engine, platforms, jobs, memory, disk } = facts;
    const go = engine.goRelease === null ? '' : `, ${engine.goRelease}`;
    const room = disk === null ? '' : `, ${bytes(disk.free)} of ${bytes(disk.total)} free`;
    const limit = memory === null ? '' : `, ${bytes(memory)} for builds`;
    lines.push(`BuildKit ${version}${go}, ${count(jobs, 'job')}${limit}${room}`);
    lines.push(`platforms: ${platforms.join(' ')}`);
    const canary = `canary ${digestHead(engine.canary)}`;
    lines.push(
      engine.matchesPublished
        ? `${canary}: published digests can be reached`
        : paint('bad', `${canary}: digests will not equal the published ones`),
    );
    const keeps = gcText(facts.gc);
    if (keeps !== '') lines.push(keeps);
  }
  for (const { text, hint } of problems) {
    lines.push(sanitizeText(text));
    if (hint !== undefined) lines.push(`${paint('accent', 'hint:')} ${sanitizeText(hint)}`);
  }
  return lines.map((line, index) => (index === 0 ? line : `      ${line.replaceAll('\n', '\n      ')}`));
}

/** What its garbage collection leaves of the cache: of its rules the one that keeps most counts. */
function gcText(gc: NonNullable<WorkerReport['facts']>['gc']): string {
  const most = Math.max(0, ...gc.map(({ maxUsedSpace }) => maxUsedSpace));
  const least = Math.max(0, ...gc.map(({ minFreeSpace }) => minFreeSpace));
  if (most === 0 && least === 0) return gc.length === 0 ? 'garbage collection: none' : '';
  const parts = [
    ...(most > 0 ? [`keeps at most ${bytes(most)}`] : []),
    ...(least > 0 ? [`leaves ${bytes(least)} free`] : []),
  ];
  return `garbage collection: ${parts.join(', ')}`;
}
