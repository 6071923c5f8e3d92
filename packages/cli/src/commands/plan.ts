/**
 * `plan`: what would be built and why, or as a shell script of the exact calls.
 */
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { Plan, PlanEntry, Session } from '@stx-make/scheduler/api';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { count, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { fit, width } from '../text/width.ts';
import { type PlanValues, planOptionsOf, selectionOf, warnOf, withSession } from './session.ts';

type PlanOwn = PlanValues & {
  readonly commands: boolean;
  readonly all: boolean;
  readonly except: readonly string[];
};

const NOTHING: Plan = { targets: [], counts: { targets: 0, build: 0, hit: 0, waiting: 0 } };

export const plan: Handler<PlanOwn> = (context, { args, options, line }) => {
  // Of everything: where nothing changed since the last run the graph is not needed.
  const outline = args.length === 0 && options.except.length === 0 && !options.commands;
  const use = async (session: Session): Promise<number> => {
    const { services, output } = context;
    const selection = await selectionOf(context, session, args, options.except);
    if (options.commands) {
      const [target, ...more] = selection ?? [];
      if (target === undefined || more.length > 0) {
        throw new ProblemError(
          inputProblem({ code: 'bad-arguments', text: 'plan --commands needs exactly one TARGET' }),
        );
      }
      const script = await services.planCommands(session, target);
      if (output.json) output.document({ target, script });
      else output.raw(script.endsWith('\n') ? script : `${script}\n`);
      return EXIT.done;
    }
    warnOf(context, session.tree.warnings);
    const made =
      selection === null
        ? NOTHING
        : await services.makePlan(session, await planOptionsOf(context, session, options, selection, line));
    if (output.json) output.document(planDocument(made));
    else for (const text of planLines(made, options.all, context)) output.print(text);
    output.problems((made.problems ?? []).map((problem) => ({ ...problem, level: 'warning' })));
    return EXIT.done;
  };
  return withSession(context, use, { outline });
};

/** What INTERFACE.md promises of plan --json, and what else is known. */
function planDocument(made: Plan): Record<string, unknown> {
  return {
    counts: made.counts,
    ...(made.homeless === undefined ? {} : { homeless: made.homeless }),
    targets: made.targets.map(({ name, action, reasons, digest, expected }) => ({
      name,
      action,
      reasons,
      digest,
      expected,
    })),
  };
}

/** A table: action, target, estimate, reasons; the counts at the end. */
function planLines(made: Plan, all: boolean, { output: { paint } }: CommandContext): string[] {
  const shown = made.targets.filter((entry) => all || entry.action !== 'hit');
  const names = Math.max(0, ...shown.map(({ name }) => width(name)));
  const lines = shown.map((entry) => {
    const tone = entry.action === 'build' ? 'strong' : entry.action === 'hit' ? 'quiet' : 'plain';
    const time = entry.expected === null ? '' : duration(entry.expected);
    return `${paint(tone, fit(entry.action, 8))}${fit(entry.name, names)}  ${fit(time, 8)} ${reasonsOf(entry)}`.trimEnd();
  });
  const { counts } = made;
  if (counts.build === 0 && counts.waiting === 0) {
    lines.push(`nothing to do: ${count(counts.targets, 'target')} up to date`);
  } else {
    const expected = made.targets.reduce(
      (sum, { action, expected: ms }) => sum + (action === 'build' ? (ms ?? 0) : 0),
      0,
    );
    const cost = expected > 0 ? `; building takes about ${duration(expected)} of one worker's time` : '';
    lines.push(
      `${count(counts.targets, 'target')}: ${counts.build} to build, ${counts.waiting} waiting for what those give, ` +
        `${counts.hit} up to date${cost}`,
    );
  }
  return lines;
}

/** Three reasons are enough to see why; the document has all. */
function reasonsOf(entry: PlanEntry): string {
  const texts = entry.reasons.map(({ text }) => sanitizeLine(text));
  const more = texts.length > 3 ? `; and ${texts.length - 3} more` : '';
  return texts.slice(0, 3).join('; ') + more;
}
