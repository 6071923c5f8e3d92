/**
 * The plan of a session: which shard has which targets. The first shard to come makes it and leaves it in the remote;
 * all others read it.
 *
 * Two that come at once may each make one. They make it from the same graph, history and records, so it is the same; where
 * it is not, some targets are built twice or taken over late, nothing worse (awaiting.ts).
 */
import { ProblemError } from '@stx-make/core/errors';
import type { RemoteNotes } from '../remote/model.ts';
import type { ShardPlan } from './model.ts';
import { readPlan, writePlan } from './text.ts';

export interface PlanRequest {
  readonly notes: Pick<RemoteNotes, 'get' | 'put'>;
  readonly tag: string;
  readonly count: number;
  /** Makes the plan, where there is none yet. */
  readonly make: () => Promise<ReadonlyMap<string, number>>;
  readonly signal: AbortSignal;
}

/** @returns the session's plan, and whether it is known to be what the others have. @throws only the signal's reason */
export async function sharePlan(request: PlanRequest): Promise<ShardPlan & { readonly shared: boolean }> {
  const { count, make, tag, notes, signal } = request;
  const there = await read(request);
  if (there !== null) return { ...there, shared: true };
  const own: ShardPlan = { count, shardOf: await make() };
  // Making it takes a while: another one's may be there by now.
  const meanwhile = await read(request);
  if (meanwhile !== null) return { ...meanwhile, shared: true };
  try {
    await notes.put(tag, writePlan(own), signal);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { ...own, shared: false };
  }
  const kept = await read(request);
  return { ...(kept ?? own), shared: kept !== null };
}

async function read({ notes, tag, count, signal }: PlanRequest): Promise<ShardPlan | null> {
  try {
    const text = await notes.get(tag, signal);
    return text === null ? null : readPlan(text, count);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return null;
  }
}
