/**
 * A run's remote: asked before something is built, given what was built, its failures said.
 *
 * What is found is recorded here like what was built here. Lazily, where only some of it will be needed: then the layers of
 * an output come when something is built from it. Unaware of shards and of how registries work.
 */
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Digest, Output } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { Standing } from '../plan/evaluate.ts';
import type { Fingerprint } from '../plan/inputs.ts';
import { openRemote, type Remote, remotePlace } from '../remote/index.ts';
import type { RemoteOptions } from '../remote/model.ts';
import type { BuildRecord } from '../state/records.ts';
import { isOutputKnownGood, type Pool } from '../store/index.ts';
import { expectationOf } from './attempt.ts';
import type { RunContext } from './context.ts';
import { runOfRemote, settledOf } from './origin.ts';
import { pause } from './pause.ts';
import type { Settled } from './ports.ts';
import { ViaRegistry } from './via-registry.ts';

interface Apart {
  readonly output: Output;
  readonly fingerprint: Digest;
  readonly settled: Settled;
}

/** How long a build waits for what it is made from while the remote does not answer, ms, and how often it asks. */
const LONGEST_AWAY = 15 * 60_000;
const LOOK_EVERY = 1_000;

export class RunRemote {
  readonly remote: Remote;
  /** Workers take from it and push to it themselves; null: all goes through the pool. */
  readonly via: ViaRegistry | null;
  readonly #pool: Pool;
  readonly #context: RunContext;
  /** Outputs of which only the documents are here. */
  readonly #apart = new Map<string, Apart>();

  #given = 0;

  constructor(context: RunContext, pool: Pool, options: RemoteOptions) {
    const { workspace, state, emit } = context;
    this.#context = context;
    this.#pool = pool;
    this.remote = openRemote({
      options,
      env: workspace.env,
      pool,
      pushed: state.pushed,
      warn: (problem) => emit({ type: 'warning', problem }),
    });
    this.via = options.viaRegistry === true ? new ViaRegistry(this.remote, remotePlace(options)) : null;
  }

  /** An output of this fingerprint that others have, whole and recorded here; null where there is none. */
  async seek(
    target: GraphTarget,
    fingerprint: Fingerprint,
    outputs: ReadonlyMap<string, Output>,
    signal: AbortSignal,
  ): Promise<Settled | null> {
    const expectation = expectationOf({ target, outputs });
    const found = await this.remote.find(target, fingerprint, expectation, signal);
    if (found === null) return null;
    const whole = await this.remote.bring(target.name, found.output, expectation, signal, fingerprint.digest);
    return whole ? this.#record(target, fingerprint, found.output, found.manifest) : null;
  }

  /** The same without its layers: they come when something is built from it. */
  async find(
    target: GraphTarget,
    fingerprint: Fingerprint,
    outputs: ReadonlyMap<string, Output>,
    signal: AbortSignal,
  ): Promise<Settled | null> {
    const known = this.#apart.get(target.name);
    if (known?.fingerprint === fingerprint.digest) return known.settled;
    if (this.#isSuspect(fingerprint)) return await this.seek(target, fingerprint, outputs, signal);
    const found = await this.remote.find(target, fingerprint, expectationOf({ target, outputs }), signal);
    if (found === null) return null;
    const settled = this.#record(target, fingerprint, found.output, found.manifest);
    this.#apart.set(target.name, { output: found.output, fingerprint: fingerprint.digest, settled });
    return settled;
  }

  /** True where only the documents of the target's output are here: it can not be shown. */
  isApart(target: string, output: Output): boolean {
    return this.#apart.has(target) || (this.via !== null && !isOutputKnownGood(this.#pool, output));
  }

  /** Has the layers of what a build is made from. @returns `remote-output-lost` (environment) where that can not be */
  async have(outputs: ReadonlyMap<string, Output>, signal: AbortSignal): Promise<Problem | null> {
    if (this.via !== null) return await this.via.have(outputs, signal);
    for (const name of outputs.keys()) {
      const apart = this.#apart.get(name);
      if (apart === undefined) continue;
      if (!(await this.#bring(name, apart, signal))) {
        return environmentProblem({
          code: 'remote-output-lost',
          text: `The output of ${name} is in ${this.remote.name}, but could not be had.`,
          hint: 'Run again: it is built then.',
        });
      }
      this.#apart.delete(name);
    }
    return null;
  }

  /** What a build is made from is waited for while the remote is away: there is nothing else to be done. */
  async #bring(name: string, { output, fingerprint }: Apart, signal: AbortSignal): Promise<boolean> {
    const began = performance.now();
    for (;;) {
      if (await this.remote.bring(name, output, null, signal, fingerprint)) return true;
      if (!this.remote.isAway || performance.now() - began > LONGEST_AWAY) return false;
      await pause(LOOK_EVERY, signal);
      signal.throwIfAborted();
    }
  }

  /** A record that came from here but whose output was no good, or not there: believed only when it is whole. */
  #isSuspect({ digest }: Fingerprint): boolean {
    const { records, pushed } = this.#context.state;
    const { name } = this.remote;
    return records
      .find(digest)
      .some(({ run, manifest }) => run === runOfRemote(name) && !pushed.has(name, digest, manifest));
  }

  /** Gives others what was built here; hits, too, where the remote may lack them. @returns whether they can have it */
  gives(record: BuildRecord, facts: string, duration: number | null): Promise<boolean> {
    if (record.origin !== 'built' || !this.remote.mayWrite) return Promise.resolve(record.origin !== 'built');
    const { pushed, history } = this.#context.state;
    if (pushed.has(this.remote.name, record.fingerprint, record.manifest)) return Promise.resolve(true);
    this.#given += 1;
    const took = duration ?? history.of(record.target, 1)[0]?.duration ?? 0;
    return this.remote.offer(record, facts, Math.round(took));
  }

  /** The same for all of a run that builds nothing. */
  async giveHits(standings: Iterable<Standing>): Promise<void> {
    for (const standing of standings) {
      if (standing.state !== 'hit' || standing.record.fingerprint !== standing.fingerprint.digest) continue;
      void this.gives(standing.record, standing.fingerprint.text, null);
    }
    await this.drain();
  }

  /** Waits until what was given is there; says what is not. */
  async drain(): Promise<readonly Problem[]> {
    const text = `giving ${this.remote.name} what was built`;
    if (this.#given > 0) this.#context.emit({ type: 'activity', id: 'remote', text, done: false });
    const left = await this.remote.drain(this.#context.stop);
    if (this.#given > 0) this.#context.emit({ type: 'activity', id: 'remote', text, done: true });
    const [first] = left.values();
    if (first === undefined) return [];
    const names = [...left.keys()].sort(byCodeUnit);
    const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
    const problem = environmentProblem({
      code: 'remote-not-given',
      level: 'warning',
      text: `Others can not have what was built of ${shown}: ${first.text}`,
      hint: 'The next run with --remote-write offers it again.',
    });
    this.#context.emit({ type: 'warning', problem });
    return [problem];
  }

  close(): void {
    this.remote.close();
  }

  #record(target: GraphTarget, fingerprint: Fingerprint, output: Output, manifest: Digest): Settled {
    const { state, workspace } = this.#context;
    const record: BuildRecord = {
      fingerprint: fingerprint.digest,
      manifest,
      output,
      origin: 'substituted',
      target: target.name,
      run: runOfRemote(this.remote.name),
      created: Date.now(),
    };
    state.records.write(record, fingerprint.text, workspace.treeKey);
    state.pushed.add(this.remote.name, fingerprint.digest, manifest);
    return settledOf(record);
  }
}
