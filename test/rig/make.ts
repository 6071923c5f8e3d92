/**
 * Builds a tree as upstream's Makefile does, with buildctl and tar: `out/<target>/` by `tar=true,dest=-`, no hard links,
 * fetch/ inside the recipe folder left out. Shares nothing with packages/: what comes out is what make would have left.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDaemon } from './daemon.ts';

export interface MadeTarget {
  readonly name: string;
  /** Relative to the root. */
  readonly dir: string;
  readonly version?: string;
  /** Names of needed targets: built before. */
  readonly needs?: readonly string[];
  readonly platform?: string;
}

/** Builds the targets in the order given. */
export function makeOut(root: string, daemon: TestDaemon, targets: readonly MadeTarget[]): void {
  const fetch = mkdtempSync(join(tmpdir(), 'stx-make-fetch-'));
  for (const target of targets) makeOne(root, daemon, target, fetch);
  rmSync(fetch, { recursive: true });
}

function makeOne(root: string, daemon: TestDaemon, target: MadeTarget, fetch: string): void {
  const { name, dir, version = 'latest', needs = [], platform = 'linux/amd64' } = target;
  const folder = join(root, 'out', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const recipe = join(root, dir);
  const output = [
    `name=stagex/${name}:${version},type=oci,rewrite-timestamp=true,force-compression=true`,
    `annotation.containerd.io/distribution.source.docker.io=stagex/${name}`,
    `annotation.org.opencontainers.image.version=${version}`,
    'annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z,tar=true,dest=-',
  ].join(',');
  const args = [
    ...['--addr', daemon.address, 'build', '--frontend', 'dockerfile.v0', '--progress', 'plain'],
    ...['--local', `context=${recipe}`, '--local', `dockerfile=${recipe}`, '--local', `fetch=${fetch}`],
    ...['--opt', `sharedkey:localdir:fetch=${name}`, '--opt', 'context:fetch=local:fetch'],
    ...['--opt', 'filename=Containerfile', '--opt', `platform=${platform}`],
    ...['--opt', 'build-arg:SOURCE_DATE_EPOCH=1', '--opt', 'build-arg:BUILDKIT_MULTI_PLATFORM=1'],
    ...needs.flatMap((need) => [
      ...['--oci-layout', `stagex/${need}=${join(root, 'out', need)}`],
      ...['--opt', `context:stagex/${need}=oci-layout://stagex/${need}@${digestOfOut(root, need)}`],
    ]),
    ...['--output', output],
  ];
  const built = spawnSync(daemon.buildctl, args, { maxBuffer: 1 << 30 });
  if (built.status !== 0) throw new Error(`${name}: ${built.stderr.toString()}`);
  execFileSync('tar', ['-C', folder, '-mx'], { input: built.stdout });
}

/** The published digest of a layout, as upstream's digests.py reads it. */
export function digestOfOut(root: string, target: string): string {
  const folder = join(root, 'out', target);
  const first = (path: string): string => {
    const document = JSON.parse(readFileSync(path, 'utf8')) as { manifests: { digest: string }[] };
    return document.manifests[0]?.digest ?? '';
  };
  const index = first(join(folder, 'index.json'));
  return first(join(folder, 'blobs/sha256', index.slice('sha256:'.length)));
}
