/**
 * A run as one shard of a session: what is its own it builds, what is others' it awaits, and it tells them how it is.
 *
 * Stands between the conductor (which asks where a target is to be had, and tells ends) and shard/ (which decides whose it
 * is). Unaware of how things are built, recorded and pushed.
 */
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Output } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { RunShard } from '../api.ts';
import type { Standing } from '../plan/evaluate.ts';
import type { Fingerprint } from '../plan/inputs.ts';
import type { RemoteNotes } from '../remote/model.ts';
import { Awaiting, type Find } from '../shard/awaiting.ts';
import type { ShardOptions, ShardPlan } from '../shard/model.ts';
import { OwnStatus } from '../shard/own-status.ts';
import { Peers } from '../shard/peers.ts';
import { sharePlan } from '../shard/plan.ts';
import { tagsOf } from '../shard/session.ts';
import type { ConductedTarget, Emit, Follower, Settled, Sought } from './ports.ts';

export interface ShardSetup {
  readonly shard: ShardOptions;
  /** Of the tree: see Session. */
  readonly platform: string;
  readonly content: string;
  readonly engine: string;
  readonly notes: RemoteNotes;
  readonly order: readonly GraphTarget[];
  /** Judges a target whose dependencies all have an output. */
  readonly judge: (target: GraphTarget, outputOf: (dependency: string) => Output) => Standing;
  /** Asks the remote once for an output, its documents alone; what is found is recorded here. */
  readonly find: (
    target: GraphTarget,
    fingerprint: Fingerprint,
    outputs: ReadonlyMap<string, Output>,
    signal: AbortSignal,
  ) => Promise<Settled | null>;
  /** Shares out what nobody has a record of. */
  readonly assign: (open: readonly GraphTarget[]) => Promise<ReadonlyMap<string, number>>;
  readonly emit: Emit;
  /** ms, monotonic. */
  readonly clock: () => number;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A name no other process has. */
  readonly process: string;
  readonly stop: AbortSignal;
}

/** How often it is said what is waited for, ms. */
const SAY_EVERY = 15_000;

export class ShardRun implements Follower {
  readonly #setup: ShardSetup;
  readonly #plan: ShardPlan;
  readonly #own: OwnStatus;
  readonly #awaiting: Awaiting;
  /** Given at the beginning or taken over. */
  readonly #mine: Set<string>;
  readonly #tookOver = new Set<string>();
  /** Failed on another shard: not ours to tell. */
  readonly #elsewhere = new Set<string>();
  /** Found with the others, so there is nothing to give them. */
  readonly #found = new Set<string>();
  /** By target: whether the others can have it. */
  readonly #given = new Map<string, Promise<boolean>>();
  readonly #ungiven = new Set<string>();
  /** Asked for in the remote, and maybe awaited. */
  readonly #sought = new Set<string>();
  #sayNext = 0;
  #saidAwaited = false;
  /** Shards that were given up for some target. */
  readonly #lost = new Set<number>();

