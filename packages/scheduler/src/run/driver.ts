/**
 * What a run asks of whoever builds: real BuildKit daemons (buildkit/crew.ts), or a builder in memory in the
 * property tests.
 */
import type { Problem } from '@stx-make/core/errors';
import type { WorkerInfo } from '@stx-make/core/events';
import type { WorkerSettings } from '../api.ts';
import type { BuildRequest, BuildResult, Engine, Export, StepEvent, StepLimits } from '../buildkit/model.ts';
import type { BuildUsage } from '../buildkit/usage.ts';
import type { StatePaths } from '../paths.ts';

export interface ConnectOptions {
  /** Empty: BUILDKIT_HOST, else the managed one. */
  readonly addresses: readonly string[];
  /** Per worker; undefined: the default. */
  readonly jobs: number | undefined;
  /** By address, what was said of a worker. */
  readonly settings?: ReadonlyMap<string, WorkerSettings> | undefined;
  /** Limits a step can see are part of the engine. */
  readonly limits: StepLimits;
  readonly state: StatePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Images from outside that builds may take; none where left out. */
  readonly allowedImages?: readonly string[] | undefined;
  /** Told what takes long: starting the daemon, waiting for an address. */
  readonly onActivity?: (text: string) => void;
}

/** A worker of a run: what views are told, and what its builds may be allowed in all. */
export interface CrewWorker extends WorkerInfo {
  readonly memory?: number | null | undefined;
}

/** The workers of one run: all of one engine. */
export interface Crew {
  readonly workers: readonly CrewWorker[];
  readonly engine: Engine;
  /** Workers set aside, and what else must be said. */
  readonly warnings: readonly Problem[];
  /** For the run's header, e.g. that the published digests can not be reached. */
  readonly notes: readonly string[];
  /** Builds and exports on one worker; never throws for what a build or daemon can do. */
  build(request: BuildRequest, options: CrewBuild): Promise<BuildResult>;
  /** Tries to have a lost worker back until the signal aborts; false then, and when it can not come back. */
  revive(worker: string, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

export interface CrewBuild {
  readonly worker: string;
  /** Into the pool, or an OCI layout folder whose `blobs` is the pool's. */
  readonly export: Export;
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: StepEvent) => void;
  /** Told now and then what its steps take of the machine, where that can be known. */
  readonly onUsage?: ((usage: BuildUsage) => void) | undefined;
}

export interface Driver {
  /** @throws ProblemError when no worker can be had */
  connect(options: ConnectOptions): Promise<Crew>;
}
