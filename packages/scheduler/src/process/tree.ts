/**
 * The processes below one of ours, read from /proc.
 *
 * Needed because execa's own `killDescendants` moves a child into a process group of its own, and a run in
 * the foreground must stay one group with its children (shared interface), so that the terminal's Ctrl-C
 * reaches them all. Unaware of what the processes do.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** One process, told apart from a later one with the same pid by its start time. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot (proc(5), stat field 22). */
  readonly startTime: string;
}

interface Stat extends ProcessId {
  readonly parent: number;
  readonly state: string;
}

/** Reads /proc/PID/stat; null where the process is gone. The name in parentheses may hold anything, so
 * fields are counted after the last closing one. */
function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || startTime === undefined) return null;
  return { pid, parent: Number(parent), state, startTime };
}

/** The process now, or null where it is gone or a zombie. */
export function processId(pid: number): ProcessId | null {
  const stat = readStat(pid);
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : stat;
}

/** True while exactly this process runs; a zombie does not. */
export function isAlive(id: ProcessId): boolean {
  return processId(id.pid)?.startTime === id.startTime;
}

/** Children, their children and so on, parents before children; zombies are left out. */
export function descendants(pid: number): ProcessId[] {
  const children = new Map<number, Stat[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readStat(Number(entry));
    if (stat === null || stat.state === 'Z' || stat.state === 'X') continue;
    const siblings = children.get(stat.parent);
    if (siblings === undefined) children.set(stat.parent, [stat]);
    else siblings.push(stat);
  }
  const found: ProcessId[] = [];
  const open = [pid];
  for (let parent = open.shift(); parent !== undefined; parent = open.shift()) {
    for (const child of children.get(parent) ?? []) {
      found.push({ pid: child.pid, startTime: child.startTime });
      open.push(child.pid);
    }
  }
  return found;
}

/** Sends a signal to those that are still what they were. Never throws. */
export function signalAll(ids: readonly ProcessId[], signal: NodeJS.Signals): void {
  for (const id of ids) {
    if (!isAlive(id)) continue;
    try {
      process.kill(id.pid, signal);
    } catch {
      // Gone in between, or no longer ours.
    }
  }
}
