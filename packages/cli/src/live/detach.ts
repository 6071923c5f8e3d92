/**
 * `--detach`: the same command line once more, in a session of its own, without a terminal; and the few words that the
 * two processes say to each other until the run is known.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, environmentProblem, ProblemError } from '@stx-make/core/errors';
import type { RunFacts } from '@stx-make/scheduler/live/index';
import { runEventsFile, type StatePaths, statePaths } from '@stx-make/scheduler/paths';
import type { CommandContext } from '../context.ts';
import { sanitizeText } from '../text/sanitize.ts';

/** The descriptor on which the one in the background says that its run is known. */
const TELL = 3;

/** Starts it, waits until its run is known or has failed to begin. @throws ProblemError `state-unusable` */
export async function runDetached(context: CommandContext, words: readonly string[]): Promise<number> {
  const { services, io, options, output, stop } = context;
  const paths = statePaths(await services.stateRoot(options.state, io.env, io.cwd));
  const files = openFiles(paths);
  let named = false;
  try {
    // What stands behind a -- are names.
    const at = words.indexOf('--');
    const before = (at < 0 ? words : words.slice(0, at)).filter((word) => word !== '--detach');
    const all = [...before, '--detached', ...(at < 0 ? [] : words.slice(at))];
    const child = await services.startDetached(all, files.descriptors);
    const onStop = (): void => child.kill('SIGTERM');
    stop.addEventListener('abort', onStop, { once: true });
    const told = await child.told;
    stop.removeEventListener('abort', onStop);
    const known =
      told === '' ? null : (JSON.parse(told) as { readonly run: string; readonly facts: RunFacts | null });
    if (known === null || stop.aborted) {
      const code = await child.exit;
      io.stderr.write(readFileSync(files.errors));
      io.stdout.write(readFileSync(files.output));
      return code ?? EXIT.bug;
    }
    named = true;
    const log = files.keep(known.run);
    child.release();
    if (output.json) {
      output.document({
        ok: true,
        detached: true,
        run: known.run,
        pid: child.pid,
        log,
        events: runEventsFile(paths, known.run),
      });
      return EXIT.done;
    }
    output.print(`run ${known.run} goes on by itself (pid ${child.pid})`);
    if (known.facts !== null) {
      output.print(`  stx-make attach ${known.run}   to watch it; leaving the view leaves it alone`);
      output.print(`  stx-make stop ${known.run}     to end it`);
    }
    output.print(`  its lines: ${sanitizeText(log)}`);
    return EXIT.done;
  } finally {
    files.close(named);
  }
}

interface Files {
  readonly descriptors: readonly [stdout: number, stderr: number];
  readonly output: string;
  readonly errors: string;
  /** Moves both beside the run's logs while they are written to. @returns where its lines are */
  keep(run: string): string;
  close(named: boolean): void;
}

/** The run's name is not known when its output begins. */
function openFiles(paths: StatePaths): Files {
  const draft = join(paths.runs, `detached.${process.pid}`);
  const [output, errors] = [`${draft}.out`, `${draft}.err`];
  try {
    mkdirSync(paths.runs, { recursive: true });
    const descriptors = [openSync(output, 'w'), openSync(errors, 'w')] as const;
    return {
      descriptors,
      output,
      errors,
      keep: (run) => {
        const folder = dirname(runEventsFile(paths, run));
        mkdirSync(folder, { recursive: true });
        renameSync(output, join(folder, 'output.log'));
        renameSync(errors, join(folder, 'errors.log'));
        return join(folder, 'output.log');
      },
      close: (named) => {
        for (const descriptor of descriptors) closeSync(descriptor);
        if (named) return;
        rmSync(output, { force: true });
        rmSync(errors, { force: true });
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProblemError(
      environmentProblem({
        code: 'state-unusable',
        text: `The state folder can not be used: ${reason}.`,
        file: paths.root,
        hint: 'Name another with --state DIR or STX_MAKE_STATE.',
      }),
    );
  }
}

/** The one in the background tells that its run is known. Whoever started it may be gone. */
export function tellStarter(facts: RunFacts | null, run: string): void {
  try {
    // Where nobody made a pipe for us this descriptor is something of Node's own.
    if (!fstatSync(TELL).isSocket()) return;
    writeSync(TELL, `${JSON.stringify({ run, facts })}\n`);
    closeSync(TELL);
  } catch {
    // Nobody waits for it.
  }
}
