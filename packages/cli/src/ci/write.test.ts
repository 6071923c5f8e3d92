/**
 * Written workflows: valid by the systems' published schemas, readable by another parser than their writer's data, safe in
 * what they are allowed, and their scripts run by a real shell.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { jobMinutes, SYSTEMS, type System, type WorkflowOptions } from './model.ts';
import { workflowFiles } from './write.ts';
import { yamlText } from './yaml.ts';

type Node = Readonly<Record<string, unknown>>;

const folder = mkdtempSync(join(tmpdir(), 'stx-ci-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (system: System, more: Partial<WorkflowOptions> = {}): WorkflowOptions => ({
  system,
  shards: 4,
  command: './run',
  install: null,
  remote: null,
  tree: 'recipes',
  cron: '17 1 * * *',
  time: '5h',
  timeMs: 5 * 3_600_000,
  runsOn: null,
  line: `stx-make matrix --write ${system} --shards 4`,
  ...more,
});

const VARIANTS: readonly Partial<WorkflowOptions>[] = [
  {},
  { shards: 1 },
  { shards: 200, runsOn: 'big', tree: '' },
  {
    command: '/opt/bin/stx-make',
    install: 'curl -fsS https://example.org/stx-make.tgz >a.tgz\nnpm install --global ./a.tgz',
    remote: 'registry.example.org:5000/team/cache',
    cron: '0 22 * * 1-5',
    time: '1h30m',
    timeMs: 90 * 60_000,
  },
];

function validator(name: string) {
  const path = new URL(`../../../../test/fixtures/ci-schemas/${name}.json`, import.meta.url);
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(
    JSON.parse(readFileSync(path, 'utf8')) as object,
  );
}

const actions = validator('github-workflow');
const gitlab = validator('gitlab-ci');
const judgeOf = (system: System) => (system === 'gitlab' ? gitlab : actions);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every value under that key, wherever it is. */
function all(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => all(each, key));
  if (!isNode(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => [
    ...(name === key ? [each] : []),
    ...all(each, key),
  ]);
}

function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce((node: unknown, key) => (isNode(node) ? node[key] : undefined), value);
}

/** The shell text of every step or job. */
function scripts(system: System, data: unknown): string[] {
  const found =
    system === 'gitlab' ? [...all(data, 'script'), ...all(data, 'before_script')] : all(data, 'run');
  return found.flat().map(String);
}

const cases = SYSTEMS.flatMap((system) =>
  VARIANTS.flatMap((variant) =>
    workflowFiles(options(system, variant)).map(({ path, text }) => ({
      name: `${path} ${JSON.stringify(variant)}`,
      system,
      path,
      text,
      data: parse(text) as Node,
    })),
  ),
);

