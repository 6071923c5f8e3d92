/**
 * `why A B`: the chain from A to B, each hop with its place. `why A`: what a build of A would do, and why; with
 * `--run` what a past run did.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Edge } from '@stx-make/core/graph/model';
import type { Session } from '@stx-make/scheduler/api';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { type PlanValues, planOptionsOf, withSession } from './session.ts';

export const why: Handler<PlanValues & { readonly run: string | undefined }> = (
  context,
  { args, options, line },
) =>
  withSession(context, async (session) => {
    const services = await context.services.graph();
    const [from = '', to] = services.resolve(session.tree.graph, args);
    if (to !== undefined) {
      return showPath(context, from, to, await services.path(session.tree.graph, from, to));
    }
    if (options.run !== undefined) return await showPast(context, session, from, options.run);
    return await showReasons(
      context,
      session,
      from,
      await planOptionsOf(context, session, options, [from], line),
    );
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
  const { action, reasons, digest, causes } = (await services.why()).whyNow(plan, target);
  // All that would be built below it, whether it waits for it or not.
  const builds = plan.targets.filter((entry) => entry.name !== target && entry.action === 'build');
  if (output.json) {
    output.document({
      target,
      action,
      reasons,
      digest,
      causes,
      builds: builds.map(({ name, reasons: why }) => ({ name, reasons: why })),
    });
    return EXIT.done;
  }
  const says = {
    build: 'would be built',
    hit: `is up to date${digest === null ? '' : ` (${digest})`}`,
    waiting: 'would be built if what it needs gives another output',
  };
  output.print(`${output.paint('strong', target)} ${says[action]}`);
  if (causes.length === 0) for (const { text } of reasons) output.print(`  ${sanitizeLine(text)}`);
  for (const cause of causes) {
    output.print(`  it waits for ${cause.chain.slice(1).join(', which waits for ')}, which would be built:`);
    for (const { text } of cause.reasons) output.print(`    ${sanitizeLine(text)}`);
  }
  return EXIT.done;
}

/** What a past run did with it, from the facts that were hashed then. */
async function showPast(
  { output, services }: CommandContext,
  session: Session,
  target: string,
  run: string,
): Promise<number> {
  const past = (await services.why()).whyThen(session, target, run === 'last' ? undefined : run);
  if (output.json) {
    output.document({ ...past });
    return EXIT.done;
  }
  const says = {
    built: 'was built',
    unchanged: 'was built, its output was what it had been',
    failed: 'was built and failed',
  };
  output.print(
    `${output.paint('strong', target)} ${says[past.result]} in run ${past.run} (${past.finished}), because`,
  );
  for (const { text } of past.reasons) output.print(`  ${sanitizeLine(text)}`);
  return EXIT.done;
}
