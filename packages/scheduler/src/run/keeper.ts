/**
 * Sees to it that what a run builds survives a power cut: outputs and their records, many at a time.
 *
 * A record is written as soon as there is one, so that a killed run loses nothing. What a power cut may take is what was
 * built in the half second before, and nothing wrong is left of it: a blob counts as known only when its bytes are on the
 * disk (store/ledger.ts), else it is read before it is used. Each output on its own would cost a build six waits for
 * the disk, and BuildKit on the same disk as many.
 *
 * Unaware of what is built.
 */
import type { Pool } from '../store/index.ts';

/** The longest that a short build is unsafe, ms. */
const GATHER_MS = 500;
/** What took longer to build than this is not left to chance, ms. */
const PRECIOUS_MS = 10_000;

export class Keeper {
  readonly #pool: Pick<Pool, 'syncTogether'>;
  readonly #state: { sync(): void };
  #timer: NodeJS.Timeout | undefined;
  #isDirty = false;
  /** The sync under way; they follow each other. */
  #syncing: Promise<void> = Promise.resolve();
  /** A disk that could not be synced: nothing more is taken to be kept. */
  #failure: { readonly error: unknown } | null = null;

  constructor(pool: Pick<Pool, 'syncTogether'>, state: { sync(): void }) {
    this.#pool = pool;
    this.#state = state;
  }

  /**
   * An output was recorded.
   * @param duration of its build, ms
   * @throws ProblemError (environment) where the disk can not be synced
   */
  async recorded(duration: number): Promise<void> {
    this.#isDirty = true;
    if (duration > PRECIOUS_MS) return await this.keepAll();
    if (this.#failure !== null) throw this.#failure.error;
    this.#timer ??= setTimeout(() => {
      void this.keepAll().catch(() => {
        // Told by whoever comes next.
      });
    }, GATHER_MS).unref();
  }

  /** Resolves when all that was recorded is on the disk. @throws ProblemError (environment) */
  keepAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = this.#syncing.catch(() => {}).then(() => this.#sync());
    this.#syncing = next;
    return next;
  }

  async #sync(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await this.#pool.syncTogether();
      this.#state.sync();
      this.#failure = null;
    } catch (error) {
      this.#isDirty = true;
      this.#failure = { error };
      throw error;
    }
  }
}
