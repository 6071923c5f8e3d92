/**
 * Asking the supervisor of a state folder how it is, and to end. Starts nothing.
 */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { statePaths } from '../../paths.ts';
import { capture } from '../../process/run.ts';
import { type Places, placesOf } from './places.ts';
import { encode, lines, type SupervisorStatus, type ToClient } from './protocol.ts';

/** The managed BuildKit of a state folder, as far as it can be told without starting it. */
export interface ManagedStatus {
  readonly running: boolean;
  /** Of the supervisor. */
  readonly pid: number | null;
  readonly address: string | null;
  readonly version: string | null;
  /** For people: uptime, clients. */
  readonly text: string;
  readonly clients: readonly number[];
  readonly inMemory: boolean;
}

/** Asks the supervisor, if there is one; starts nothing. */
export async function managedStatus(
  state: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ManagedStatus> {
  const places = placesOf(statePaths(state).daemon, env);
  const message = await converse(places, { op: 'status' });
  if (message?.state !== 'status') {
    return {
      running: false,
      pid: null,
      address: null,
      version: null,
      text: `no managed BuildKit is running for ${state}`,
      clients: [],
      inMemory: false,
    };
  }
  return {
    running: true,
    pid: message.pid,
    address: message.address,
    version: await versionOf(message),
    text: statusText(message),
    clients: message.clients,
    inMemory: message.inMemory,
  };
}

function statusText(status: SupervisorStatus): string {
  const count = status.clients.length;
  const users =
    count === 0
      ? 'used by nobody'
      : `used by ${count === 1 ? 'process' : 'processes'} ${status.clients.join(', ')}`;
  const memory = status.inMemory ? '' : ', metadata on disk (no room in memory: slower)';
  return `up for ${Math.round(status.up / 1000)} s, ${users}, ends ${status.idle} s after its last use${memory}`;
}

async function versionOf(status: SupervisorStatus): Promise<string | null> {
  const said = await capture(status.buildkitd, ['--version'], {
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 5_000,
  });
  return said.stdout.match(/v\d+\.\d+\.\d+\S*/)?.[0] ?? null;
}

/** Ends the managed BuildKit; builds that use it fail. False where none was running. */
export async function stopManaged(state: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const message = await converse(placesOf(statePaths(state).daemon, env), { op: 'stop' });
  return message !== null;
}

/** One question, the last answer; null where nobody listens. A supervisor that stops closes the connection when
 * it is done. */
function converse(places: Places, question: { op: 'status' } | { op: 'stop' }): Promise<ToClient | null> {
  if (!existsSync(places.control)) return Promise.resolve(null);
  return new Promise((resolve) => {
    let answer: ToClient | null = null;
    const socket = connect(places.control);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.on('connect', () => socket.write(encode(question)));
    socket.on(
      'data',
      lines(
        (message) => {
          answer = message as ToClient;
        },
        () => socket.destroy(),
      ),
    );
  });
}
