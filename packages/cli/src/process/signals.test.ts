/** Ctrl-C once and twice, TERM, HUP: which code, what is killed. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { listenToSignals } from './signals.ts';

function listen() {
  const source = new EventEmitter();
  const did: string[] = [];
  const left = Promise.withResolvers<number>();
  const signals = listenToSignals({
    source,
    exit: (code) => {
      did.push(`exit ${code}`);
      left.resolve(code);
    },
    killChildren: () => {
      did.push('kill');
      return Promise.resolve();
    },
  });
  return { source, did, left: left.promise, signals };
}

test('a command that does not end kindly is ended at once', () => {
  const { source, did, signals } = listen();
  source.emit('SIGINT');
  expect(did).toEqual(['exit 130']);
  expect(signals.stop.aborted).toBe(true);
});

test('Ctrl-C once asks, twice kills', async () => {
  const { source, did, left, signals } = listen();
  signals.setGraceful();
  source.emit('SIGINT');
  expect([did, signals.stop.aborted, signals.code()]).toEqual([[], true, 130]);
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(await left).toBe(130);
  expect(did).toEqual(['kill', 'exit 130']);
});

test('TERM asks with 143; the first signal decides the code', async () => {
  const { source, signals, left } = listen();
  signals.setGraceful();
  source.emit('SIGTERM');
  expect(signals.code()).toBe(143);
  source.emit('SIGINT');
  expect(await left).toBe(143);
});

test('HUP leaves a run alone that can go on without its terminal, and ends what can not', () => {
  const run = listen();
  run.signals.setGraceful();
  let told = 0;
  run.signals.onHangup(() => told++);
  run.source.emit('SIGHUP');
  expect([told, run.did, run.signals.stop.aborted]).toEqual([1, [], false]);
  const other = listen();
  other.source.emit('SIGHUP');
  expect(other.did).toEqual(['exit 129']);
});

test('a closed pipe is quiet: what was wanted is read', () => {
  const view = listen();
  view.signals.pipeClosed();
  expect(view.did).toEqual(['exit 0']);
  const run = listen();
  run.signals.setGraceful();
  run.signals.pipeClosed();
  expect([run.did, run.signals.stop.aborted, run.signals.code()]).toEqual([[], true, 130]);
});

test('nothing is left behind', () => {
  const { source, signals } = listen();
  signals.dispose();
  expect(source.eventNames()).toEqual([]);
});
