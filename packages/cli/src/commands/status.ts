/**
 * `status`: the tree against the records, without building: what is there, what a world would do.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Handler } from '../args/model.ts';
import { count, duration } from '../text/format.ts';
import { type PlanValues, planOptionsOf, warnOf, withSession } from './session.ts';

export const status: Handler<PlanValues> = (context, { options, line }) =>
  withSession(context, async (session) => {
    const { output, services } = context;
    warnOf(context, session.tree.warnings);
    const plan = await services.makePlan(session, planOptionsOf(context, session, options, [], line));
    const daemon = await services.daemonStatus(session.state.root, context.io.env);
    const stages = byStage(plan.targets);
    if (output.json) {
      output.document({
        root: session.root,
        state: session.state.root,
        out: session.out,
        platform: session.platform,
        counts: plan.counts,
        stages: Object.fromEntries(stages),
        daemon,
        targets: plan.targets.map(({ name, action, digest, expected }) => ({
          name,
          action,
          digest,
          expected,
        })),
      });
      return EXIT.done;
    }
    output.print(`tree:     ${session.root} (${session.platform})`);
    output.print(`state:    ${session.state.root}`);
    output.print(`outputs:  ${session.out}`);
    output.print(`BuildKit: ${daemon.text}`);
    for (const [stage, { targets, hit, expected }] of stages) {
      const rest = targets - hit;
      const left = rest === 0 ? '' : `, ${rest} to do${expected > 0 ? ` (about ${duration(expected)})` : ''}`;
      output.print(`${stage}: ${hit} of ${count(targets, 'target')} up to date${left}`);
    }
    return EXIT.done;
  });

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
