/**
 * A small world for crashes: a tree, a state folder, a builder in memory; a run on them, and what must be true of
 * them afterwards, told without any code of ours.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunSummary } from '../../../packages/scheduler/src/api.ts';
import { openSessionWith, run } from '../../../packages/scheduler/src/session.ts';
import { FakeBuilder } from '../../property/fake-builder.ts';
import { OPTIONS } from '../../property/world.ts';

const SOURCE = 'a source\n';
const SHA256 = createHash('sha256').update(SOURCE).digest('hex');
const TOML = (name: string): string => `[package]\nname = "${name}"\nlicense = "0BSD"\n`;
const FILES: Readonly<Record<string, string>> = {
  'core/a/Containerfile': 'FROM scratch AS package\nCOPY a /a\n',
  'core/b/Containerfile': 'FROM scratch AS package\nCOPY b /b\nADD fetch/s.txt /s\n',
  'core/b/b': 'b\n',
  'core/b/package.toml': `${TOML('b')}[sources.s]\nhash = "${SHA256}"\nfile = "s.txt"\nmirrors = ["https://mirror.example/{file}"]\n`,
  'core/c/Containerfile': 'FROM scratch AS package\nCOPY --from=stagex/core-a . /\nCOPY c /c\n',
  'core/c/c': 'c\n',
  'user/d/Containerfile': 'FROM stagex/core-c AS package\nCOPY --from=stagex/core-b . /\nCOPY d /d\n',
  'user/d/d': 'd\n',
};

export const TARGETS = 4;

export class CrashWorld {
  readonly tree: string;
  readonly state: string;
  /** The file that is edited. */
  readonly edited: string;
  readonly builder = new FakeBuilder({ workers: 1, jobs: 2 });

  constructor(folder: string) {
    this.tree = join(folder, 'tree');
    this.state = join(folder, 'state');
    this.edited = join(this.tree, 'packages/core/a/a');
  }

  /** @param text of the file that is edited */
  writeTree(text = 'one\n'): void {
    const write = (path: string, content: string): void => {
      const full = join(this.tree, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
    };
    for (const [path, content] of Object.entries(FILES)) write(`packages/${path}`, content);
    for (const name of ['a', 'c']) write(`packages/core/${name}/package.toml`, TOML(name));
    write('packages/user/d/package.toml', TOML('d'));
    write('packages/core/a/a', text);
    // Where the run finds it: no mirror is asked.
    write('fetch/core/b/s.txt', SOURCE);
  }

  /** As a new process would. @throws whatever the run throws */
  async run(onDone: (target: string) => void = () => {}): Promise<RunSummary> {
    this.builder.built.length = 0;
    const options = { cwd: this.tree, env: {}, root: this.tree, state: this.state };
    const session = await openSessionWith(options, this.builder.driver);
    try {
      const stop = new AbortController().signal;
      return await run(
        session,
        OPTIONS,
        (event) => {
          if (event.type === 'target-finished' && event.result !== 'hit') onDone(event.target);
        },
        { stop },
      );
    } finally {
      session.close();
    }
  }

  /** What is wrong with what is published and left behind; empty where nothing is. */
  faults(digests: ReadonlyMap<string, string | null>): string[] {
    const faults: string[] = [];
    for (const [target, digest] of digests) {
      for (const fault of layoutFaults(join(this.tree, 'out', target), digest))
        faults.push(`${target}: ${fault}`);
    }
    return [...faults, ...this.litter()];
  }

  /** Names that only work under way may have. */
  litter(): string[] {
    const found = ['work', 'sources/partial', 'runs'].flatMap((folder) =>
      readFolder(join(this.state, folder)).map((name) => `litter: ${folder}/${name}`),
    );
    const folders = [
      this.state,
      ...readFolder(this.state).map((name) => join(this.state, name)),
      join(this.state, 'pool/blobs/sha256'),
      join(this.state, 'sources/sha256'),
    ];
    const outs = readFolder(join(this.tree, 'out')).filter((name) => !name.startsWith('.stx-make'));
    folders.push(join(this.tree, 'out'), ...outs.map((name) => join(this.tree, 'out', name)));
    folders.push(...outs.map((name) => join(this.tree, 'out', name, 'blobs/sha256')));
    for (const folder of folders) {
      for (const name of readFolder(folder)) {
        if (/^\.tmp|\.tmp$|^ingest$/.test(name)) found.push(`litter: ${folder}/${name}`);
      }
    }
    return found;
  }
}

function readFolder(path: string): string[] {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(path) : [];
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** Reads a published layout with its own few lines, every byte. */
export function layoutFaults(folder: string, manifest: string | null): string[] {
  const faults: string[] = [];
  const named = new Set<string>();
  const blob = ({ digest, size }: Descriptor): Buffer => {
    const hex = digest.slice('sha256:'.length);
    const bytes = readFileSync(join(folder, 'blobs/sha256', hex));
    named.add(hex);
    if (bytes.length !== size || createHash('sha256').update(bytes).digest('hex') !== hex) {
      faults.push(`${digest} is damaged`);
    }
    return bytes;
  };
  try {
    const layout = JSON.parse(readFileSync(join(folder, 'oci-layout'), 'utf8')) as unknown;
    if (JSON.stringify(layout) !== '{"imageLayoutVersion":"1.0.0"}') faults.push('oci-layout is wrong');
    const top = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    const digests: string[] = [];
    for (const entry of top.manifests) {
      const index = JSON.parse(blob(entry).toString()) as { manifests: Descriptor[] };
      for (const one of index.manifests) {
        digests.push(one.digest);
        const image = JSON.parse(blob(one).toString()) as { config: Descriptor; layers: Descriptor[] };
        for (const part of [image.config, ...image.layers]) blob(part);
      }
    }
    if (digests[0] !== manifest) faults.push(`shows ${digests[0]}, not ${manifest}`);
    for (const name of readdirSync(join(folder, 'blobs/sha256'))) {
      if (!named.has(name)) faults.push(`blob ${name} belongs to nothing`);
    }
  } catch (error) {
    faults.push(String(error));
  }
  return faults;
}

export function digestsOf({ targets }: RunSummary): Map<string, string | null> {
  return new Map(targets.map(({ name, digest }) => [name, digest]));
}
