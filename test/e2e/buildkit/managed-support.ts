/** States with a managed daemon for tests, cleaned up after each; what runs for them. Needs root. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleeper } from '../../../packages/scheduler/src/buildkit/elf.ts';
import {
  ensureManaged,
  type ManagedDaemon,
  managedStatus,
  stopManaged,
} from '../../../packages/scheduler/src/buildkit/managed.ts';
import { pingWorker } from '../../../packages/scheduler/src/buildkit/worker.ts';
import { findBuildKit } from '../../../packages/scheduler/src/process/find.ts';
import { descendants, type ProcessId, processId } from '../../../packages/scheduler/src/process/tree.ts';
import { type Bench, signalled } from './support.ts';

export const programs = findBuildKit(process.env);

/** A folder for states; `clean` after each test, `close` after all. */
export class States {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-managed-'));
  #states: string[] = [];

  add(name: string): string {
    const state = join(this.folder, name);
    this.#states.push(state);
    return state;
  }

  async clean(): Promise<void> {
    for (const state of this.#states.splice(0)) {
      await stopManaged(state);
      for (const name of memoryOf(state)) rmSync(join('/dev/shm', name), { recursive: true, force: true });
      rmSync(state, { recursive: true, force: true });
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const ensure = (state: string, env: NodeJS.ProcessEnv = {}): Promise<ManagedDaemon> =>
  ensureManaged({ state, env: { ...process.env, ...env }, signal: new AbortController().signal });

export const ping = (address: string) =>
  pingWorker(address, { buildctl: programs.buildctl, env: process.env });

/** Supervisor and all below it. */
export async function processesOf(state: string): Promise<ProcessId[]> {
  const { pid } = await managedStatus(state);
  const own = pid === null ? null : processId(pid);
  return own === null ? [] : [own, ...descendants(own.pid)];
}

/** Folders in memory of this state's daemon, by their owner. */
export function memoryOf(state: string): string[] {
  return readdirSync('/dev/shm').filter((name) => {
    const owner = join('/dev/shm', name, 'owner.json');
    return existsSync(owner) && readFileSync(owner, 'utf8').includes(JSON.stringify(join(state, 'daemon')));
  });
}

/** Runs a step that never ends on the daemon; resolves when it runs. `build` is wrapped: an async function would
 * await it. */
export async function busy(bench: Bench, address: string): Promise<{ readonly build: Promise<unknown> }> {
  const up = signalled();
  const request = bench.request(
    {
      Containerfile: 'FROM scratch\nCOPY sleeper /\nRUN --network=none ["/sleeper"]\n',
      sleeper: { bytes: sleeper(), mode: 0o755 },
    },
    { cache: 'none' },
  );
  const result = bench.build(request, address, programs.buildctl, {
    onStep: (step) => {
      if (step.type === 'started' && step.name.includes('RUN')) up.fire();
    },
  });
  await Promise.race([up.promise, result]);
  return { build: result };
}

export const commandOf = (id: ProcessId) => {
  try {
    return readFileSync(`/proc/${id.pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
