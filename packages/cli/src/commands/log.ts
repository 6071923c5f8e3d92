/**
 * `log`: a target's build log out of the state folder, made harmless for the terminal.
 *
 * Knows the layout `logs/<run>/<target>.log` from the scheduler's paths; reads in pieces, so that a log of
 * gigabytes costs no memory.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EXIT, inputProblem, ProblemError } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import type { Handler } from '../args/model.ts';
import type { CommandContext } from '../context.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { withSession } from './session.ts';

interface LogFile {
  readonly run: string;
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
}

export const log: Handler<{ readonly list: boolean; readonly raw: boolean; readonly path: boolean }> = (
  context,
  { args, options },
) =>
  withSession(context, async (session) => {
    const { output } = context;
    const run = args.length > 1 ? args[0] : undefined;
    const services = await context.services.graph();
    const [target = ''] = services.resolve(session.tree.graph, args.slice(-1));
    const files = (await logsOf(session.state.logs, target)).filter(
      (file) => run === undefined || file.run === run,
    );
    const [newest] = files;
    if (newest === undefined) throw new ProblemError(noLog(target, run));
    if (options.list) {
      if (output.json)
        output.document({
          target,
          logs: files.map(({ run: id, path, bytes }) => ({ run: id, path, bytes })),
        });
      else for (const file of files) output.print(`${file.run}  ${file.path}`);
    } else if (output.json) {
      output.document({ target, run: newest.run, path: newest.path, bytes: newest.bytes });
    } else if (options.path) output.print(newest.path);
    else if (options.raw) await copy(newest.path, context);
    else await show(newest.path, context);
    return EXIT.done;
  });

/** Newest first. A folder that is not there holds no logs. */
async function logsOf(folder: string, target: string): Promise<LogFile[]> {
  const runs = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    runs.map(async (run): Promise<LogFile | null> => {
      const path = join(folder, run, `${target}.log`);
      const found = await stat(path).catch(() => null);
      return found === null ? null : { run, path, bytes: found.size, modified: found.mtimeMs };
    }),
  );
  return files
    .filter((file) => file !== null)
    .sort((a, b) => b.modified - a.modified || byCodeUnit(b.run, a.run));
}

function noLog(target: string, run: string | undefined): ReturnType<typeof inputProblem> {
  return inputProblem({
    code: 'no-log',
    text: run === undefined ? `There is no log of ${target}.` : `Run ${run} has no log of ${target}.`,
    hint: run === undefined ? 'it was never built here' : `stx-make log --list ${target}`,
  });
}

/** Characters written at once: a write for each line of a log of gigabytes takes minutes. */
const PIECE = 64 * 1024;

async function show(path: string, context: CommandContext): Promise<void> {
  let shown = '';
  const input = createReadStream(path, { encoding: 'utf8', signal: context.stop });
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    shown += `${sanitizeLine(line)}\n`;
    if (shown.length < PIECE) continue;
    await write(context, shown);
    shown = '';
  }
  await write(context, shown);
}

async function copy(path: string, context: CommandContext): Promise<void> {
  for await (const piece of createReadStream(path, { signal: context.stop })) {
    await write(context, piece as Buffer);
  }
}

/** Waits for a slow reader, so that memory stays flat. */
function write({ io }: CommandContext, piece: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (io.stdout.write(piece)) resolve();
    else io.stdout.once('drain', resolve);
  });
}
