/**
 * The loop of `watch`: a round, then waiting until changes have settled, then the next. Changes that settle during
 * a round are told to it; what it does about them is its own affair, and afterwards there is one more round.
 *
 * Unaware of what a round does.
 */
import type { Changes } from './changes.ts';

export interface LoopOptions {
  readonly changes: Changes;
  readonly stop: AbortSignal;
  /** Works on the tree as it is now. `onEdits` takes what is to be called when files changed meanwhile. */
  readonly round: (
    changed: ReadonlySet<string>,
    number: number,
    onEdits: (look: () => void) => void,
  ) => Promise<void>;
  /** Waiting begins. `go`: do not wait for a change. @returns called when it ends */
  readonly onIdle: (go: () => void) => () => void;
}

/** Ends when it is stopped; rejects with what a round rejects with. */
export async function watchLoop({ changes, stop, round, onIdle }: LoopOptions): Promise<void> {
  for (let number = 1; !stop.aborted; number += 1) {
    const changed = changes.take();
    let look: (() => void) | null = null;
    changes.onSettled = () => look?.();
    await round(changed, number, (tell) => {
      look = tell;
      // They may have settled while the round was getting ready.
      if (changes.settled) tell();
    });
    if (stop.aborted) return;
    await settled(changes, stop, onIdle);
  }
}

function settled(changes: Changes, stop: AbortSignal, onIdle: LoopOptions['onIdle']): Promise<void> {
  if (changes.settled) return Promise.resolve();
  return new Promise((resolve) => {
    let endIdle: (() => void) | null = null;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      stop.removeEventListener('abort', done);
      changes.onSettled = () => {};
      endIdle?.();
      resolve();
    };
    changes.onSettled = done;
    stop.addEventListener('abort', done, { once: true });
    endIdle = onIdle(done);
    // It may have been ended at once.
    if (isDone) endIdle();
  });
}
