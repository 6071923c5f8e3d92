/**
 * `adopt` and `preseed`: published images instead of builds. Both tie each image to the recipe of the commit that wrote
 * its digest (claims.ts), verify it blob by blob, and record it as of any engine: for builds that is a hit wherever the
 * recipe and what it needs are what they were in that commit, and nothing anywhere else.
 *
 * What is recorded here was not built here; its origin says so for ever.
 */
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { Digest, ImageOutput, Output } from '@stx-make/core/oci/model';
import { byCodeUnit } from '@stx-make/core/order';
import { forEachLimited } from '../files/index.ts';
import { openGit } from '../git/index.ts';
import { takeRunLocks } from '../run/locks.ts';
import type { State } from '../state/state.ts';
import { isPublished, openPool, outputSize, type Pool, publishOutput } from '../store/index.ts';
import { closureOf, type Workspace } from '../workspace.ts';
import { type ClaimedTarget, type Claims, fingerprintClaim, locateClaim, readClaims } from './claims.ts';
import { describeImage, takeImage } from './image.ts';
import { localOutputs } from './local.ts';
import { failuresOf, type TakenTarget, type TakeReport, type TakeRequest, type TakeResult } from './taken.ts';

/** @throws ProblemError for what keeps it from beginning, and for an environment that would fail every image */
export async function takePublished(workspace: Workspace, request: TakeRequest): Promise<TakeReport> {
  const locks = await takeRunLocks(workspace, {
    command: request.command,
    wait: request.wait,
    stop: request.signal,
    now: Date.now,
    onWait: request.onActivity,
  });
  try {
    return await new Taking(workspace, request, workspace.openState()).run();
  } finally {
    locks.release();
  }
}

class Taking {
  readonly #workspace: Workspace;
  readonly #request: TakeRequest;
  readonly #state: State;
  readonly #pool: Pool;
  readonly #results = new Map<string, TakenTarget>();
  readonly #problems: Problem[] = [];
  /** Verified, by target and manifest digest. */
  readonly #outputs = new Map<string, Output>();
  /** Only looked at, never recorded: their layers are not here. */
  readonly #described = new Map<string, Output>();

  constructor(workspace: Workspace, request: TakeRequest, state: State) {
    this.#workspace = workspace;
    this.#request = request;
    this.#state = state;
    this.#pool = openPool(state.paths, state.ledgers.blobs);
  }

