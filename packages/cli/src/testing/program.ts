/**
 * For tests: the whole program with a made-up tree, whose runs are played by the test through a socket
 * (STX_TEST_SOCKET). Events come in as JSON lines; `stop` goes out when the run is asked to stop; the run ends
 * when the test ends the connection. Not part of the program.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { RunEvent } from '@stx-make/core/events';
import { commands } from '../commands/table.ts';
import { start } from '../process/start.ts';
import { okSummary, testServices } from './services.ts';

const made = testServices();

await start(commands, {
  ...made,
  run: async (_session, options, sink, control) => {
    const socket = connect(process.env['STX_TEST_SOCKET'] ?? '');
    control.stop.addEventListener('abort', () => socket.write('stop\n'));
    socket.write('run\n');
    let ok = true;
    for await (const line of createInterface({ input: socket })) {
      const event = JSON.parse(line) as RunEvent;
      sink(event);
      if (event.type === 'run-finished') ok = event.ok;
      // The test goes on when what it sent has been taken in.
      socket.write(`${event.type}\n`);
    }
    return { ...okSummary(options), ok, interrupted: control.stop.aborted };
  },
  killChildren: () => {
    process.stderr.write('killed children\n');
    return Promise.resolve();
  },
});
