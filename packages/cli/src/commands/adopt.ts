/**
 * `adopt` and `preseed`: images that are already there instead of builds.
 */
import { EXIT, exitCodeOf } from '@stx-make/core/errors';
import type { Session } from '@stx-make/scheduler/api';
import type { AdoptRequest, TakenTarget, TakeReport } from '@stx-make/scheduler/digests/index';
import type { Handler, Invocation } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { problemDocuments } from '../report/output.ts';
import { bytes, count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { selectionOf, warnOf, withSession } from './session.ts';

interface AdoptValues {
  readonly except: readonly string[];
  readonly 'as-of': string | undefined;
  readonly 'no-wait': boolean;
}

export const adopt: Handler<AdoptValues> = (context, invocation) =>
  take(context, invocation, async (session, request) =>
    (await context.services.digests()).adopt(session, request),
  );

export const preseed: Handler<AdoptValues & { readonly from: string | undefined }> = (context, invocation) =>
  take(context, invocation, async (session, request) => {
    const from = invocation.options.from ?? null;
    return (await context.services.digests()).preseed(session, { ...request, from, cwd: context.io.cwd });
  });

function take<V extends AdoptValues>(
  context: CommandContext,
  { args, options, line }: Invocation<V>,
  run: (session: Session, request: AdoptRequest) => Promise<TakeReport>,
): Promise<number> {
  return withSession(context, async (session) => {
    const { output, stop } = context;
    const selection = await selectionOf(context, session, args, options.except);
    warnOf(context, session.tree.warnings);
    const report =
      selection === null
        ? { ok: true, targets: [], problems: [] }
        : await run(session, {
            selection,
            asOf: options['as-of'] ?? null,
            wait: !options['no-wait'],
            command: line,
            signal: stop,
            onActivity: (text) => output.note(text),
            onTarget: (target) => {
              if (!output.json && SHOWN_AT_ONCE.has(target.result)) output.print(takenLine(target));
            },
          });
    const counts = countsOf(report.targets);
    if (output.json) {
      const errors = problemDocuments(report.problems);
      output.document({
        ok: report.ok,
        counts,
        targets: report.targets,
        ...(errors.length > 0 ? { errors } : {}),
      });
    }
    output.problems(report.problems);
    if (!output.json) for (const line of leftOut(report.targets)) output.print(line);
    output.print(summaryOf(counts));
    return report.ok ? EXIT.done : exitCodeOf(report.problems) || EXIT.no;
  });
}

interface Counts {
  readonly targets: number;
  readonly taken: number;
  /** Of the taken ones: a world builds them nevertheless, for they were edited since. */
  readonly edited: number;
  readonly absent: number;
  readonly other: number;
  readonly uncommitted: number;
  readonly unbound: number;
  readonly refused: number;
}

function countsOf(targets: readonly TakenTarget[]): Counts {
  const of = (result: TakenTarget['result']): number =>
    targets.filter((target) => target.result === result).length;
  return {
    targets: targets.length,
    taken: of('taken'),
    edited: targets.filter(({ action }) => action === 'build').length,
    absent: of('absent'),
    other: of('other'),
    uncommitted: of('uncommitted'),
    unbound: of('unbound'),
    refused: of('refused'),
  };
}

/** The others come together at the end: in a large tree they are hundreds, for the same few reasons. */
const SHOWN_AT_ONCE: ReadonlySet<TakenTarget['result']> = new Set(['taken', 'other', 'refused']);

const EXAMPLES = 5;

function leftOut(targets: readonly TakenTarget[]): string[] {
  const lines: string[] = [];
  for (const result of ['uncommitted', 'unbound'] as const) {
    const some = targets.filter((target) => target.result === result);
    lines.push(...some.slice(0, EXAMPLES).map(takenLine));
    if (some.length > EXAMPLES)
      lines.push(`${result}: ${some.length - EXAMPLES} more (--json lists them all)`);
  }
  if (targets.some(({ result }) => result === 'unbound')) {
    lines.push('where one commit made all digests anew, --as-of COMMIT takes its word for all of them');
  }
  return lines;
}

function takenLine({ name, result, size, text }: TakenTarget): string {
  const more = size === null ? text : bytes(size);
  return sanitizeLine(more === '' ? `${result}: ${name}` : `${result}: ${name}: ${more}`);
}

function summaryOf(counts: Counts): string {
  const { targets, taken, edited, absent, other, uncommitted, unbound, refused } = counts;
  const rest = [
    [edited, 'edited since'],
    [absent, 'not there'],
    [other, 'with another digest'],
    [uncommitted, 'without a committed digest'],
    [unbound, 'tied to no recipe'],
    [refused, 'refused'],
  ] as const;
  const parts = rest.flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`]));
  return `${taken} of ${count(targets, 'target')} taken${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`;
}
