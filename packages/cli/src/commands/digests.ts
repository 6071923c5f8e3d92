/**
 * `digests` and `verify`: what is here against what is committed.
 */
import { EXIT, exitCodeOf, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { DigestsReport, VerifiedTarget, WrittenDigests } from '@stx-make/scheduler/digests/index';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { problemDocuments } from '../report/output.ts';
import { count, digestHead } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { selectionOf, warnOf, withSession } from './session.ts';

interface DigestsValues {
  readonly write: boolean;
  readonly check: boolean;
  readonly 'include-imported': boolean;
  readonly except: readonly string[];
}

export const digests: Handler<DigestsValues> = (context, { args, options }) =>
  withSession(context, async (session) => {
    const { output, services } = context;
    if (options.write && options.check) throw contradiction('--write and --check');
    if (options['include-imported'] && !options.write)
      throw contradiction('--include-imported without --write');
    const selection = await selectionOf(context, session, args, options.except);
    warnOf(context, session.tree.warnings);
    const front = await services.digests();
    const nothing = selection === null;
    if (options.write) {
      const includeImported = options['include-imported'];
      const written = nothing
        ? { changes: [], notBuilt: [], stale: [], warnings: [] }
        : await front.writeDigests(session, { selection, includeImported });
      return showWritten(context, written);
    }
    const report = nothing
      ? { targets: [], stale: [], differences: [], equal: 0, warnings: [] }
      : await front.reportDigests(session, { selection });
    output.problems(report.warnings);
    return options.check ? showCheck(context, report) : showDigests(context, report);
  });

function contradiction(what: string): ProblemError {
  return new ProblemError(
    inputProblem({ code: 'bad-options', text: `${what} is not something that can be asked for.` }),
  );
}

/** INTERFACE.md's document, by name. */
function targetsDocument({ targets }: DigestsReport): Record<string, unknown> {
  return Object.fromEntries(
    targets.map(({ name, digest, origin, committed }) => [name, { digest, origin, committed }]),
  );
}

function showDigests({ output }: CommandContext, report: DigestsReport): number {
  if (output.json) {
    output.document({ targets: targetsDocument(report), stale: report.stale });
  } else {
    for (const { name, digest } of report.targets) output.print(`${digest.slice('sha256:'.length)} ${name}`);
  }
  for (const { name, digest, reasons } of report.stale) {
    if (digest === null) continue;
    const why = reasons.map(({ text }) => text).join('; ');
    output.note(sanitizeLine(`${name}: what is here (${digestHead(digest)}) is of earlier inputs: ${why}`));
  }
  const never = report.stale.filter(({ digest }) => digest === null).length;
  if (never > 0) output.note(`${count(never, 'target')} without an output here`);
  return EXIT.done;
}

function showCheck({ output }: CommandContext, report: DigestsReport): number {
  const ok = report.differences.length === 0;
  if (output.json) {
    const { differences, equal } = report;
    output.document({ ok, equal, differences, targets: targetsDocument(report) });
  } else {
    for (const { kind, target, committed, local, text } of report.differences) {
      const heads = [committed, local].flatMap((digest) => (digest === null ? [] : [digestHead(digest)]));
      output.print(sanitizeLine(`${kind}: ${target} ${heads.join(' -> ')}: ${text}`));
    }
    output.print(`${count(report.equal, 'digest')} equal, ${count(report.differences.length, 'difference')}`);
  }
  return ok ? EXIT.done : EXIT.no;
}

function showWritten({ output }: CommandContext, written: WrittenDigests): number {
  output.problems(written.warnings);
  const { changes, notBuilt, stale } = written;
  if (output.json) output.document({ ok: true, changes, notBuilt, stale });
  else {
    for (const { target, before, after } of changes) {
      const from = before === null ? 'new' : digestHead(before);
      output.print(`${target}: ${from} -> ${after === null ? 'removed' : digestHead(after)}`);
    }
    output.print(changes.length === 0 ? 'nothing changed' : `${count(changes.length, 'line')} changed`);
  }
  if (notBuilt.length > 0) {
    const hint = 'not built on this machine, so left as committed (--include-imported writes them)';
    output.note(`${count(notBuilt.length, 'target')} ${hint}: ${some(notBuilt)}`);
  }
  if (stale.length > 0) {
    output.note(
      `${count(stale.length, 'target')} without an up-to-date output, left as committed: ${some(stale)}`,
    );
  }
  return EXIT.done;
}

const SHOWN = 8;

function some(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return rest > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${rest} more` : names.join(', ');
}

export const verify: Handler<{ readonly except: readonly string[] }> = (context, { args, options }) =>
  withSession(context, async (session) => {
    const { output, services, stop } = context;
    const selection = await selectionOf(context, session, args, options.except);
    warnOf(context, session.tree.warnings);
    const onTarget = (target: VerifiedTarget): void => {
      if (!output.json) output.print(verifiedLine(target));
    };
    const front = await services.digests();
    const report =
      selection === null
        ? { targets: [], problems: [], warnings: [] }
        : await front.verifyLayouts(session, { selection, signal: stop, onTarget });
    const of = (result: VerifiedTarget['result']): number =>
      report.targets.filter((target) => target.result === result).length;
    const counts = {
      targets: report.targets.length,
      equal: of('equal'),
      other: of('other'),
      uncommitted: of('uncommitted'),
      missing: of('missing'),
      damaged: of('damaged'),
    };
    const ok = counts.equal === counts.targets;
    if (output.json) {
      const errors = problemDocuments(report.problems);
      output.document({ ok, counts, targets: report.targets, ...(errors.length > 0 ? { errors } : {}) });
    }
    output.problems([...report.warnings, ...report.problems]);
    output.print(
      `${counts.equal} of ${count(counts.targets, 'target')} verified, ${counts.other} other, ` +
        `${counts.uncommitted} not committed, ${counts.missing} missing, ${counts.damaged} damaged`,
    );
    return exitCodeOf(report.problems) || (ok ? EXIT.done : EXIT.no);
  });

function verifiedLine({ name, result, text }: VerifiedTarget): string {
  return sanitizeLine(text === '' ? `${result}: ${name}` : `${result}: ${name}: ${text}`);
}
