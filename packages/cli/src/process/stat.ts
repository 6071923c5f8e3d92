/**
 * What proc(5) tells of a process: its group, and the group that its terminal is in the hands of.
 */
import { readFileSync } from 'node:fs';

export interface Groups {
  readonly group: string;
  /** The foreground process group of its terminal; -1 without a terminal. */
  readonly foreground: string;
}

/** Null where it can not be told: the process is gone, or this is no Linux. */
export function groupsOf(pid: number | 'self'): Groups | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The name in parentheses may hold anything: fields are counted after the last closing one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [, , group, , , foreground] = fields;
  return group === undefined || foreground === undefined ? null : { group, foreground };
}
