/**
 * Workers in memory behind the scheduler's `Driver`: they build with mini-build.ts what was really staged, read
 * dependencies out of the real pool and export into it.
 *
 * Two habits of BuildKit are kept (shared/BUILDKIT.md): files of all main contexts share one upload folder in which a file with
 * the same path, size, mode and mtime is not sent again; a blob that is there is not written again. Knows nothing of
 * fingerprints and records.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildRequest, BuildResult, Engine } from '../../packages/scheduler/src/buildkit/model.ts';
import type { CrewBuild, Driver } from '../../packages/scheduler/src/run/driver.ts';
import { MiniFailure, type MiniRequest, miniBuild } from './mini-build.ts';
import { type MiniFile, type MiniImage, readImage, sha } from './mini-image.ts';

export interface FakeOptions {
  readonly workers: number;
  readonly jobs: number;
  /** From a Containerfile to one in mini-build's words, where it is not in these. */
  readonly translate?: (containerfile: string) => string;
}

/** What a test may change between and during builds. */
export class FakeBuilder {
  readonly options: FakeOptions;
  /** Another engine is another compressor. */
  engine = 6;
  /** Targets that were built, in order of their start. */
  readonly built: string[] = [];
  /** Called when a build has read its inputs and is about to export. */
  onBuild: (target: string, number: number) => void | Promise<void> = () => {};
  /** Called before a build reads anything. */
  onStart: (target: string, number: number) => void | Promise<void> = () => {};
  /** Targets whose steps give another output each time; the value is what they give. */
  readonly unstable = new Map<string, string>();
  /** By path: what the shared upload folder holds. */
  readonly #uploads = new Map<string, { readonly key: string; readonly file: MiniFile }>();

  constructor(options: FakeOptions = { workers: 1, jobs: 4 }) {
    this.options = options;
  }

  engineData(): Engine {
    const canary = sha(`canary ${this.engine}`) as Engine['canary'];
    return { id: canary, canary, matchesPublished: this.engine === 6, version: 'v0.0.0', goRelease: null };
  }

  readonly driver = async (): Promise<Driver> => ({
    connect: async ({ jobs }) => {
      const workers = Array.from({ length: this.options.workers }, (_, place) => ({
        id: `fake-${place}`,
        name: `fake-${place}`,
        address: `memory://${place}`,
        platforms: ['linux/amd64', 'linux/386'],
        jobs: jobs ?? this.options.jobs,
        version: 'v0.0.0',
      }));
      return {
        workers,
        engine: this.engineData(),
        warnings: [],
        notes: [],
        build: (request, options) => this.#build(request, options),
        revive: async () => true,
        close: async () => {},
      };
    },
  });

  async #build(request: BuildRequest, options: CrewBuild): Promise<BuildResult> {
    const number = this.built.push(request.target);
    await this.onStart(request.target, number);
    const context = this.#upload(request.contextDir);
    const mini = this.#request(request, context);
    await this.onBuild(request.target, number);
    if (options.signal.aborted) return { status: 'cancelled' };
    try {
      const { index, blobs } = miniBuild(mini);
      const place = options.export;
      const folder = place.kind === 'archive' ? place.blobs : join(place.folder, 'blobs', 'sha256');
      for (const [digest, bytes] of blobs) {
        const path = join(folder, digest.slice('sha256:'.length));
        if (!existsSync(path)) writeFileSync(path, bytes, { mode: 0o444 });
      }
      return { status: 'exported', digest: index as Engine['canary'] };
    } catch (error) {
      if (!(error instanceof MiniFailure)) throw error;
      return { status: 'failed', retry: 'no', failure: failure(error.message, options.logFile) };
    }
  }

  #request(request: BuildRequest, context: ReadonlyMap<string, MiniFile>): MiniRequest {
    const read = (digest: string): Buffer =>
      readFileSync(join(request.pool, 'blobs', 'sha256', digest.slice('sha256:'.length)));
    const named = new Map(request.dependencies.map(({ name, digest }) => [name, digest]));
    const salt = this.unstable.get(request.target);
    const image = (name: string, platform: string): MiniImage => {
      const digest = named.get(name);
      if (digest === undefined) throw new MiniFailure(`${name} is no named context: it would be pulled`);
      return readImage(read, digest, platform);
    };
    return {
      target: request.target,
      version: request.version,
      platforms: request.platforms,
      buildTarget: request.buildTarget,
      buildArgs: request.buildArgs,
      containerfile: (this.options.translate ?? String)(context.get('Containerfile')?.content ?? ''),
      context: salt === undefined ? context : salted(context, salt),
      image,
      compression: this.engine,
    };
  }

  #upload(folder: string): Map<string, MiniFile> {
    const files = new Map<string, MiniFile>();
    const visit = (prefix: string): void => {
      for (const { name } of readdirSync(join(folder, prefix), { withFileTypes: true })) {
        const path = prefix + name;
        const full = join(folder, path);
        const stat = lstatSync(full);
        if (stat.isDirectory()) {
          visit(`${path}/`);
          continue;
        }
        const key = `${stat.size} ${stat.mode} ${stat.mtimeMs}`;
        const known = this.#uploads.get(path);
        if (known?.key === key && path !== 'Containerfile') {
          files.set(path, known.file);
          continue;
        }
        const file: MiniFile = stat.isSymbolicLink()
          ? { mode: 'link', content: readlinkSync(full) }
          : { mode: (stat.mode & 0o100) === 0 ? '0644' : '0755', content: readFileSync(full, 'utf8') };
        this.#uploads.set(path, { key, file });
        files.set(path, file);
      }
    };
    visit('');
    return files;
  }
}

/** Every file that a step can see differs. */
function salted(context: ReadonlyMap<string, MiniFile>, salt: string): Map<string, MiniFile> {
  return new Map([...context].map(([path, file]) => [path, { ...file, content: `${file.content}${salt}` }]));
}

function failure(cause: string, logFile: string): Extract<BuildResult, { status: 'failed' }>['failure'] {
  mkdirSync(dirname(logFile), { recursive: true });
  writeFileSync(logFile, `${cause}\n`);
  return { kind: 'build', step: null, exitCode: 1, file: null, line: null, cause, tail: [], logFile };
}
