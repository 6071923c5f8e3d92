/**
 * The other side: which runs are under way in a state folder, and asking things of one.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Problem } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import { lines } from '../buildkit/managed/protocol.ts';
import {
  isGoneProcess,
  isTemporaryName,
  readFolder,
  removeDeadTemporaries,
  unlinkIfThere,
} from '../files/index.ts';
import type { StatePaths } from '../paths.ts';
import { socketFolder } from '../process/socket-folder.ts';
import { encode, parseFacts, type RunFacts, type ToRun } from './protocol.ts';

/** How a run ended, as far as it told. `killed`: it did not. */
export type RunEnd =
  | { readonly how: 'over'; readonly code: number; readonly problems: readonly Problem[] }
  | { readonly how: 'killed' };

/** A connection to a run under way. */
export interface Attachment {
  readonly facts: RunFacts;
  /** The file of its events. */
  readonly events: string;
  /** Resolves when the run ends or is killed, at once: the kernel closes its connections. Never rejects. */
  readonly end: Promise<RunEnd>;
  /** @returns null where it was done, else why not */
  ask(message: Exclude<ToRun, { op: 'hello' }>): Promise<string | null>;
  /** Looks no longer; the run goes on. */
  close(): void;
}

/** The runs under way, oldest first. What killed runs left is removed. */
export async function liveRuns(paths: Pick<StatePaths, 'runs'>): Promise<RunFacts[]> {
  let names: string[];
  try {
    names = readdirSync(paths.runs);
  } catch {
    return [];
  }
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.json') && !isTemporaryName(name))
      .sort(byCodeUnit)
      .map(async (name): Promise<RunFacts | null> => {
        const file = join(paths.runs, name);
        const facts = readFacts(file);
        if (facts === null) return null;
        if (await isUnderWay(facts)) return facts;
        rmSync(file, { force: true });
        rmSync(facts.socket, { force: true });
        return null;
      }),
  );
  return found.filter((facts) => facts !== null);
}

/** Where the sockets of runs are: their names have eight hex digits. */
export function socketsOf({ runs }: Pick<StatePaths, 'runs'>, env: NodeJS.ProcessEnv): string {
  return socketFolder(runs, '01234567.s', env);
}

/**
 * Removes what killed runs left, also those that died before they were known. Nobody is waited for: where something
 * still listens, it stays.
 */
export async function removeDeadRuns(paths: Pick<StatePaths, 'runs'>, env: NodeJS.ProcessEnv): Promise<void> {
  const sockets = socketsOf(paths, env);
  removeDeadTemporaries(paths.runs);
  const known = new Set<string>();
  for (const name of readFolder(paths.runs)) {
    const file = join(paths.runs, name);
    // Output of a run that was to go on by itself (the command line's).
    const [, pid] = /^detached\.(\d+)\.(?:out|err)$/.exec(name) ?? [];
    if (pid !== undefined && isGoneProcess(Number(pid))) unlinkIfThere(file);
    const facts = name.endsWith('.json') ? readFacts(file) : null;
    if (facts === null) continue;
    if (await isGoneSocket(facts.socket)) unlinkIfThere(file);
    else known.add(facts.socket);
  }
  for (const name of readFolder(sockets)) {
    const path = join(sockets, name);
    if (/^[0-9a-f]{8}\.s$/.test(name) && !known.has(path) && (await isGoneSocket(path))) unlinkIfThere(path);
  }
}

async function isGoneSocket(path: string): Promise<boolean> {
  const socket = await open(path);
  if (socket !== null && socket !== 'gone') socket.destroy();
  return socket === 'gone';
}

function readFacts(file: string): RunFacts | null {
  try {
    return parseFacts(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** How long a run may think before it counts as under way, but stopped (Ctrl-Z), ms. */
const ANSWER_MS = 1_000;

/** A process that is being killed still takes connections for a moment: only an answer counts. */
async function isUnderWay(facts: RunFacts): Promise<boolean> {
  const socket = await open(facts.socket);
  if (socket === null || socket === 'gone') return socket === null;
  return await new Promise<boolean>((resolve) => {
    const done = (is: boolean) => (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(is);
    };
    const timer = setTimeout(done(true), ANSWER_MS);
    socket.once('data', done(true));
    socket.once('close', done(false));
    socket.write(encode({ op: 'ping' }));
  });
}

/** Null: it could not be asked (no permission, too many connections). `gone`: nobody listens. */
function open(path: string): Promise<Socket | 'gone' | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : null),
    );
  });
}

/** Connects to a run; null where it has just ended. */
export async function attachTo(facts: RunFacts): Promise<Attachment | null> {
  const socket = await open(facts.socket);
  if (socket === null || socket === 'gone') return null;
  const end = Promise.withResolvers<RunEnd>();
  const hello = Promise.withResolvers<string | null>();
  /** In the order asked. */
  const asked: ((text: string | null) => void)[] = [];
  const onMessage = (message: unknown): void => {
    const field = (key: string): unknown => Reflect.get(Object(message), key);
    const text = field('text');
    switch (field('is')) {
      case 'run':
        hello.resolve(typeof field('events') === 'string' ? String(field('events')) : null);
        return;
      case 'answer':
        asked.shift()?.(typeof text === 'string' ? text : null);
        return;
      case 'over': {
        const problems = field('problems');
        end.resolve({
          how: 'over',
          code: Number(field('code')),
          problems: Array.isArray(problems) ? (problems as Problem[]) : [],
        });
        return;
      }
      default:
        // Of a later version: passed over.
        return;
    }
  };
  socket.on(
    'data',
    lines(onMessage, () => socket.destroy()),
  );
  socket.on('close', () => {
    end.resolve({ how: 'killed' });
    hello.resolve(null);
    for (const answer of asked.splice(0)) answer('the run is over');
  });
  socket.write(encode({ op: 'hello' }));
  const events = await hello.promise;
  if (events === null) {
    socket.destroy();
    return null;
  }
  return {
    facts,
    events,
    end: end.promise,
    ask: (message) =>
      new Promise((resolve) => {
        if (socket.destroyed) {
          resolve('the run is over');
          return;
        }
        asked.push(resolve);
        socket.write(encode(message));
      }),
    close: () => {
      socket.destroy();
    },
  };
}
