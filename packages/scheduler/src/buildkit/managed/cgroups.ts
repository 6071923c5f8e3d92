/**
 * The control groups of the managed daemon's steps: one parent of its own, so that what a killed daemon leaves
 * can be removed without touching other daemons' groups.
 */
import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { shortName } from '../../paths.ts';

const MOUNT = '/sys/fs/cgroup';

/** For `[worker.oci] defaultCgroupParent`: BuildKit makes `<parent>/buildkit/<step>`. */
export function cgroupParent(daemonDir: string): string {
  return `stx-make-${shortName(daemonDir)}`;
}

/** Removes the parent and what is below, in every hierarchy of cgroup v1 and in v2; groups in use stay. */
export function removeCgroups(daemonDir: string): void {
  const parent = cgroupParent(daemonDir);
  for (const hierarchy of [MOUNT, ...folders(MOUNT)]) removeTree(join(hierarchy, parent));
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

/** A group's files can not be removed and need not: an empty group goes by rmdir. */
function removeTree(path: string): void {
  for (const child of folders(path)) removeTree(child);
  try {
    rmdirSync(path);
  } catch {
    // Not there, not ours, or not yet empty.
  }
}
