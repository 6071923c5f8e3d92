/**
 * Gives records and outputs to a remote, beside the builds: blobs first, the record last, so whoever finds a record finds
 * its output.
 *
 * A good record that is there already stays. Unaware of where records come from.
 */
import { environmentProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { decodeFacts } from '@stx-make/core/fingerprint/encode';
import type { Digest, Output } from '@stx-make/core/oci/model';
import { repositoryOf } from '../registry/index.ts';
import type { BuildRecord } from '../state/records.ts';
import { type Asking, AWAY } from './asking.ts';
import { decodeRecord, encodeRecord, MAX_RECORD, type RecordDocument, recordTag } from './record.ts';
import { OutputSender } from './sender.ts';

interface Offer {
  readonly record: BuildRecord;
  readonly facts: string;
  readonly duration: number;
}

interface OpenOffer extends Offer {
  /** Whether it is there, once that is known. */
  readonly given: Promise<boolean>;
  readonly end: (there: boolean) => void;
  isUnderWay: boolean;
}

/** Least time between two tries of what a registry that failed did not get, ms. */
const AGAIN = 500;

export class RemoteWriter {
  readonly #asking: Asking;
  readonly #sender: OutputSender;
  readonly #stop = new AbortController();
  /** By fingerprint: not there yet. */
  readonly #open = new Map<string, OpenOffer>();
  readonly #failures = new Map<string, Problem>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #bug: { readonly error: unknown } | null = null;

  constructor(asking: Asking) {
    this.#asking = asking;
    this.#sender = new OutputSender(asking);
  }

  async offer(offer: Offer): Promise<boolean> {
    const { pushed, place } = this.#asking.parts;
    const { fingerprint, manifest } = offer.record;
    if (pushed.has(place.name, fingerprint, manifest)) return true;
    if (this.#isCut()) return false;
    const known = this.#open.get(fingerprint);
    if (known !== undefined) return await known.given;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const open: OpenOffer = { ...offer, given: promise, end: resolve, isUnderWay: false };
    this.#open.set(fingerprint, open);
    this.#start(open);
    return await promise;
  }

  /** See Remote. */
  async ensure(target: string, output: Output, signal: AbortSignal): Promise<boolean> {
    const { client, place } = this.#asking.parts;
    const repository = repositoryOf(place, target);
    const key = `${repository}@${output.index.digest}`;
    if (this.#asking.there.has(key)) return true;
    try {
      const there = await this.#asking.write(signal, async () => {
        const there = client.has(repository, 'manifests', output.index.digest, signal);
        if ((await this.#asking.unlessRefused(there)) === null) {
          await this.#sender.output(
            repository,
            { target, output },
            this.#sender.documents({ target, output }),
            [],
            signal,
          );
        }
        this.#asking.there.add(key);
      });
      return there !== AWAY;
    } catch (error) {
      // Not whole here either.
      if (error instanceof ProblemError && error.problems[0]?.code === 'output-lost') return false;
      throw error;
    }
  }

  async drain(signal: AbortSignal): Promise<ReadonlyMap<string, Problem>> {
    const stop = (): void => this.#stop.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    await this.#idle();
    // It may be back: one is let through, and where that works the others follow.
    const [first, ...others] = this.#isCut() ? [] : this.#open.values();
    if (first !== undefined) {
      this.#asking.breaker.hurry();
      this.#start(first);
      await this.#idle();
      if (!this.#open.has(first.record.fingerprint)) for (const offer of others) this.#start(offer);
      await this.#idle();
    }
    signal.removeEventListener('abort', stop);
    clearTimeout(this.#timer);
    for (const { end } of this.#open.values()) end(false);
    if (this.#bug !== null) throw this.#bug.error;
    const left = new Map(this.#failures);
    for (const { record } of this.#open.values()) {
      if (!left.has(record.target)) left.set(record.target, this.#notGiven());
    }
    return left;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop.abort(new Error('the remote is closed'));
    for (const { end } of this.#open.values()) end(false);
  }

  #isCut(): boolean {
    return this.#stop.signal.aborted || !this.#asking.mayWrite;
  }

  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Never rejects. */
  #start(open: OpenOffer): void {
    const { fingerprint, target } = open.record;
    if (open.isUnderWay) return;
    open.isUnderWay = true;
    const over = (there: boolean): void => {
      this.#open.delete(fingerprint);
      open.end(there);
    };
    const work = this.#asking
      .write(this.#stop.signal, () => this.#give(open))
      .then((given) => {
        if (given === AWAY) return this.#tryAgain();
        this.#failures.delete(target);
        over(true);
      })
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        const problem = error instanceof ProblemError ? error.problems[0] : undefined;
        if (problem === undefined) this.#bug ??= { error };
        else this.#failures.set(target, problem);
        over(false);
      })
      .finally(() => {
        open.isUnderWay = false;
        this.#running.delete(work);
      });
    this.#running.add(work);
  }

  /** Others may wait for it: what did not go is tried again while the run goes on. */
  #tryAgain(): void {
    if (this.#isCut()) {
      // Nobody needs to wait for what will not come; drain tells what it was.
      for (const { end } of this.#open.values()) end(false);
      return;
    }
    if (this.#timer !== undefined) return;
    const wait = Math.max(AGAIN, this.#asking.breaker.restMs);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      for (const open of this.#open.values()) this.#start(open);
    }, wait);
    this.#timer.unref();
  }

  async #give({ record, facts, duration }: Offer): Promise<void> {
    const { client, place, pushed } = this.#asking.parts;
    const { signal } = this.#stop;
    const { target, manifest, output, created } = record;
    const fingerprint = record.fingerprint as Digest;
    const repository = repositoryOf(place, target);
    const tag = recordTag(fingerprint);
    const there = await this.#known(repository, tag, record, signal);
    if (there === null) {
      const documents = this.#sender.documents(record);
      const mine = {
        fingerprint,
        target,
        manifest,
        index: output.index,
        duration,
        created,
        facts,
        documents,
      };
      const bytes = encodeRecord(mine);
      if (bytes === null) throw tooLarge(target);
      await this.#sender.output(repository, record, documents, basesOf(facts), signal);
      await client.push.manifest(repository, tag, output.index.mediaType, bytes, signal);
      this.#asking.bad.delete(fingerprint);
    } else if (there.manifest !== manifest) this.#differs(target, there.manifest, manifest);
    pushed.add(place.name, fingerprint, manifest);
  }

  /** The record that is there; null where there is none that is any good. */
  async #known(
    repository: string,
    tag: string,
    { fingerprint, target }: BuildRecord,
    signal: AbortSignal,
  ): Promise<RecordDocument | null> {
    if (this.#asking.bad.has(fingerprint)) return null;
    const { client } = this.#asking.parts;
    const tagged = await this.#asking.unlessRefused(client.tagged(repository, tag, MAX_RECORD, signal));
    if (tagged === null) return null;
    try {
      return decodeRecord(tagged.bytes, { fingerprint: fingerprint as Digest, target });
    } catch (error) {
      if (error instanceof ProblemError) return null;
      throw error;
    }
  }

  #differs(target: string, theirs: Digest, ours: Digest): void {
    const { place, warn } = this.#asking.parts;
    warn(
      environmentProblem({
        code: 'remote-differs',
        level: 'warning',
        text: `${target} is not reproducible: from equal inputs ${place.name} has ${theirs}, here came ${ours}.`,
        hint: 'The one that is there stays, and ours stays here.',
      }),
    );
  }

  #notGiven(): Problem {
    const { name } = this.#asking.parts.place;
    const why = this.#stop.signal.aborted ? 'the run was ended before' : 'it does not answer, or refuses';
    return environmentProblem({ code: 'remote-not-given', text: `${name} did not get it: ${why}.` });
  }
}

/** Dependencies whose layers are at the bottom of the output. */
function basesOf(facts: string): string[] {
  return (decodeFacts(facts) ?? []).flatMap(([key, value]) => {
    const name = /^dependency ([^ ]+)/.exec(key)?.[1];
    return name !== undefined && value.startsWith('image ') ? [name] : [];
  });
}

function tooLarge(target: string): ProblemError {
  return new ProblemError(
    environmentProblem({
      code: 'record-too-large',
      text: `The record of ${target} has more bytes than registries take for a manifest.`,
    }),
  );
}
