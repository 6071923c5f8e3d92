/**
 * `status`: the tree against the records, without building: what is there, what a world would do.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Plan, PlanEntry } from '@stx-make/scheduler/api';
import type { Handler } from '../args/model.ts';
import { count, duration } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { estimate } from '../view/estimate.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { type PlanValues, planOptionsOf, warnOf, withSession } from './session.ts';

type StatusValues = PlanValues & { readonly targets: boolean; readonly follow: boolean };

export const status: Handler<StatusValues> = async (context, invocation) => {
  if (invocation.options.follow) {
    const { followRun } = await import('./attach.ts');
    const code = await followRun(context);
    if (code !== null) return code;
  }
  return await statusOfTree(context, invocation);
};

const statusOfTree: Handler<StatusValues> = (context, { options, line }) =>
  withSession(context, async (session) => {
    const { output, services } = context;
    warnOf(context, session.tree.warnings);
    const plan = await services.makePlan(session, await planOptionsOf(context, session, options, [], line));
    const daemon = await services.daemonStatus(session.state.root, context.io.env);
    const runs = await (await services.live()).liveRuns(session.state);
    const stages = byStage(plan.targets);
    const ahead = worldAhead(plan, options.jobs);
    if (output.json) {
      output.document({
        root: session.root,
        state: session.state.root,
        out: session.out,
        platform: session.platform,
        counts: plan.counts,
        stages: Object.fromEntries(stages),
        daemon,
        runs: runs.map(({ run, pid, root, command, started }) => ({ run, pid, root, command, started })),
        ahead,
        targets: plan.targets.map(({ name, action, digest, origin, expected, reasons }) => ({
          name,
          action,
          digest,
          origin: origin ?? null,
          expected,
          reasons,
        })),
      });
      return EXIT.done;
    }
    output.print(`tree:     ${session.root} (${session.platform})`);
    output.print(`state:    ${session.state.root}`);
    output.print(`outputs:  ${session.out}`);
    output.print(`BuildKit: ${daemon.text}`);
    for (const { run, pid, root, command, started } of runs) {
      const where = root === session.root ? '' : ` in ${sanitizeLine(root)}`;
      output.print(
        `run:      ${run}: \`${sanitizeLine(command)}\`${where} (pid ${pid}, since ${started}; attach, stop)`,
      );
    }
    for (const [stage, { targets, hit, expected }] of stages) {
      const rest = targets - hit;
      const left = rest === 0 ? '' : `, ${rest} to do${expected > 0 ? ` (about ${duration(expected)})` : ''}`;
      output.print(`${stage}: ${hit} of ${count(targets, 'target')} up to date${left}`);
    }
    const { build, waiting } = plan.counts;
    if (build + waiting === 0) output.print('a world has nothing to do');
    else {
      const maybe = waiting > 0 ? `, and up to ${waiting} more after those` : '';
      const guessed =
        ahead !== null && ahead.guessed > 0 ? ` (${ahead.guessed} of them never built: guessed)` : '';
      output.print(
        `a world builds ${count(build, 'target')}${maybe}${ahead === null ? '' : `, in about ${range(ahead)}${guessed}`}`,
      );
    }
    if (options.targets) for (const target of plan.targets) output.print(targetLine(target));
    return EXIT.done;
  });

function targetLine({ name, action, digest, reasons }: PlanEntry): string {
  const facts = digest === null ? reasons.map(({ text }) => sanitizeLine(text)).join('; ') : digest;
  return `${action.padEnd(7)}  ${name}  ${facts}`;
}

interface Ahead {
  /** s, if nothing that may be spared has to be built. */
  readonly least: number;
  /** s, if everything has to be built. */
  readonly most: number;
  /** Targets whose time nobody knows. */
  readonly guessed: number;
  /** The chain that decides, first what is next. */
  readonly path: readonly string[];
}

/** How long a world would take, by the same estimate that a run shows. Null where nothing is known of times or
 * nothing is to be done. @param jobs on one worker; undefined: two, the least there are. */
function worldAhead(plan: Plan, jobs = 2): Ahead | null {
  const view = emptyView();
  fold(view, { at: 0, type: 'plan', targets: plan.targets });
  const worker = { id: 'w', name: 'w', address: '', platforms: [], jobs, version: '' };
  fold(view, { at: 0, type: 'workers', workers: [worker], notes: [] });
  const found = estimate(view, 0);
  if (found === null) return null;
  return { least: found.low / 1000, most: found.high / 1000, guessed: found.guessed, path: found.path };
}

function range({ least, most }: Ahead): string {
  const [low, high] = [duration(least * 1000), duration(most * 1000)];
  return low === high ? low : `${low} to ${high}`;
}

interface StageStatus {
  targets: number;
  hit: number;
  /** ms of what is known of the rest. */
  expected: number;
}

/** In the order of the way from the seed up; other stages after those, as they come. */
const STAGES = ['bootstrap', 'core', 'pallet', 'user'];

function byStage(
  targets: readonly { readonly stage: string; readonly action: string; readonly expected: number | null }[],
): Map<string, StageStatus> {
  const stages = new Map<string, StageStatus>();
  const known = STAGES.filter((stage) => targets.some((target) => target.stage === stage));
  for (const stage of known) stages.set(stage, { targets: 0, hit: 0, expected: 0 });
  for (const { stage, action, expected } of targets) {
    const entry = stages.get(stage) ?? { targets: 0, hit: 0, expected: 0 };
    stages.set(stage, entry);
    entry.targets++;
    if (action === 'hit') entry.hit++;
    else entry.expected += expected ?? 0;
  }
  return stages;
}
