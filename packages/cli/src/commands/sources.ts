/**
 * `fetch` and `sources list|import|export`: the files that builds need from outside.
 */
import { resolve } from 'node:path';
import { EXIT, exitCodeOf, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { Handler, Invocation } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { DownloadLine } from '../report/downloads.ts';
import { bytes, count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { selectionOf, warnOf, withSession } from './session.ts';

interface FetchValues {
  readonly offline: boolean;
  readonly except: readonly string[];
}

export const fetch: Handler<FetchValues> = (context, { args, options }) =>
  withSession(context, async (session) => {
    const { output, services, stop } = context;
    const targets = await selectionOf(context, session, args, options.except);
    warnOf(context, session.tree.warnings);
    const shown = new DownloadLine(context);
    const front = await services.sources();
    const report = await front
      .fetchForSession(session, {
        targets: targets ?? [],
        offline: options.offline,
        signal: stop,
        onProgress: (progress) => shown.take(progress),
      })
      .finally(() => shown.close());
    const { counts } = report;
    if (output.json) {
      output.document({
        ok: report.ok,
        counts,
        received: report.received,
        sources: report.sources,
        ...(report.problems.length > 0 ? { errors: report.problems } : {}),
      });
    }
    output.problems([...report.warnings, ...report.problems]);
    output.print(
      `${count(counts.wanted, 'source')}: ${counts.present} here, ${counts.adopted} found in the tree, ` +
        `${counts.downloaded} downloaded (${bytes(report.received)}), ${counts.failed + counts.missing} missing`,
    );
    if (report.interrupted) return EXIT.interrupted;
    return report.ok ? EXIT.done : exitCodeOf(report.problems) || EXIT.environment;
  });

interface SourcesValues {
  readonly verify: boolean;
  readonly 'allow-missing': boolean;
}

export const list: Handler<SourcesValues> = (context, invocation) =>
  withSession(context, async (session) => {
    const { output, services, stop } = context;
    const targets = (await selectionOf(context, session, invocation.args, [])) ?? [];
    const front = await services.sources();
    const sources = await front.listForSession(session, targets, {
      verify: invocation.options.verify,
      signal: stop,
    });
    if (output.json) output.document({ sources });
    else {
      for (const { state, sha256, file, recipes, size } of sources) {
        const length = size === null ? '' : bytes(size);
        output.print(
          `${state.padEnd(10)} ${sha256} ${length.padStart(8)}  ${sanitizeLine(file)}  ${recipes.join(' ')}`,
        );
      }
      const missing = sources.filter(({ state }) => state === 'missing').length;
      output.print(`${count(sources.length, 'source')}, ${missing} missing`);
    }
    return EXIT.done;
  });

export const take: Handler<SourcesValues> = (context, invocation) =>
  withSession(context, async (session) => {
    const { io, output, services, stop } = context;
    const paths = required(invocation, 'a folder, file or archive to look through');
    const front = await services.sources();
    const report = await front.importForSession(
      session,
      paths.map((path) => resolve(io.cwd, path)),
      stop,
    );
    if (output.json) {
      output.document({
        ok: report.problems.length === 0,
        taken: report.taken,
        present: report.present,
        unknown: report.unknown,
        missing: report.missing,
        ...(report.problems.length > 0 ? { errors: report.problems } : {}),
      });
    } else {
      for (const { file, from, recipes } of report.taken) {
        output.print(`taken ${sanitizeLine(file)} for ${recipes.join(' ')} from ${sanitizeLine(from)}`);
      }
    }
    output.problems(report.problems);
    output.print(
      `${report.taken.length} taken, ${report.present} already here, ${report.unknown} not wanted; ` +
        `${report.missing} still missing`,
    );
    return exitCodeOf(report.problems);
  });

export const give: Handler<SourcesValues> = (context, invocation) =>
  withSession(context, async (session) => {
    const { io, output, services, stop } = context;
    const [file = '', ...terms] = required(invocation, 'the file to write the bundle to');
    const targets = (await selectionOf(context, session, terms, [])) ?? [];
    const front = await services.sources();
    const report = await front.exportForSession(session, targets, resolve(io.cwd, file), {
      allowMissing: invocation.options['allow-missing'],
      signal: stop,
    });
    output.problems(report.warnings);
    const { path, size, sha256, written, missing } = report;
    if (output.json) output.document({ ok: true, path, size, sha256, written, missing });
    output.print(`${path}: ${count(written.length, 'source')}, ${bytes(size)}, sha256 ${sha256}`);
    return EXIT.done;
  });

function required({ args }: Invocation<unknown>, what: string): readonly string[] {
  if (args.length > 0) return args;
  throw new ProblemError(inputProblem({ code: 'bad-arguments', text: `This command needs ${what}.` }));
}

/** Which handler the first word of `sources` means; `list` where it is none. */
export const sources: Handler<SourcesValues> = (context: CommandContext, invocation) => {
  const [action = 'list', ...args] = invocation.args;
  const rest = { ...invocation, args };
  switch (action) {
    case 'list':
      return list(context, rest);
    case 'import':
      return take(context, rest);
    case 'export':
      return give(context, rest);
    default:
      throw new ProblemError(
        inputProblem({
          code: 'bad-arguments',
          text: `sources ${action} is unknown.`,
          hint: 'sources list, sources import PATH..., sources export FILE',
        }),
      );
  }
};
