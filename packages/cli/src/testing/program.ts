/**
 * For tests: the whole program with a made-up tree, whose runs are played by the test through a socket
 * (STX_TEST_SOCKET). Events come in as JSON lines; `stop`, `paused`, `resumed` and `retry TARGET` go out when the run is
 * asked for it; the run ends when the test ends the connection. Not part of the program.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { RunEvent } from '@stx-make/core/events';
import { runEventsFile, statePaths } from '@stx-make/scheduler/paths';
import { startDetachedSelf } from '@stx-make/scheduler/process/detached';
import { openJournal } from '@stx-make/scheduler/run/journal';
import { Steering } from '@stx-make/scheduler/run/steering';
import { commands } from '../commands/table.ts';
import { start } from '../process/start.ts';
import { okSummary, testServices } from './services.ts';

const made = testServices();
const state = statePaths(process.env['STX_MAKE_STATE'] ?? '/nowhere');

await start(commands, {
  ...made,
  openSession: async (options) => ({ ...(await made.openSession(options)), state }),
  stateRoot: () => Promise.resolve(state.root),
  startDetached: (words, output) => Promise.resolve(startDetachedSelf(process.argv[1] ?? '', words, output)),
  run: async (_session, options, sink, control) => {
    const socket = connect(process.env['STX_TEST_SOCKET'] ?? '');
    control.stop.addEventListener('abort', () => socket.write('stop\n'));
    socket.write('run\n');
    let ok = true;
    let at = 0;
    let journal: ReturnType<typeof openJournal> | null = null;
    const emit = (event: RunEvent): void => {
      if (event.type === 'run-started') {
        const file = runEventsFile(state, event.run);
        const opened = openJournal(file);
        journal = opened;
        const steering = new Steering(
          ({ type }) => {
            emit({ at, type } as RunEvent);
            socket.write(`${type}\n`);
          },
          () => {
            opened.keep();
            return file;
          },
        );
        steering.begin({
          pause: () => {},
          resume: () => {},
          retry: (target) => {
            socket.write(`retry ${target}\n`);
            return target.endsWith('-3') ? `${target} is not to be retried` : null;
          },
        });
        control.onSteering?.(steering);
      }
      at = event.at;
      journal?.sink(event);
      sink(event);
    };
    for await (const line of createInterface({ input: socket })) {
      const event = JSON.parse(line) as RunEvent;
      emit(event);
      if (event.type === 'run-finished') ok = event.ok;
      // The test goes on when what it sent has been taken in.
      socket.write(`${event.type}\n`);
    }
    await (journal as ReturnType<typeof openJournal> | null)?.close();
    return { ...okSummary(options), ok, interrupted: control.stop.aborted };
  },
  killChildren: () => {
    process.stderr.write('killed children\n');
    return Promise.resolve();
  },
});