  async run(): Promise<TakeReport> {
    const { tree, root, platform, env, config } = this.#workspace;
    const { selection, withDependencies, asOf, signal, onActivity } = this.#request;
    const named = selection.length === 0 ? [...tree.graph.targets.keys()] : selection;
    const names = withDependencies ? closureOf(tree, selection).map(({ name }) => name) : named;
    onActivity('reading the history of digests/');
    const git = await openGit(root, env, signal);
    const allowedImages = new Set(config.allowedImages);
    const sorted = [...names].sort(byCodeUnit);
    const claims = await readClaims(git, { root, platform, allowedImages, names: sorted, asOf });
    for (const { target, digest, code, text } of claims.unclaimed) {
      this.#note(target, code === 'unbound' ? 'unbound' : 'uncommitted', { digest, text });
    }
    const located = this.#locate(claims);
    const claimed = new Map(located.map(({ claim }) => [claim.target, claim.digest]));
    const bound = located.filter((one) => this.#isBound(one, claimed));
    onActivity(`looking at ${bound.length} images in ${this.#request.origin.name}`);
    // Whatever ends it early, what was taken by then is recorded.
    let end: { readonly error: unknown } | null = null;
    try {
      await forEachLimited(bound.values(), this.#request.parallel, (target) => this.#take(target));
      await this.#describeNeeds(bound);
    } catch (error) {
      end = { error };
    }
    this.#pool.sync();
    this.#recordAll(bound);
    await this.#publish(names);
    if (end !== null) throw end.error;
    return this.#report(new Set(selection));
  }

  /** The claims that say which recipe they are of, given that all they need is known as well. */
  #locate(claims: Claims): ClaimedTarget[] {
    const located: ClaimedTarget[] = [];
    for (const claim of claims.claims) {
      const found = locateClaim(claim, claims.commits);
      if (typeof found !== 'string') located.push(found);
      else this.#note(claim.target, 'unbound', { digest: claim.digest, commit: claim.commit, text: found });
    }
    return located;
  }

  /** Whether all it needed when its digest was written is what is claimed now, or known from elsewhere. */
  #isBound({ claim, needs }: ClaimedTarget, claimed: ReadonlyMap<string, Digest>): boolean {
    const { target, digest, commit } = claim;
    for (const [need, wanted] of needs) {
      const now = claimed.get(need) ?? null;
      if (now === wanted || this.#state.records.outputOf(need, wanted) !== null) continue;
      const short = commit.slice(0, 12);
      const text =
        now === null
          ? `what it needs of ${need} is not known: ${this.#results.get(need)?.text ?? 'it was not asked for'}`
          : `${need}, which it needs, got another digest after commit ${short} wrote its own`;
      this.#note(target, 'unbound', { digest, commit, text });
      return false;
    }
    return true;
  }

  /** Images that are not taken themselves, but that others are tied to: what can be seen of them is in two documents. */
  async #describeNeeds(bound: readonly ClaimedTarget[]): Promise<void> {
    const { origin, signal } = this.#request;
    const wanted = new Map<string, { readonly target: string; readonly manifest: Digest }>();
    for (const { needs } of bound) {
      for (const [target, manifest] of needs) {
        if (this.#outputOf(target, manifest) === null)
          wanted.set(`${target}@${manifest}`, { target, manifest });
      }
    }
    await forEachLimited(wanted.values(), this.#request.parallel, async ({ target, manifest }) => {
      try {
        const offer = await origin.offer(target, manifest, this.#pool);
        if (offer.kind !== 'here') return;
        this.#described.set(
          `${target}@${manifest}`,
          await describeImage(this.#pool, origin, { target, manifest }, signal),
        );
      } catch (error) {
        // Told of the targets that can not be tied to a recipe without it.
        if (!(error instanceof ProblemError) || error.problems.some(({ tag }) => tag !== 'integrity'))
          throw error;
      }
    });
  }

  async #take({ claim, target }: ClaimedTarget): Promise<void> {
    const { origin, signal } = this.#request;
    const { target: name, digest, commit } = claim;
    const [platform = this.#workspace.platform] = target.platforms;
    signal.throwIfAborted();
    try {
      const offer = await origin.offer(name, digest, this.#pool);
      switch (offer.kind) {
        case 'absent':
          this.#note(name, 'absent', { digest, commit, text: `${origin.name} does not have it` });
          return;
        case 'other': {
          const text = `${origin.name} has ${offer.digest}, committed is ${digest}`;
          this.#note(name, 'other', { digest, commit, text });
          return;
        }
        case 'here':
          break;
        default:
          offer satisfies never;
      }
      const output = await takeImage(
        this.#pool,
        origin,
        { target: name, manifest: digest, platform },
        signal,
      );
      this.#outputs.set(`${name}@${digest}`, output);
      this.#note(name, 'taken', { digest, commit, size: outputSize(output), text: '' });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // Disk and network fail for all images alike: going on would only say it again.
      if (error.problems.some(({ tag }) => tag === 'environment' || tag === 'bug')) throw error;
      this.#problems.push(...error.problems);
      const text = error.problems.map((problem) => problem.text).join('; ');
      this.#note(name, 'refused', { digest, commit, text });
    }
  }

  /** Writes the records. What an image needs is what the commit of its own line says, so the order does not matter. */
  #recordAll(bound: readonly ClaimedTarget[]): void {
    for (const one of bound) {
      const { target: name, digest, commit } = one.claim;
      const output = this.#outputs.get(`${name}@${digest}`);
      if (output === undefined) continue;
      const unknown = [...one.needs].find(([need, wanted]) => this.#outputOf(need, wanted) === null);
      const why =
        unknown === undefined ? this.#baseFault(one, output) : `what it needs of ${unknown[0]} is not here`;
      if (why !== null) {
        this.#note(name, 'unbound', { digest, commit, text: why });
        continue;
      }
      const fingerprint = fingerprintClaim(one, (need) => this.#needed(one, need));
      this.#state.records.write(
        {
          fingerprint: fingerprint.digest,
          manifest: digest,
          output,
          origin: this.#request.as,
          target: name,
          run: this.#request.as,
          created: Date.now(),
        },
        fingerprint.text,
        this.#workspace.treeKey,
      );
    }
  }

  #outputOf(target: string, manifest: Digest): Output | null {
    const key = `${target}@${manifest}`;
    const known = this.#outputs.get(key) ?? this.#described.get(key);
    return known ?? this.#state.records.outputOf(target, manifest);
  }

  #needed(one: ClaimedTarget, dependency: string): Output {
    const manifest = one.needs.get(dependency);
    const output = manifest === undefined ? null : this.#outputOf(dependency, manifest);
    if (output === null) throw new Error(`${dependency} is not known`);
    return output;
  }

