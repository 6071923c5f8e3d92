/**
 * A small tree that real BuildKit builds in some seconds, ways of killing a run of it, and what must not be left when
 * the next run has ended. Needs root.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { managedStatus } from '../../../packages/scheduler/src/buildkit/managed.ts';
import {
  descendants,
  isAlive,
  type ProcessId,
  processId,
} from '../../../packages/scheduler/src/process/tree.ts';
import type { Running } from '../../rig/cli.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

/**
 * stx-make: the process alone, its buildctls left alone. group: all that a closed terminal would end. buildctl: one of
 * them. buildkitd: the daemon, its supervisor left alive. supervisor. all: everything at once, as when the machine stops.
 */
export const KILLS = ['stx-make', 'group', 'buildctl', 'buildkitd', 'supervisor', 'all'] as const;
export type Kill = (typeof KILLS)[number];

const WIDTH = 3;
/** With busybox. */
export const TARGETS = 2 * WIDTH + 2;

/** Written into every step, to find those that live on. */
const MARK = `stx-kills-${process.pid}`;

/** `base` is edited; all but busybox follow from it. */
export function writeTree(root: string): void {
  writeBusybox(root);
  const step = (name: string, seconds: number): string =>
    `RUN --network=none ["/bin/busybox", "sh", "-c", "sleep ${seconds}; cat /base > /${name}; echo ${name} >> /${name}; : ${MARK}"]`;
  writeRecipes(root, {
    'core/base': { Containerfile: 'FROM scratch AS package\nCOPY base /base\n', base: '' },
  });
  for (let index = 0; index < WIDTH; index += 1) {
    writeRecipes(root, {
      [`core/low${index}`]: `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-base . /\n${step(`low${index}`, 0.3)}\nFROM scratch AS package\nCOPY --from=build /low${index} /\n`,
      [`core/high${index}`]: `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-base . /\nCOPY --from=stagex/core-low${(index + 1) % WIDTH} . /\n${step(`high${index}`, 0.2)}\nFROM stagex/core-low${index} AS package\nCOPY --from=build /high${index} /\n`,
    });
  }
}

/** One step that ends long after the test. */
export function writeLongTree(root: string): void {
  writeBusybox(root);
  const step = `RUN --network=none ["/bin/busybox", "sh", "-c", "sleep 3600; : ${MARK}"]`;
  writeRecipes(root, { 'core/long': `FROM stagex/core-busybox AS package\n${step}\n` });
}

export function edit(root: string, variant: number): void {
  writeFileSync(join(root, 'packages/core/base/base'), `variant ${variant}\n`);
}

/** Kills at once. @returns what was killed; nothing where that is not there (yet, or any more) */
export async function kill(what: Kill, run: Running, state: string): Promise<number> {
  const pid = run.child.pid ?? 0;
  const { pid: supervisor } = await managedStatus(state);
  const below = supervisor === null ? [] : descendants(supervisor);
  const victims: number[] = [];
  switch (what) {
    case 'stx-make':
      victims.push(pid);
      break;
    case 'group':
      victims.push(-pid);
      break;
    case 'buildctl': {
      const buildctls = descendants(pid).filter((id) => commandOf(id.pid).includes('buildctl'));
      const one = buildctls[Math.floor(buildctls.length / 2)];
      if (one !== undefined) victims.push(one.pid);
      break;
    }
    case 'buildkitd':
      victims.push(
        ...below.filter((id) => /buildkitd\0--config/.test(commandOf(id.pid))).map((id) => id.pid),
      );
      break;
    case 'supervisor':
      if (supervisor !== null) victims.push(supervisor);
      break;
    case 'all':
      victims.push(-pid, ...(supervisor === null ? [] : [supervisor]));
      break;
    default:
      return what satisfies never;
  }
  let killed = 0;
  for (const victim of victims) {
    try {
      process.kill(victim, 'SIGKILL');
      killed += 1;
    } catch {
      // It had just ended by itself.
    }
  }
  return killed;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Processes with the state folder or a step's mark in their command line, and those below the supervisor. */
export function processesOf(state: string): ProcessId[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      const command = commandOf(Number(name));
      return command.includes(MARK) || command.includes(state);
    })
    .flatMap((name) => processId(Number(name)) ?? []);
}

/** Steps that run. */
export function marked(): string[] {
  return processesOf(MARK).map((id) => `${id.pid} ${commandOf(id.pid).replaceAll('\0', ' ')}`);
}

/** Those that are neither the managed daemon nor below it. */
export async function strangers(state: string): Promise<string[]> {
  const { pid } = await managedStatus(state);
  const own = new Set(pid === null ? [] : [pid, ...descendants(pid).map((id) => id.pid)]);
  return processesOf(state)
    .filter((id) => !own.has(id.pid) && isAlive(id))
    .map((id) => `${id.pid} ${commandOf(id.pid).replaceAll('\0', ' ')}`.slice(0, 300));
}

/** Mounts of this namespace below the state folder. */
export function mountsOf(state: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(state));
}

/** Names that only work under way may have. */
export function litterOf(state: string, out: string): string[] {
  const found: string[] = [];
  for (const folder of ['work', 'runs', 'sources/partial', 'pool/ingest']) {
    for (const name of namesIn(join(state, folder))) found.push(`${folder}/${name}`);
  }
  const folders = [
    state,
    out,
    ...['pool', 'pool/blobs', 'pool/blobs/sha256'].map((name) => join(state, name)),
  ];
  const layouts = namesIn(out).map((name) => join(out, name));
  for (const folder of [...folders, ...layouts, ...layouts.map((layout) => join(layout, 'blobs/sha256'))]) {
    for (const name of namesIn(folder))
      if (/^\.tmp|\.tmp$|\.new$|^ingest/.test(name)) found.push(`${folder}/${name}`);
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there, or no folder.
    return [];
  }
}