describe.each(cases)('$name', ({ system, path, text, data }) => {
  test('is valid by the published schema', () => {
    const judge = judgeOf(system);
    judge(data);
    expect(judge.errors ?? []).toEqual([]);
  });

  test('its scripts are right for a shell, and hold nothing that others choose', () => {
    for (const script of scripts(system, data)) {
      execFileSync('sh', ['-n'], { input: script });
      // An expression is put in as text before the shell reads it.
      expect(script).not.toContain('${{');
    }
  });

  test('actions of others are named by commit', () => {
    for (const uses of all(data, 'uses')) {
      expect(uses).toMatch(
        system === 'forgejo'
          ? /^https:\/\/data\.forgejo\.org\/(actions\/[a-z/-]+@[0-9a-f]{40}|forgejo\/upload-artifact@v4)$/
          : /^actions\/[a-z/-]+@[0-9a-f]{40}$/,
      );
    }
    if (system === 'github') expect(text).toMatch(/checkout@[0-9a-f]{40} # v\d+\.\d+\.\d+/);
  });

  if (path.includes('pull-request'))
    test('a pull request knows no secret and writes nothing', () => {
      expect(data['permissions']).toEqual({ contents: 'read' });
      expect(all(data['jobs'], 'permissions')).toEqual([]);
      expect(Object.keys(data['on'] as Node)).toEqual(['pull_request']);
      for (const word of ['secrets.', 'github.token', '--remote-write', 'DOCKER_CONFIG', 'REGISTRY_TOKEN'])
        expect(text).not.toContain(word);
      expect(text).toContain('--remote "$REMOTE"');
      // What it leaves in caches is nobody's: it only takes from them.
      for (const uses of all(data, 'uses'))
        if (String(uses).includes('cache')) expect(uses).toContain('cache/restore@');
    });

  if (path.includes('nightly'))
    test('a night may write packages where it builds, and nothing else', () => {
      expect(data['permissions']).toEqual({});
      const write = { contents: 'read', packages: 'write' };
      expect(at(data, 'jobs', 'sources', 'permissions')).toEqual({ contents: 'read' });
      expect(at(data, 'jobs', 'shard', 'permissions')).toEqual(write);
      expect(at(data, 'jobs', 'collect', 'permissions')).toEqual(write);
      expect(data['concurrency']).toMatchObject({ 'cancel-in-progress': false });
      expect(Object.keys(data['on'] as Node)).toEqual(['schedule', 'workflow_dispatch']);
    });

  if (system === 'gitlab')
    test('a merge request logs in nowhere and writes nothing', () => {
      const job = data['stx-make affected'];
      expect(JSON.stringify(job)).not.toMatch(/TOKEN|PASSWORD|remote-write|pull-push|DOCKER_CONFIG/);
      expect(at(job, 'rules')).toEqual([{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
    });
});

test.each(SYSTEMS)('%s: a schema says no to what is wrong', (system) => {
  const judge = judgeOf(system);
  const [file] = workflowFiles(options(system));
  const wrong = (file?.text ?? '')
    .replace(/runs-on: .*/, 'runs-onn: x')
    .replace(/allow_failure: true/, 'allow_failure: perhaps');
  expect(judge(parse(wrong))).toBe(false);
});

test('each shard differs in its number alone, and each number is there once', () => {
  for (const system of ['github', 'forgejo'] as const) {
    const [nightly] = workflowFiles(options(system, { shards: 200 }));
    const data = parse(nightly?.text ?? '') as Node;
    expect(at(data, 'jobs', 'shard', 'strategy', 'matrix', 'shard')).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    expect(nightly?.text).toContain('--shard "$SHARD/200"');
  }
  const [file] = workflowFiles(options('gitlab', { shards: 200 }));
  expect(at(parse(file?.text ?? ''), 'stx-make shard', 'parallel')).toBe(200);
});

test("a job's own limit is later than the time and its grace", () => {
  expect(jobMinutes(5 * 3_600_000)).toBe(350);
  expect(jobMinutes(60 * 60_000)).toBe(86);
});

test('a comment that is at nothing is a mistake of ours', () => {
  expect(() => yamlText('head', { a: { b: 1 } }, [{ at: ['a', 'c'], text: 'x' }])).toThrow('a.c');
  expect(yamlText('head\n\nmore', { a: { b: '1' } }, [{ at: ['a', 'b'], text: 'x' }])).toBe(
    "# head\n\n# more\n\na:\n  # x\n  b: '1'\n",
  );
});

/** The scripts of a GitHub job, by the names of their steps. */
function stepsOf(job: string, file = 0): Map<string, string> {
  const [nightly, pull] = workflowFiles(options('github', { command: join(folder, 'tool'), tree: '' }));
  const data = parse((file === 0 ? nightly : pull)?.text ?? '') as Node;
  const steps = at(data, 'jobs', job, 'steps') as Node[];
  return new Map(steps.flatMap(({ name, run }) => (typeof run === 'string' ? [[String(name), run]] : [])));
}

/** Runs a script with `sudo` that does what it is told, and the command as something that ends with a code. */
function runStep(script: string, code: number, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'sudo'), '#!/bin/sh\n[ "$1" = -E ] && shift\nexec "$@"\n');
  writeFileSync(
    join(folder, 'tool'),
    `#!/bin/sh\necho "$*" >>"${folder}/calls"\ncase $1 in affected) echo '{"affected":["a","b"]}' ;; *) exit ${code} ;; esac\n`,
  );
  for (const name of ['sudo', 'tool']) chmodSync(join(folder, name), 0o755);
  writeFileSync(join(folder, 'calls'), '');
  const done = spawnSync('bash', ['-e', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${folder}:${join(process.execPath, '..')}:/usr/bin:/bin`,
      HOME: folder,
      RUNNER_TEMP: folder,
      GITHUB_ENV: join(folder, 'env'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      ...env,
    },
  });
  return { ...done, calls: readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') };
}

describe('scripts', () => {
  test('a shard: done is done, time that was up is no failure, everything else is', () => {
    const script = stepsOf('shard').get('Build') ?? '';
    const env = { SHARD: '3', SESSION: 's', REMOTE: 'ghcr.io/o/r' };
    const done = runStep(script, 0, env);
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(done.calls).toEqual([
      'world --keep-going --shard 3/4 --session s --remote ghcr.io/o/r --remote-write --for 5h --events events.ndjson',
    ]);
    const up = runStep(script, 130, env);
    expect([up.status, up.stdout]).toEqual([0, '::notice::The time was up; the next night goes on.\n']);
    expect([1, 2, 3, 4].map((code) => runStep(script, code, env).status)).toEqual([1, 2, 3, 4]);
    expect(runStep(stepsOf('collect').get('Make one run of all shards') ?? '', 1, env).status).toBe(1);
  });

  test('a pull request that is not done in time is not good', () => {
    const script = stepsOf('affected', 1).get('Build what it affects') ?? '';
    const env = { BASE: 'main', REMOTE: 'r' };
    expect(runStep(script, 130, env).status).toBe(130);
    const { status, calls } = runStep(script, 0, env);
    expect(status).toBe(0);
    expect(calls.at(-1)).toBe('build @affected.txt --keep-going --remote r --for 5h --events events.ndjson');
    expect(readFileSync(join(folder, 'affected.txt'), 'utf8')).toBe('a\nb\n');
  });

  test('the login is written for its owner alone, where docker looks for it', () => {
    const steps = stepsOf('shard');
    const names = runStep(steps.get('Name the remote') ?? '', 0, {
      NAMED_REMOTE: 'ghcr.io/Org/Repo/stx-make',
    });
    expect([names.status, readFileSync(join(folder, 'env'), 'utf8')]).toEqual([
      0,
      'REMOTE=ghcr.io/org/repo/stx-make\n',
    ]);
    const env = {
      REMOTE: 'ghcr.io/org/repo',
      REGISTRY_USER: 'me',
      REGISTRY_TOKEN: `${'long'.repeat(40)}:%s"`,
    };
    const login = runStep(steps.get('Log in to the registry') ?? '', 0, env);
    expect([login.status, login.stdout, login.stderr]).toEqual([0, '', '']);
    const file = join(folder, 'registry', 'config.json');
    const { auths } = JSON.parse(readFileSync(file, 'utf8')) as { auths: Record<string, { auth: string }> };
    expect(Object.keys(auths)).toEqual(['ghcr.io']);
    expect(Buffer.from(auths['ghcr.io']?.auth ?? '', 'base64').toString()).toBe(`me:${env.REGISTRY_TOKEN}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