  /** An image that starts from another one begins with its layers; else the commit's digests do not belong together. */
  #baseFault(one: ClaimedTarget, output: Output): string | null {
    const base = one.target.resolved[0]?.base ?? null;
    const dependency = base === null ? undefined : one.target.contextNames.get(base.image);
    if (dependency === undefined) return null;
    const below: ImageOutput | undefined = this.#needed(one, dependency).images[0];
    const own = output.images[0]?.layers ?? [];
    const fits = below?.layers.every((layer, place) => own[place]?.digest === layer.digest);
    return fits === false ? `it is not made from the committed ${dependency}, which it starts from` : null;
  }

  /** Shows what answers for the tree as it is now under out/; what is edited is left as it is. */
  async #publish(names: readonly string[]): Promise<void> {
    const { tree, out } = this.#workspace;
    const order = closureOf(tree, names);
    const standings = await localOutputs(this.#workspace, this.#state, this.#pool, order);
    for (const { name, tag } of order) {
      const taken = this.#results.get(name);
      const standing = standings.get(name);
      if (taken?.result !== 'taken' || standing === undefined) continue;
      if (standing.state === 'current') {
        const { output, manifest } = standing.record;
        if (manifest === taken.digest && !isPublished(this.#pool, output, out, { name, tag })) {
          publishOutput(this.#pool, output, out, { name, tag });
        }
        this.#results.set(name, { ...taken, action: 'hit' });
      } else if (standing.state === 'stale') {
        this.#results.set(name, { ...taken, action: 'build', reasons: standing.reasons });
      } else {
        const reasons = standing.on.map((need) => ({ code: 'waits', text: `waits for ${need}` }));
        this.#results.set(name, { ...taken, action: 'waiting', reasons });
      }
    }
  }

  #note(
    name: string,
    result: TakeResult,
    more: Pick<TakenTarget, 'digest' | 'text'> & Partial<Pick<TakenTarget, 'commit' | 'size'>>,
  ): void {
    const target = { name, result, commit: null, size: null, action: null, reasons: [], ...more };
    this.#results.set(name, target);
    this.#request.onTarget(target);
  }

  #report(named: ReadonlySet<string>): TakeReport {
    const targets = [...this.#results.values()].sort((a, b) => byCodeUnit(a.name, b.name));
    const failures = failuresOf(targets, named, this.#request.wantsAll);
    const problems = [...this.#problems, ...failures];
    return { ok: problems.length === 0, targets, problems };
  }
}
