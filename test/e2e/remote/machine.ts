/**
 * A machine with a state folder of its own that shares a remote with others: real pool, real database, outputs made by
 * hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem } from '../../../packages/core/src/errors.ts';
import { encodeFacts, fingerprintOf } from '../../../packages/core/src/fingerprint/encode.ts';
import type { Output } from '../../../packages/core/src/oci/model.ts';
import { statePaths } from '../../../packages/scheduler/src/paths.ts';
import type { Fingerprint } from '../../../packages/scheduler/src/plan/inputs.ts';
import { openRemote, type Remote, type RemoteSetting } from '../../../packages/scheduler/src/remote/index.ts';
import { bareTarget } from '../../../packages/scheduler/src/run/testing/memory-world.ts';
import type { BuildRecord } from '../../../packages/scheduler/src/state/records.ts';
import { openState, type State } from '../../../packages/scheduler/src/state/state.ts';
import { type Expectation, openPool, type Pool } from '../../../packages/scheduler/src/store/index.ts';
import { ANNOTATIONS, type TarFile } from '../../rig/images.ts';
import { outputIn } from '../../rig/outputs.ts';

export const never = new AbortController().signal;

/** What must come out of every target here. */
export function expectationOf(target: string): Expectation {
  const images = [{ platform: 'linux/amd64', base: null }];
  return { target, images, annotations: ANNOTATIONS, epoch: 1 };
}

export function fingerprintOfTarget(target: string, more: readonly [string, string][] = []): Fingerprint {
  const text = encodeFacts([['target', target], ...more]);
  return { digest: fingerprintOf(text), text, files: new Map() };
}

export class Machine implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-machine-'));
  readonly state: State;
  readonly pool: Pool;
  readonly remote: Remote;
  readonly warnings: Problem[] = [];

  constructor(place: string, more: Partial<RemoteSetting> & { readonly write?: boolean } = {}) {
    this.state = openState(statePaths(this.folder), Date.now);
    this.pool = openPool(this.state.paths, this.state.ledgers.blobs);
    this.remote = openRemote({
      options: { place, write: more.write ?? true },
      env: { HOME: this.folder, PATH: process.env['PATH'] },
      pool: this.pool,
      pushed: this.state.pushed,
      warn: (problem) => this.warnings.push(problem),
      pause: async () => {},
      ...more,
    });
  }

  /** As if it had built it: in its pool. */
  built(...layers: readonly (readonly TarFile[])[]): Promise<Output> {
    return outputIn(this.pool, ...layers);
  }

  /** Gives an output under a target's fingerprint, and waits until it is there or given up. */
  async give(target: string, output: Output, fingerprint = fingerprintOfTarget(target)) {
    void this.offer(target, output, fingerprint);
    return await this.remote.drain(never);
  }

  offer(target: string, output: Output, fingerprint = fingerprintOfTarget(target)): Promise<boolean> {
    return this.remote.offer(recordOf(target, output, fingerprint), fingerprint.text, 1500);
  }

  async find(target: string, fingerprint = fingerprintOfTarget(target), expectation = expectationOf(target)) {
    return await this.remote.find(bareTarget(target, []), fingerprint, expectation, never);
  }

  /** Found and brought, whole and verified. */
  async take(target: string, fingerprint = fingerprintOfTarget(target)): Promise<Output | null> {
    const found = await this.find(target, fingerprint);
    if (found === null) return null;
    const { output } = found;
    const whole = await this.remote.bring(target, output, expectationOf(target), never, found.fingerprint);
    return whole ? output : null;
  }

  codes(): string[] {
    return this.warnings.map(({ code }) => code);
  }

  [Symbol.dispose](): void {
    this.remote.close();
    this.state.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function recordOf(target: string, output: Output, fingerprint: Fingerprint): BuildRecord {
  const manifest = output.images[0]?.manifest.digest;
  if (manifest === undefined) throw new Error('no image');
  const common = { origin: 'built', target, run: 'r', created: 1_700_000_000_000 } as const;
  return { fingerprint: fingerprint.digest, manifest, output, ...common };
}
