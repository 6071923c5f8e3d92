/**
 * What the tests of store and contexts share: a recipe folder, one staged and built on a real daemon into a real
 * pool. No state database, no graph: only the two ends of BuildKit.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  digestOf,
  hexOf,
  type ImageOutput,
  type Output,
  parseDigest,
} from '../../../packages/core/src/oci/index.ts';
import { buildctlArguments, SOURCE_POLICY_TEXT } from '../../../packages/scheduler/src/buildkit/arguments.ts';
import {
  listContextFiles,
  type StagedSource,
  stageContext,
  timeOf,
} from '../../../packages/scheduler/src/context/index.ts';
import { capture } from '../../../packages/scheduler/src/process/index.ts';
import {
  type Expectation,
  memoryLedger,
  openPool,
  type Pool,
  verifyOutput,
} from '../../../packages/scheduler/src/store/index.ts';
import type { TestDaemon } from '../../rig/daemon.ts';

export interface BuildOptions {
  readonly platforms?: readonly string[];
  /** Contents of files under `fetch/`, by file name. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, Output>>;
  readonly base?: ImageOutput;
  /** False: hand the recipe folder itself to BuildKit, as upstream does. */
  readonly staged?: boolean;
}

/** One state folder and one daemon. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-store-'));
  readonly daemon: TestDaemon;
  pool: Pool;
  #count = 0;

  constructor(daemon: TestDaemon) {
    this.daemon = daemon;
    this.pool = openPool({ pool: join(this.folder, 'pool') }, memoryLedger());
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes a recipe folder; returns its path. */
  recipe(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(this.folder, 'tree', name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return folder;
  }

  source(file: string, content: string): StagedSource {
    const sha256 = hexOf(digestOf(content));
    const path = join(this.folder, 'sources', sha256);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    // As the source store keeps them, so that they are linked.
    utimesSync(path, timeOf(sha256), timeOf(sha256));
    return { file, sha256, path };
  }

  expectation(target: string, options: BuildOptions = {}): Expectation {
    return {
      target,
      images: (options.platforms ?? ['linux/amd64']).map((platform) => ({
        platform,
        base: options.base ?? null,
      })),
      annotations: {
        'containerd.io/distribution.source.docker.io': `stagex/${target}`,
        'org.opencontainers.image.version': '1.0',
        'org.opencontainers.image.created': '1970-01-01T00:00:01Z',
      },
      epoch: 1,
    };
  }

  /** Builds and exports; returns the index's digest and where index.json was written, unverified. */
  async export(
    recipe: string,
    options: BuildOptions = {},
  ): Promise<{ digest: string; indexJson: string; target: string }> {
    this.#count += 1;
    const target = `core-${recipe.split('/').at(-1)}`;
    const work = join(this.folder, 'work', String(this.#count));
    mkdirSync(work, { recursive: true });
    const sources = Object.entries(options.sources ?? {}).map(([file, content]) =>
      this.source(file, content),
    );
    const context =
      options.staged === false
        ? { contextDir: recipe, fetchDir: join(recipe, 'fetch') }
        : stageContext({
            recipe,
            files: listContextFiles(recipe),
            sources,
            destination: join(work, 'context'),
          });
    const exportDir = this.pool.makeExportDir(work, 'export');
    const metadataFile = join(work, 'metadata.json');
    const policyFile = join(work, 'policy.json');
    writeFileSync(policyFile, SOURCE_POLICY_TEXT);
    const dependencies = Object.entries(options.dependencies ?? {}).map(([name, output]) => ({
      name,
      digest: output.images[0]?.manifest.digest ?? output.index.digest,
    }));
    const args = buildctlArguments(
      {
        target,
        recipe: target,
        platforms: options.platforms ?? ['linux/amd64'],
        buildTarget: null,
        buildArgs: { SOURCE_DATE_EPOCH: '1', BUILDKIT_MULTI_PLATFORM: '1' },
        version: '1.0',
        tag: `stagex/${target}:1.0`,
        ...context,
        dependencies,
        pool: this.pool.root,
        cache: 'cache',
        limits: {},
      },
      {
        connection: ['--addr', this.daemon.address],
        into: { folder: exportDir, metadataFile },
        policyFile,
      },
    );
    const result = await capture(this.daemon.buildctl, args, { env: process.env });
    if (result.code !== 0) throw new Error(`buildctl: ${result.stderr}`);
    const metadata = JSON.parse(readFileSync(metadataFile, 'utf8')) as Record<string, unknown>;
    const indexJson = readFileSync(join(exportDir, 'index.json'), 'utf8');
    return { digest: String(metadata['containerimage.digest']), indexJson, target };
  }

  async build(recipe: string, options: BuildOptions = {}): Promise<Output> {
    await this.pool.prepareForExport();
    const { digest, target } = await this.export(recipe, options);
    return verifyOutput(this.pool, parseDigest(digest, 'metadata'), this.expectation(target, options));
  }
}
