/**
 * The ways to a worker that go through another program: buildctl's own helpers for ssh, docker, podman and kubectl, with stand-ins
 * for those programs that end at a real daemon, which runs with the configuration of docs/kubernetes.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { documentOf, stx } from '../../rig/cli.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';

let folder: string;
let daemon: TestDaemon;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-ways-'));
  const manifest = readFileSync(new URL('../../../docs/kubernetes/buildkit.yaml', import.meta.url), 'utf8');
  const config = parseAllDocuments(manifest).find((document) => document.get('kind') === 'ConfigMap');
  const file = join(folder, 'buildkitd.toml');
  writeFileSync(file, String(config?.getIn(['data', 'buildkitd.toml'])));
  daemon = await startDaemon({ flags: ['--config', file] });
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['ssh', 'docker', 'podman', 'kubectl']) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\necho "${name} $*" >>"${folder}/calls"\ncase "$*" in *dial-stdio*) exec ${daemon.buildctl} --addr ${daemon.address} dial-stdio ;; esac\nexit 1\n`,
    );
    chmodSync(join(bin, name), 0o755);
  }
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['ssh://me@far.example:22', /^ssh .*far\.example.* buildctl dial-stdio$/m],
  ['docker-container://bk', /^docker .*exec .*bk buildctl dial-stdio$/m],
  ['podman-container://bk', /^podman exec .*bk buildctl dial-stdio$/m],
  [
    'kube-pod://buildkitd-0?namespace=buildkit',
    /^kubectl .*--namespace=buildkit.* exec .*buildkitd-0 -- buildctl dial-stdio$/m,
  ],
])('%s', async (address, call) => {
  const finished = await stx(['workers', '--json', '--worker', `${address},name=far,jobs=2`], {
    cwd: folder,
    state: join(folder, 'state'),
    env: { PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) },
  });
  const { workers } = documentOf<{ workers: Record<string, unknown>[] }>(finished);
  expect(workers).toMatchObject([
    { name: 'far', address, usable: true, published: true, jobs: 2, problems: [] },
  ]);
  // What the ConfigMap says: at most 85 % of the disk, 10 % left free (BuildKit rounds), everything counts.
  const gc = workers[0]?.['gc'] as { maxUsedSpace: number; minFreeSpace: number }[];
  expect(gc).toHaveLength(1);
  const ratio = (gc[0]?.maxUsedSpace ?? 0) / (gc[0]?.minFreeSpace ?? 1);
  expect(ratio).toBeGreaterThan(7.5);
  expect(ratio).toBeLessThan(9.5);
  expect(readFileSync(join(folder, 'calls'), 'utf8')).toMatch(call);
  expect(finished.code).toBe(0);
});