  private constructor(setup: ShardSetup, plan: ShardPlan) {
    const { shard, platform, notes, order, clock, pause, process } = setup;
    const tags = tagsOf({ ...shard, platform });
    this.#setup = setup;
    this.#plan = plan;
    this.#mine = new Set(
      order.map(({ name }) => name).filter((name) => plan.shardOf.get(name) === shard.index),
    );
    const own = {
      notes,
      tag: tags.status(shard.index),
      shard: shard.index,
      count: shard.count,
      process,
      pause,
    };
    this.#own = new OwnStatus({ ...own, silence: shard.silence }, this.#mine);
    const peers = new Peers({ notes, tagOf: tags.status, isOwnSession: shard.isOwnSession, clock });
    this.#awaiting = new Awaiting({
      shard,
      plan,
      peers,
      own: this.#own,
      clock,
      pause,
      onTakeover: (target, from) => this.#givenUp(target, from),
    });
  }

  /** Makes or reads the session's plan. @throws the stop signal's reason */
  static async begin(setup: ShardSetup): Promise<ShardRun> {
    const { shard, platform, content, engine, notes, stop, emit, pause } = setup;
    const say = (text: string, done: boolean): void => emit({ type: 'activity', id: 'shard', text, done });
    say(`shard ${shard.index}/${shard.count}: looking for what the remote has, and for the plan`, false);
    const plan = await sharePlan({
      notes,
      tag: tagsOf({ ...shard, platform }).plan,
      count: shard.count,
      tree: content,
      engine,
      make: async () => await setup.assign(await withoutRecord(setup)),
      signal: stop,
      pause,
    });
    const run = new ShardRun(setup, plan);
    run.#own.begin();
    const others = plan.shared ? '' : ' (of its own: the remote does not keep it)';
    say(
      `shard ${shard.index}/${shard.count} of ${shard.session}: ${run.#mine.size} targets to build${others}`,
      true,
    );
    return run;
  }

  /** For RunPorts. */
  async seek(
    target: GraphTarget,
    fingerprint: Fingerprint,
    outputs: ReadonlyMap<string, Output>,
    signal: AbortSignal,
  ): Promise<Sought> {
    const { name } = target;
    const find: Find = (until) => this.#setup.find(target, fingerprint, outputs, until);
    this.#sought.add(name);
    this.#sayAwaited();
    const sought = await this.#awaiting.seek(name, find, signal);
    this.#sought.delete(name);
    this.#sayAwaited();
    switch (sought.status) {
      case 'found':
        this.#found.add(name);
        break;
      case 'failed':
        this.#elsewhere.add(name);
        break;
      case 'absent':
        if (!signal.aborted) this.#builds(name);
        break;
      default:
        sought satisfies never;
    }
    return sought;
  }

  /** An output is on its way to the others. */
  gives(target: string, given: Promise<boolean>): void {
    this.#given.set(target, given);
  }

  ended(target: string, end: ConductedTarget): void {
    if (end.failure !== null) {
      if (!this.#elsewhere.has(target)) this.#own.fail(target, end.failure);
      return;
    }
    if (end.result === 'skipped' || this.#found.has(target)) {
      this.#own.close(target);
      return;
    }
    const given = this.#given.get(target) ?? Promise.resolve(true);
    void given.then((there) => {
      if (there) this.#own.close(target);
      else if (this.#mine.has(target)) this.#ungiven.add(target);
    });
  }

  takenBack(target: string): void {
    this.#elsewhere.delete(target);
    this.#own.reopen(target);
  }

  /** Whether an end counts for this shard. */
  isOwn(target: string): boolean {
    return this.#mine.has(target);
  }

  /** Its part, for the summary. */
  part(): RunShard {
    const { index, count, session } = this.#setup.shard;
    return {
      index,
      count,
      session,
      own: [...this.#mine].sort(byCodeUnit),
      tookOver: [...this.#tookOver].sort(byCodeUnit),
    };
  }

  /** Built, but the others can not have it. */
  get ungiven(): readonly string[] {
    return [...this.#ungiven].sort(byCodeUnit);
  }

  /** Nothing more comes of this shard: the others need not wait. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#given.values());
    await this.#own.end();
  }

  /** A shard that builds nothing because others do should not look dead. */
  #sayAwaited(): void {
    const { clock, emit } = this.#setup;
    const awaited = [...this.#sought].filter((name) => !this.#mine.has(name));
    const isOver = awaited.length === 0 && this.#saidAwaited;
    if (!isOver && (awaited.length === 0 || clock() < this.#sayNext)) return;
    this.#sayNext = clock() + SAY_EVERY;
    this.#saidAwaited = !isOver;
    const some = awaited.slice(0, 3).join(', ') + (awaited.length > 3 ? ' ...' : '');
    const text = isOver
      ? 'nothing of other shards is waited for'
      : `waiting for other shards: ${some} (${awaited.length})`;
    emit({ type: 'activity', id: 'awaiting', text, done: isOver });
  }

  #builds(target: string): void {
    this.#mine.add(target);
    if (this.#plan.shardOf.get(target) !== this.#setup.shard.index) this.#tookOver.add(target);
  }

  /** Said once a shard: hundreds of targets may be waited for. */
  #givenUp(target: string, from: number): void {
    if (this.#lost.has(from)) return;
    this.#lost.add(from);
    const text = `shard ${from} gives no sign of ${target}: what is its own is shared out among the others`;
    this.#setup.emit({ type: 'activity', id: `shard-${from}`, text, done: true });
  }
}

/** Targets that neither a record here nor the remote answers for, as far as that can be told before anything is built;
 * topological. */
async function withoutRecord({ order, judge, find, stop }: ShardSetup): Promise<GraphTarget[]> {
  const outputs = new Map<string, Promise<Output | null>>();
  for (const target of order) {
    const needed = target.dependencies.map((name) => outputs.get(name) ?? Promise.resolve(null));
    outputs.set(
      target.name,
      Promise.all(needed).then(async (found) => {
        const known = new Map<string, Output>();
        for (const [index, name] of target.dependencies.entries()) {
          const output = found[index] ?? null;
          if (output === null) return null;
          known.set(name, output);
        }
        const standing = judge(target, (name) => {
          const output = known.get(name);
          if (output === undefined) throw new Error(`${name} has no output`);
          return output;
        });
        if (standing.state === 'hit') return standing.record.output;
        if (standing.state !== 'build') return null;
        return (await find(target, standing.fingerprint, known, stop))?.output ?? null;
      }),
    );
  }
  const ends = await Promise.all(order.map(({ name }) => outputs.get(name)));
  return order.filter((_, index) => ends[index] === null);
}
