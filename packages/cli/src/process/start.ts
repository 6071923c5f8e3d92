/**
 * Binds the real process to one command line: signals, closed pipes, what nobody caught, the exit code.
 */
import { EXIT } from '@stx-make/core/errors';
import type { CommandSpec } from '../args/model.ts';
import type { Io } from '../io.ts';
import { bug, runLine } from '../run.ts';
import type { Services } from '../services.ts';
import { drained } from './drain.ts';
import { listenToSignals } from './signals.ts';

/** Runs the process's command line and ends the process. */
export async function start(commands: readonly CommandSpec[], services: Services): Promise<never> {
  const io: Io = {
    // Got when it is asked for: it costs 5 ms, and most commands do not read.
    get stdin() {
      return process.stdin;
    },
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

  /* A closed pipe (`| head`) ends quietly. EIO: the terminal itself is gone, which SIGHUP tells, too. What is printed
   * into a file on a full disk is lost: a run goes on, but nothing that lost its answer is done. */
  let lost = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') signals.pipeClosed();
    else if (error.code !== 'EIO' && !lost) {
      lost = true;
      process.stderr.write(`error: stdout can not be written: ${error.message}\n`);
    }
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => {});

  /* Whatever nobody caught is a bug of ours; the processes we started must not outlive it. */
  const onUncaught = (error: unknown): void => {
    const problem = bug(error);
    process.stderr.write(`error: ${problem.text}\n  hint: ${problem.hint ?? ''}\n`);
    void services.killChildren().finally(() => process.exit(EXIT.bug));
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);

  const code = await runLine({ io, words: process.argv.slice(2), commands, services, signals });
  await drained([process.stdout, process.stderr]);
  // A failed write is told a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  return process.exit(lost && code === EXIT.done ? EXIT.environment : code);
}
