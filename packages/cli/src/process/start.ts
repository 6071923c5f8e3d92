/**
 * Binds the real process to one command line: signals, closed pipes, what nobody caught, the exit code.
 */
import { EXIT } from '@stx-make/core/errors';
import type { CommandSpec } from '../args/model.ts';
import type { Io } from '../io.ts';
import { bug, runLine } from '../run.ts';
import type { Services } from '../services.ts';
import { listenToSignals } from './signals.ts';

/** Runs the process's command line and ends the process. */
export async function start(commands: readonly CommandSpec[], services: Services): Promise<never> {
  const io: Io = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    clock: () => performance.now(),
  };
  const signals = listenToSignals({
    source: process,
    exit: (code) => process.exit(code),
    killChildren: services.killChildren,
  });

  /* A closed pipe (`| head`) ends quietly. EIO: the terminal itself is gone, which SIGHUP tells, too. */
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (stream === process.stdout && error.code === 'EPIPE') signals.pipeClosed();
    });
  }

  /* Whatever nobody caught is a bug of ours; the processes we started must not outlive it. */
  const onUncaught = (error: unknown): void => {
    const problem = bug(error);
    process.stderr.write(`error: ${problem.text}\n  hint: ${problem.hint ?? ''}\n`);
    void services.killChildren().finally(() => process.exit(EXIT.bug));
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);

  const code = await runLine({ io, words: process.argv.slice(2), commands, services, signals });
  return process.exit(code);
}
