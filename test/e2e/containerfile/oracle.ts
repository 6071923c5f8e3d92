/**
 * What BuildKit itself makes of a Containerfile: whether it takes it, which images it looks up, which files
 * it copies from the context. Asked through its `frontend.convertllb` request, so nothing is built, and with
 * every image of a pool given as an empty named context, so nothing is pulled: each one BuildKit looks up
 * shows in its progress, and any other image is denied by policy.
 *
 * Unaware of our reader.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from '../../../packages/scheduler/src/process/index.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';

export interface Question {
  readonly text: string | Uint8Array;
  readonly target?: string;
  readonly platform?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Named contexts given whatever the file says. */
  readonly contexts?: readonly string[];
  /** Really build it, for another platform than the daemon's: `frontend.convertllb` ignores the platform.
   * Everything the file copies must be there, so no sources are told. */
  readonly isBuilt?: boolean;
}

export interface Answer {
  /** Why BuildKit refuses it; null where it does not. */
  readonly error: string | null;
  /** The image outside the pool for want of which it was refused; null where that is not the reason. */
  readonly denied: string | null;
  /** Short names of all images and named contexts looked up, sorted. */
  readonly images: readonly string[];
  /** Sources of copies from the main context that the result needs, sorted; `mount:` before bind mounts. */
  readonly sources: readonly string[];
}

/** Images that a question may name. */
export const POOL: readonly string[] = [
  '0',
  'alpine',
  'fetch',
  'other',
  'quay.io/x/y:2',
  'localhost:5000/z',
  'stagex/a',
  'stagex/b',
  'stagex/c',
  'stagex/d:1.0',
  'stagex/amd64',
  'stagex/arm64',
  'stagex/armv7',
  'x',
];

interface Action {
  readonly secondaryInput?: string;
  readonly copy?: { readonly src: string };
}

interface Operation {
  readonly inputs?: readonly { readonly digest: string }[];
  readonly source?: { readonly identifier: string };
  readonly file?: { readonly actions: readonly Action[] };
  readonly exec?: { readonly mounts?: readonly { readonly input?: string; readonly selector?: string }[] };
}

export class Oracle {
  private readonly daemon: TestDaemon;
  private readonly folder = mkdtempSync(join(tmpdir(), 'stx-oracle-'));
  private count = 0;

  private constructor(daemon: TestDaemon) {
    this.daemon = daemon;
    mkdirSync(join(this.folder, 'empty'));
    const deny = ['docker-image', 'http', 'https', 'git', 'ssh'].map((scheme) => ({
      action: 'DENY',
      selector: { identifier: `${scheme}://*` },
    }));
    writeFileSync(join(this.folder, 'policy.json'), JSON.stringify({ rules: deny }));
  }

  static async start(): Promise<Oracle> {
    return new Oracle(await startDaemon());
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(question: Question): Promise<Answer> {
    const folder = join(this.folder, String(this.count++));
    mkdirSync(folder);
    writeFileSync(join(folder, 'Containerfile'), question.text);
    const empty = join(this.folder, 'empty');
    const locals = { dockerfile: folder, context: empty, empty };
    const { code, stdout, stderr } = await capture(
      this.daemon.buildctl,
      [
        ...['--addr', this.daemon.address, 'build', '--frontend', 'dockerfile.v0', '--progress', 'rawjson'],
        ...['--source-policy-file', join(this.folder, 'policy.json')],
        ...Object.entries(locals).flatMap(([name, path]) => ['--local', `${name}=${path}`]),
        ...Object.entries(options(question)).flatMap(([key, value]) => ['--opt', `${key}=${value}`]),
      ],
      { env: process.env },
    );
    rmSync(folder, { recursive: true });
    if (code !== 0) {
      const denied =
        /"docker-image:\/\/(?:docker\.io\/(?:library\/)?)?(\S+?)(?::latest)?" denied by policy/.exec(stderr);
      const error = stderr.match(/^error: .*$/m)?.[0] ?? stderr;
      return { error, denied: denied?.[1] ?? null, images: [], sources: [] };
    }
    const images = [...stderr.matchAll(/"name":"\[context ([^\]]+)\] load \.dockerignore"/g)];
    return {
      error: null,
      denied: null,
      images: sorted(images.map((match) => (match[1] ?? '').replace(/::.*/, ''))),
      sources: question.isBuilt === true ? [] : sorted(contextSources(stdout)),
    };
  }
}

function options(question: Question): Record<string, string> {
  const given: Record<string, string> = {
    cmdline: '',
    filename: 'Containerfile',
    ...(question.isBuilt === true ? {} : { requestid: 'frontend.convertllb' }),
    platform: question.platform ?? 'linux/amd64',
  };
  // A stage called like an image of the pool must not be replaced by it: stages never have a slash or tag.
  const isSafe = (name: string): boolean => !isStage(question, name);
  for (const name of [...POOL.filter(isSafe), ...(question.contexts ?? [])]) {
    given[`context:${name}`] = 'local:empty';
  }
  if (question.target !== undefined) given['target'] = question.target;
  for (const [key, value] of Object.entries(question.buildArgs ?? {})) given[`build-arg:${key}`] = value;
  return given;
}

function isStage({ text }: Question, name: string): boolean {
  const file = typeof text === 'string' ? text : new TextDecoder().decode(text);
  return new RegExp(`\\bas[\\s\\\\]+${name.replaceAll('.', '\\.')}\\s`, 'i').test(`${file}\n`);
}

/** From the `result.json` that buildctl prints. */
function contextSources(stdout: string): string[] {
  const json = stdout.slice(stdout.indexOf('{'));
  const { def } = JSON.parse(json) as { def: Record<string, Operation> };
  const isContext = (operation: Operation, input: number): boolean => {
    const digest = operation.inputs?.[input]?.digest;
    return digest !== undefined && def[digest]?.source?.identifier === 'local://context';
  };
  return Object.values(def).flatMap((operation) => [
    ...(operation.file?.actions ?? []).flatMap(({ copy, secondaryInput }) =>
      copy !== undefined && isContext(operation, Number(secondaryInput ?? 0)) ? [relative(copy.src)] : [],
    ),
    ...(operation.exec?.mounts ?? []).flatMap(({ input, selector }) =>
      isContext(operation, Number(input ?? 0)) ? [`mount:${relative(selector ?? '')}`] : [],
    ),
  ]);
}

/** BuildKit cleans an absolute source only when it copies. */
function relative(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}

function sorted(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}
