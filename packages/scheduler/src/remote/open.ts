/**
 * Opens a remote: nothing is asked before somebody asks.
 */
import type { Problem } from '@stx-make/core/errors';
import { RegistryClient } from '../registry/index.ts';
import type { TimeLimits } from '../sources/network/watchdog.ts';
import type { Pushed } from '../state/pushed.ts';
import type { Pool } from '../store/index.ts';
import { Asking } from './asking.ts';
import type { Remote, RemoteOptions } from './model.ts';
import { openNotes } from './notes.ts';
import { remotePlace } from './place.ts';
import { RemoteReader } from './reader.ts';
import { RemoteWriter } from './writer.ts';

export interface RemoteSetting {
  readonly options: RemoteOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly pool: Pool;
  readonly pushed: Pushed;
  /** Told everything that people must know; once where it is about the registry itself. */
  readonly warn: (problem: Problem) => void;
  readonly limits?: TimeLimits | undefined;
  /** Waits between tries; tests have no time. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** A run does not wait for a registry as long as for a source that it can not do without. */
const LIMITS: TimeLimits = { answerMs: 20_000, totalMs: 3_600_000, stallMs: 20_000, stallBytes: 1024 };
const ATTEMPTS = 3;

/** @throws ProblemError `bad-registry` (input) */
export function openRemote(setting: RemoteSetting): Remote {
  const { options, env, pool, pushed, warn } = setting;
  const place = remotePlace(options);
  const closing = new AbortController();
  const client = new RegistryClient({
    place,
    env,
    signal: closing.signal,
    attempts: ATTEMPTS,
    limits: setting.limits ?? LIMITS,
    pause: setting.pause,
    hint: 'A run goes on without its remote.',
  });
  const clock = (): number => performance.now();
  const asking = new Asking({ place, client, pool, pushed, mayWrite: options.write, warn, clock });
  const reader = new RemoteReader(asking);
  const writer = new RemoteWriter(asking);
  return {
    name: place.name,
    get mayWrite() {
      return asking.mayWrite;
    },
    get isAway() {
      return asking.breaker.isOpen;
    },
    answers: (signal) => {
      asking.breaker.hurry();
      return reader.answers(signal);
    },
    find: (target, fingerprint, expectation, signal) => reader.find(target, fingerprint, expectation, signal),
    bring: (target, output, expectation, signal, fingerprint) =>
      reader.bring(target, output, expectation, signal, fingerprint ?? null),
    offer: (record, facts, duration) => writer.offer({ record, facts, duration }),
    ensure: (target, output, signal) => writer.ensure(target, output, signal),
    pushed: (target, index, expectation, signal) => reader.pushed(target, index, expectation, signal),
    drain: (signal) => writer.drain(signal),
    notes: openNotes({ client, place }),
    close: () => {
      closing.abort(new Error('the remote is closed'));
      writer.close();
      client.close();
    },
  };
}
