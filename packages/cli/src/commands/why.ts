/**
 * `why A B`: the chain from A to B, each hop with its place. `why A`: what a build of A would do, and why.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Edge } from '@stx-make/core/graph/model';
import type { Session } from '@stx-make/scheduler/api';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { type PlanValues, planOptionsOf, withSession } from './session.ts';

export const why: Handler<PlanValues> = (context, { args, options, line }) =>
  withSession(context, async (session) => {
    const services = await context.services.graph();
    // One by one: the order matters, and resolve() sorts.
    const [from = '', to] = args.map((word) => services.resolve(session.tree.graph, [word])[0] ?? '');
    if (to !== undefined) return showPath(context, from, to, services.path(session.tree.graph, from, to));
    return await showReasons(context, session, from, planOptionsOf(options, [from], line));
  });

/** Exits 1 where there is no chain: "no" is an answer scripts ask for. */
function showPath(
  { output }: CommandContext,
  from: string,
  to: string,
  path: readonly Edge[] | null,
): number {
  if (output.json) output.document({ from, to, path });
  else if (path === null) output.print(`${from} does not need ${to}`);
  else if (path.length === 0) output.print(`${from} is ${to}`);
  else {
    for (const edge of path) {
      output.print(
        `${output.paint('strong', edge.from)} needs ${output.paint('strong', edge.to)} ` +
          `(${edge.kind}, ${sanitizeLine(edge.file)}:${edge.line})`,
      );
    }
  }
  return path === null ? EXIT.no : EXIT.done;
}

async function showReasons(
  { output, services }: CommandContext,
  session: Session,
  target: string,
  options: Parameters<typeof services.makePlan>[1],
): Promise<number> {
  const plan = await services.makePlan(session, options);
  const entry = plan.targets.find(({ name }) => name === target);
  if (entry === undefined) throw new Error(`the plan for ${target} lacks it`);
  // What it waits for, down to what is built for reasons of its own.
  const others = plan.targets.filter(({ name, action }) => name !== target && action === 'build');
  if (output.json) {
    output.document({
      target,
      action: entry.action,
      reasons: entry.reasons,
      digest: entry.digest,
      builds: others.map(({ name, reasons }) => ({ name, reasons })),
    });
    return EXIT.done;
  }
  const says = {
    build: 'would be built',
    hit: `is up to date${entry.digest === null ? '' : ` (${entry.digest})`}`,
    waiting: 'would be built if what it needs gives another output',
  };
  output.print(`${output.paint('strong', target)} ${says[entry.action]}`);
  for (const { text } of entry.reasons) output.print(`  ${sanitizeLine(text)}`);
  if (others.length > 0) {
    output.print('below it would be built:');
    for (const { name, reasons } of others) {
      output.print(`  ${name}: ${reasons.map(({ text }) => sanitizeLine(text)).join('; ')}`);
    }
  }
  return EXIT.done;
}
