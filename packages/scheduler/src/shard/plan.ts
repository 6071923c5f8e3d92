/**
 * The plan of a session: which shard has which targets. The first shard to come makes it and leaves it in the remote;
 * all others read it.
 *
 * Two that come at once may each make one, and not the same one: each knows other durations, and the records are under way.
 * The last one written counts, so everybody looks again after a moment, until it stays. Where they still differ, some
 * targets are built twice or taken over late, nothing worse (awaiting.ts).
 */
import { environmentProblem, inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RemoteNotes } from '../remote/model.ts';
import type { ShardPlan } from './model.ts';
import { readPlan, writePlan } from './text.ts';

export interface PlanRequest {
  readonly notes: Pick<RemoteNotes, 'get' | 'put'>;
  readonly tag: string;
  readonly count: number;
  /** See ShardPlan. */
  readonly tree: string;
  readonly engine: string;
  /** Makes the plan, where there is none yet. */
  readonly make: () => Promise<ReadonlyMap<string, number>>;
  readonly signal: AbortSignal;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Longer than a registry takes to keep a plan, ms: who began to write before it was there has written by then. */
const SETTLE_MS = 1_500;
/** Looks at a plan that goes on changing. */
const LOOKS = 10;

/**
 * @returns the session's plan, and whether it is known to be what the others have
 * @throws ProblemError `other-tree` (input), `other-engine` (environment) where the others' fingerprints can never be ours;
 * the signal's reason
 */
export async function sharePlan(request: PlanRequest): Promise<ShardPlan & { readonly shared: boolean }> {
  const { count, tree, engine, make, tag, notes, signal } = request;
  const there = await read(request);
  if (there !== null) return await settled(there, true, request);
  const own: ShardPlan = { count, tree, engine, shardOf: await make() };
  // Making it takes a while: another one's may be there by now.
  const meanwhile = await read(request);
  if (meanwhile !== null) return await settled(meanwhile, true, request);
  try {
    await notes.put(tag, writePlan(own), signal);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { ...own, shared: false };
  }
  return await settled(own, false, request);
}

/** The plan that stays. @param isRead the first one was read, not only written */
async function settled(
  first: ShardPlan,
  isRead: boolean,
  request: PlanRequest,
): Promise<ShardPlan & { readonly shared: boolean }> {
  let plan = first;
  let shared = isRead;
  for (let look = 0; look < LOOKS; look += 1) {
    await request.pause(SETTLE_MS, request.signal);
    const now = await read(request);
    if (now === null) break;
    shared = true;
    if (writePlan(now) === writePlan(plan)) break;
    plan = now;
  }
  return { ...plan, shared };
}

async function read(request: PlanRequest): Promise<ShardPlan | null> {
  const { notes, tag, count, signal } = request;
  let text: string | null;
  try {
    text = await notes.get(tag, signal);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return null;
  }
  const plan = text === null ? null : readPlan(text, count);
  if (plan !== null) checkSame(plan, request);
  return plan;
}

function checkSame(plan: ShardPlan, { tree, engine }: PlanRequest): void {
  if (plan.tree !== tree) {
    throw new ProblemError(
      inputProblem({
        code: 'other-tree',
        text: 'The other shards of this session build another tree, or with another stx-make, than this one.',
        hint: 'Check out the same commit everywhere, and give each run a --session of its own.',
      }),
    );
  }
  if (plan.engine !== engine) {
    throw new ProblemError(
      environmentProblem({
        code: 'other-engine',
        text: 'The BuildKit of the other shards gives other bytes than this one, so they can not use each other’s outputs.',
        hint: 'Use the same BuildKit everywhere (doctor shows its canary), or give this machine a --session of its own.',
      }),
    );
  }
}
