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
    const [from = '', to] = services.resolve(session.tree.graph, args);
    if (to !== undefined) {
      return showPath(context, from, to, await services.path(session.tree.graph, from, to));
    }
    return await showReasons(context, session, from, planOptionsOf(context, session, options, [from], line));
  });

/** Exits 1 where there is no chain: "no" is an answer scripts ask for. */
function showPath(
  { output }: CommandContext,
  from: string,
  to: string,
  path: readonly (readonly Edge[])[] | null,
): number {
  const hops = path?.map((edges) => ({ from: edges[0]?.from, to: edges[0]?.to, places: edges.map(placeOf) }));
  if (output.json) output.document({ from, to, path: hops ?? null });
  else if (hops === undefined) output.print(`${from} does not need ${to}`);
  else if (hops.length === 0) output.print(`${from} is ${to}`);
  else {
    for (const hop of hops) {
      const places = hop.places.map(({ kind, file, line }) => `${kind}, ${sanitizeLine(file)}:${line}`);
      output.print(
        `${output.paint('strong', hop.from ?? '')} needs ${output.paint('strong', hop.to ?? '')} (${places.join('; ')})`,
      );
    }
  }
  return path === null ? EXIT.no : EXIT.done;
}

function placeOf({ kind, file, line }: Edge): Pick<Edge, 'kind' | 'file' | 'line'> {
  return { kind, file, line };
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
