/**
 * Which start of the machine this is. After a power cut a file may have the stat it had and other bytes; so what was
 * concluded from stats alone, of files that nobody synced, holds until the next start only.
 */
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** Another one after each start of the kernel; empty where the system does not say. */
export function bootId(): string {
  if (known === undefined) {
    try {
      known = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    } catch {
      known = '';
    }
  }
  return known;
}
