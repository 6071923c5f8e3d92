/**
 * Runs the program of an image as people would: the layout's layers are unpacked by tar, and runc starts what
 * the image's config says. Reads the layout with its own few lines, as a second opinion on ours. Unaware of
 * recipes and of BuildKit.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** An unpacked image. */
export interface Image {
  /** Holds `rootfs/` and whatever else belongs to it. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly config: ImageConfig;
  /** Removes all of it. */
  remove(): void;
}

/** What the image says about being run. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly User?: string;
}

export interface RunOptions {
  /** In place of the image's Cmd. */
  readonly args?: readonly string[];
  /** In place of the image's Entrypoint. */
  readonly entrypoint?: readonly string[];
  /** Standard input; nothing by default. */
  readonly input?: string | Uint8Array;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Unpacks the only image of an OCI layout. Needs root, for the owners of files. */
export function unpackImage(layout: string): Image {
  const blob = (digest: string): string => join(layout, 'blobs', ...digest.split(':'));
  const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
  type Index = { manifests: { digest: string }[] };
  let digest = json<Index>(join(layout, 'index.json')).manifests[0]?.digest ?? '';
  const outer = json<Index | Manifest>(blob(digest));
  if ('manifests' in outer) digest = outer.manifests[0]?.digest ?? '';
  const manifest = json<Manifest>(blob(digest));
  const bundle = mkdtempSync(join(tmpdir(), 'stx-oci-'));
  const rootfs = join(bundle, 'rootfs');
  mkdirSync(rootfs);
  for (const layer of manifest.layers) unpackLayer(blob(layer.digest), rootfs);
  const { config } = json<{ config: ImageConfig }>(blob(manifest.config.digest));
  return { bundle, rootfs, config, remove: () => rmSync(bundle, { recursive: true, force: true }) };
}

type Manifest = { config: { digest: string }; layers: { digest: string }[] };

function unpackLayer(archive: string, rootfs: string): void {
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).split('\n');
  for (const name of names) {
    const mark = basename(name);
    // A whiteout takes away what lower layers hold, so it counts before this layer is unpacked.
    if (mark.startsWith('.wh.')) {
      rmSync(join(rootfs, dirname(name), mark.slice('.wh.'.length)), { recursive: true, force: true });
    }
  }
  execFileSync('tar', ['-xpzf', archive, '-C', rootfs, '--exclude=.wh.*', '--numeric-owner']);
}

/** Runs it to its end, offline, as the image's user, in namespaces of its own. Needs root and runc. */
export function runImage(image: Image, options: RunOptions = {}): Promise<Outcome> {
  const { config } = image;
  const [uid = 0, gid = 0] = (config.User ?? '').split(':').map(Number);
  const args = [
    ...(options.entrypoint ?? config.Entrypoint ?? []),
    ...(options.args ?? (options.entrypoint === undefined ? (config.Cmd ?? []) : [])),
  ];
  const spec = {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid },
      args,
      env: config.Env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: config.WorkingDir || '/',
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: false },
    hostname: 'image',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    ],
    linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
  writeFileSync(join(image.bundle, 'config.json'), JSON.stringify(spec));
  const runc = [
    '--root',
    join(image.bundle, 'runc'),
    'run',
    '--bundle',
    image.bundle,
    basename(image.bundle),
  ];
  const child = spawn('runc', runc, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that does not read its input may be gone before it is written.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
