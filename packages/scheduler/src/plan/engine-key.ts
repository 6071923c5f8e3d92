/**
 * The engine of a run as a key: of fingerprints, and of where it is remembered. Contacts no daemon.
 */
import { byCodeUnit } from '@stx-make/core/order';
import type { Engine } from '../buildkit/model.ts';

/** The engine part of fingerprints: what can change bytes; with `--strict-engine` the versions too. */
export function engineKey(engine: Engine | null, strict: boolean): string | null {
  if (engine === null) return null;
  return strict ? `${engine.id} ${engine.version} ${engine.goRelease ?? ''}`.trimEnd() : engine.id;
}

/** Under which key the engine of these workers is remembered; none means the managed one. */
export function addressKey(addresses: readonly string[]): string {
  return addresses.length === 0 ? 'managed' : [...addresses].sort(byCodeUnit).join(' ');
}
