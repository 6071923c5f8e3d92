/** Small contexts and requests for tests against a real daemon. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Digest } from '../../../packages/core/src/oci/model.ts';
import { runBuild, writeSourcePolicy } from '../../../packages/scheduler/src/buildkit/build.ts';
import type {
  BuildRequest,
  BuildResult,
  Export,
  StepEvent,
} from '../../../packages/scheduler/src/buildkit/model.ts';

/** A file's bytes, or with a mode. */
export type Files = Readonly<
  Record<string, string | Buffer | { readonly bytes: Buffer; readonly mode: number }>
>;

/** One mtime for every file: what BuildKit compares must not hide in it. */
const MTIME = 1_000_000;

export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-bench-'));
  readonly pool = join(this.folder, 'pool');
  readonly policyFile = join(this.folder, 'policy.json');
  #count = 0;

  async open(): Promise<this> {
    mkdirSync(join(this.pool, 'blobs', 'sha256'), { recursive: true });
    await writeSourcePolicy(this.policyFile);
    return this;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes files below a new folder, all of one mtime. */
  write(files: Files): string {
    this.#count += 1;
    const folder = join(this.folder, `files ${this.#count}`);
    mkdirSync(folder);
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      const plain = typeof content === 'string' || Buffer.isBuffer(content);
      writeFileSync(path, plain ? content : content.bytes);
      chmodSync(path, plain ? 0o644 : content.mode);
      utimesSync(path, MTIME, MTIME);
    }
    return folder;
  }

  request(files: Files, more: Partial<BuildRequest> = {}): BuildRequest {
    return {
      target: 'core-x',
      recipe: 'core/x',
      platforms: ['linux/amd64'],
      buildTarget: null,
      buildArgs: { SOURCE_DATE_EPOCH: '1', BUILDKIT_MULTI_PLATFORM: '1' },
      version: 'latest',
      tag: 'stagex/core-x:latest',
      contextDir: this.write(files),
      fetchDir: this.write({}),
      dependencies: [],
      pool: this.pool,
      cache: 'cache',
      limits: {},
      ...more,
    };
  }

  /** Builds straight into the pool's folder: one at a time. */
  async build(
    request: BuildRequest,
    address: string,
    buildctl: string,
    more: {
      signal?: AbortSignal;
      onStep?: (step: StepEvent) => void;
      export?: Export;
      logFile?: string;
      daemonRoot?: string;
    } = {},
  ): Promise<BuildResult> {
    this.#count += 1;
    return await runBuild(request, {
      address,
      buildctl,
      env: process.env,
      export: more.export ?? {
        kind: 'folder',
        folder: this.pool,
        metadataFile: join(this.folder, `metadata ${this.#count}.json`),
      },
      policyFile: this.policyFile,
      daemonRoot: more.daemonRoot,
      logFile: more.logFile ?? join(this.folder, `log ${this.#count}`),
      signal: more.signal ?? new AbortController().signal,
      onStep: more.onStep ?? (() => undefined),
    });
  }

  blob(digest: string): Buffer {
    return readFileSync(join(this.pool, 'blobs', 'sha256', digest.slice('sha256:'.length)));
  }

  /** The first manifest of an index. */
  manifestOf(index: string): Digest {
    const document = JSON.parse(this.blob(index).toString('utf8'));
    return document.manifests[0].digest;
  }

  layersOf(manifest: string): string[] {
    const document = JSON.parse(this.blob(manifest).toString('utf8'));
    return document.layers.map((layer: { digest: string }) => layer.digest);
  }
}

/** A promise and its resolver. */
export function signalled(): { readonly promise: Promise<void>; readonly fire: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, fire: resolve };
}
