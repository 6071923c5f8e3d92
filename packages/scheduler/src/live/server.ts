/**
 * A run's side: makes itself known in the state folder, and takes what is asked of it.
 *
 * Nothing here keeps the process alive, and nothing that goes wrong here is the run's trouble.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import { lines } from '../buildkit/managed/protocol.ts';
import { temporaryBeside } from '../files/index.ts';
import type { StatePaths } from '../paths.ts';
import { makeSocketFolder } from '../process/socket-folder.ts';
import { socketsOf } from './client.ts';
import { encode, type FromRun, type RunFacts } from './protocol.ts';

/** What others may ask for. */
export interface LiveHandlers {
  pause(): void;
  resume(): void;
  /** @returns null, or why not */
  retry(target: string): string | null;
  stop(): void;
  kill(): void;
  /** @returns the file of events */
  keepEvents(): string;
}

export interface LiveRun {
  /** Null where it could not be made known: the run goes on without. */
  readonly facts: RunFacts | null;
  readonly problem: Problem | null;
  /** Tells who looks that it is over, and how. Call when all events are written. Never rejects. */
  close(code: number, problems: readonly Problem[]): Promise<void>;
}

/** Longest that the end waits for viewers to be told, ms. */
const FAREWELL_MS = 200;
/** Problems told at the end: a line of the protocol is at most 64 KiB. */
const TOLD = 10;
const TOLD_LENGTH = 2_000;

/** Makes a run known. Never rejects. */
export async function openLiveRun(
  paths: Pick<StatePaths, 'runs'>,
  about: Omit<RunFacts, 'socket'>,
  handlers: LiveHandlers,
  env: NodeJS.ProcessEnv,
): Promise<LiveRun> {
  // The end of a run's name is random; the whole may be too long for a socket.
  const name = `${about.run.slice(-8)}.s`;
  const folder = socketsOf(paths, env);
  const facts: RunFacts = { ...about, socket: join(folder, name) };
  const file = join(paths.runs, `${about.run}.json`);
  const sockets = new Set<Socket>();
  let over: string | null = null;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.unref();
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (over !== null) socket.end(over);
    const onMessage = (message: unknown): void => {
      const answer = answerTo(message, handlers, facts);
      if (answer === null) socket.destroy();
      else if (over === null) socket.write(encode(answer));
    };
    socket.on(
      'data',
      lines(onMessage, () => socket.destroy()),
    );
  });
  try {
    mkdirSync(paths.runs, { recursive: true });
    if (folder !== paths.runs) makeSocketFolder(folder, "a run's");
    rmSync(facts.socket, { force: true });
    await listen(server, facts.socket);
    server.unref();
    const draft = temporaryBeside(file);
    writeFileSync(draft, JSON.stringify(facts));
    renameSync(draft, file);
  } catch (error) {
    server.close();
    return { facts: null, problem: unknownToOthers(error), close: () => Promise.resolve() };
  }
  return {
    facts,
    problem: null,
    close: async (code, problems) => {
      over = encode({ is: 'over', code, problems: problems.slice(0, TOLD).map(shortened) });
      rmSync(file, { force: true });
      rmSync(facts.socket, { force: true });
      server.close();
      const told = [...sockets].map((socket) => farewell(socket, over ?? ''));
      const timer = Promise.withResolvers<void>();
      const patience = setTimeout(timer.resolve, FAREWELL_MS);
      await Promise.race([Promise.all(told), timer.promise]);
      clearTimeout(patience);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Null: not of this protocol. */
function answerTo(message: unknown, handlers: LiveHandlers, facts: RunFacts): FromRun | null {
  const target: unknown = Reflect.get(Object(message), 'target');
  switch (Reflect.get(Object(message), 'op')) {
    case 'hello':
      return { is: 'run', facts, events: handlers.keepEvents() };
    case 'ping':
      return { is: 'answer', text: null };
    case 'pause':
      handlers.pause();
      return { is: 'answer', text: null };
    case 'resume':
      handlers.resume();
      return { is: 'answer', text: null };
    case 'retry':
      return typeof target === 'string' ? { is: 'answer', text: handlers.retry(target) } : null;
    case 'stop':
      handlers.stop();
      return { is: 'answer', text: null };
    case 'kill':
      handlers.kill();
      return { is: 'answer', text: null };
    default:
      return null;
  }
}

function farewell(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.end(text, resolve);
  });
}

function shortened(problem: Problem): Problem {
  return { ...problem, text: problem.text.slice(0, TOLD_LENGTH), hint: problem.hint?.slice(0, TOLD_LENGTH) };
}

function listen(server: Server, path: string): Promise<void> {
  // Only our user may talk to us, whatever the folder's mode is.
  const umask = process.umask(0o177);
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  }).finally(() => process.umask(umask));
}

function unknownToOthers(error: unknown): Problem {
  return environmentProblem({
    code: 'run-not-attachable',
    level: 'warning',
    text: `attach and stop will not find this run: ${error instanceof Error ? error.message : basename(String(error))}.`,
    hint: 'The build is not touched by it.',
  });
}
