/**
 * What is asked of one BuildKit daemon and what it answers: data only.
 *
 * Unaware of the graph, fingerprints and records.
 */

import type { Failure, WorkerInfo } from '@stx-make/core/events';
import type { Digest } from '@stx-make/core/oci/model';

/** What of a builder can change digests. Two workers with equal `id` give equal bytes. */
export interface Engine {
  /** Goes into fingerprints: the canary's digests, whether steps see /sys, limits a step can see. */
  readonly id: string;
  /** The canary image's manifest digest. */
  readonly canary: Digest;
  /** The canary equals the known one: outputs can equal the published digests. */
  readonly matchesPublished: boolean;
  /** BuildKit's version, e.g. v0.32.2. For people and `--strict-engine`. */
  readonly version: string;
  /** The Go release that compiled it, where known (the managed one), else null. */
  readonly goRelease: string | null;
}

/** A daemon that answered, is new enough, and whose engine is known. */
export interface Worker {
  readonly info: WorkerInfo;
  /** Bytes for its builds in all; null: no matter. */
  readonly memory: number | null;
  readonly engine: Engine;
}

/** Limits of one step, passed to BuildKit (v0.31+). cpusetcpus changes `nproc` and so can change digests:
 * it is part of the engine id. memory can kill a child silently (BUILDKIT.md 4). */
export interface StepLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Microseconds of CPU per 100 ms. */
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
}

/** One build, complete: everything that decides what BuildKit does. */
export interface BuildRequest {
  /** For messages and the exporter's name: `core-musl`. */
  readonly target: string;
  /** `<stage>/<name>`: keys the upload of named local contexts, which BuildKit would mix up by name. */
  readonly recipe: string;
  readonly platforms: readonly string[];
  /** `--target`, null for the last build stage. */
  readonly buildTarget: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** `<version or latest>`, for the annotation and tag. */
  readonly version: string;
  readonly tag: string;
  /** The staged context; holds the Containerfile. */
  readonly contextDir: string;
  /** The staged `fetch/`; always a folder, maybe empty. */
  readonly fetchDir: string;
  /** Named contexts: name as the Containerfile writes it -> digest in the pool, or in `image`, a repository. */
  readonly dependencies: readonly {
    readonly name: string;
    readonly digest: Digest;
    readonly image?: string | undefined;
  }[];
  /** Where the worker pushes the output to, instead of the export folder; left out: nowhere. */
  readonly pushTo?: PushTo | undefined;
  /** An OCI layout folder that holds the blobs of all dependencies. */
  readonly pool: string;
  /** `cache`: as usual; `none`: rebuild every step. */
  readonly cache: 'cache' | 'none';
  readonly limits: StepLimits;
}

/** A repository of a registry, `HOST/PATH/core-musl`. */
export interface PushTo {
  readonly repository: string;
  /** Plain http to another machine. */
  readonly insecure: boolean;
}

/** How what was built comes to us. */
export type Export =
  /** buildctl writes into an OCI layout folder itself; blobs that are there are not sent. */
  | { readonly kind: 'folder'; readonly folder: string; readonly metadataFile: string }
  /** buildctl prints an archive, which is unpacked as it comes: all blobs are sent, but a build costs 20 ms less of CPU
   * and 18 ms less of time (65 and 203 against 45 and 185, a trivial one, medians of 25). */
  | ({ readonly kind: 'archive' } & BlobFolder);

/** Where blobs go. */
export interface BlobFolder {
  /** The folder `blobs/sha256` of a layout. */
  readonly blobs: string;
  /** True for a blob that is there and good: it is not written again. */
  readonly has: (digest: Digest) => boolean;
}

/** Why a build did not give an output. */
export type BuildResult =
  | {
      readonly status: 'exported';
      /** Of the nested index, as buildctl names it. Not verified yet. */
      readonly digest: Digest;
    }
  | {
      readonly status: 'failed';
      readonly failure: Failure;
      /** `no`: the recipe is at fault. `here`: worth one more try on this worker (BUILDKIT.md 7). `elsewhere`: the worker
       * is gone or out of order. */
      readonly retry: 'no' | 'here' | 'elsewhere';
    }
  | { readonly status: 'cancelled' };

/** A step (BuildKit vertex) as it changes. `id` is BuildKit's vertex digest. */
export type StepEvent =
  | { readonly type: 'started'; readonly id: string; readonly name: string }
  | {
      readonly type: 'finished';
      readonly id: string;
      readonly cached: boolean;
      readonly error: string | null;
    };
