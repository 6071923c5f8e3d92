/** `./run` on made-up machines: what it gets when, and what it says when it can not. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Machine, type MachineOptions, steps } from './machine.ts';

const machines: Machine[] = [];

function machine(options?: MachineOptions): Machine {
  const made = new Machine(options);
  machines.push(made);
  return made;
}

afterEach(() => {
  for (const made of machines.splice(0)) made.close();
});

describe('a fresh machine', () => {
  it('gets all it lacks, with a line for each step, and nothing the second time', async () => {
    const m = machine({ runc: false });
    const first = await m.run(['world', '--json']);
    expect(first.code).toBe(0);
    expect(steps(m.calls())).toEqual(['npm', 'npm', 'pnpm', 'bundle', 'go', 'apt runc']);
    expect(
      first.stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.split(':').slice(0, 2).join(':')),
    ).toEqual([
      './run: Node',
      './run: pnpm',
      './run: dependencies',
      './run: bundle',
      './run: BuildKit',
      './run: packages',
    ]);
    const buildkit = join(m.cache, readdirSync(m.cache).find((name) => name.startsWith('buildkit-')) ?? '');
    expect(first.stdout).toBe(
      `stx-make node=v26.99.0 cwd=${m.clone} buildkit=${buildkit} go=go1.26.8 fallback=${m.clone}/recipes <world> <--json>\n`,
    );
    const second = await m.run(['world', '--json']);
    expect(second).toEqual({ code: 0, stdout: first.stdout, stderr: '' });
    expect(steps(m.calls())).toEqual([]);
  });

  it('keeps its own node where it is new enough', async () => {
    const m = machine({ node: 'v24.1.0' });
    const { stdout, stderr } = await m.run(['world']);
    expect(stdout).toContain('node=v24.1.0 ');
    expect(stderr).not.toContain('Node');
  });

  it('compiles nothing for commands that only read', async () => {
    const m = machine({ go: null, runc: false, root: false });
    for (const word of ['graph', '--help', 'why', 'status']) expect((await m.run([word])).code).toBe(0);
    expect((await m.run(['world'])).code).toBe(3);
    expect((await m.run(['--root', '/x', 'graph'])).code).toBe(3);
  });

  it('is asked for runc only where BuildKit runs here', async () => {
    const m = machine({ runc: false, root: false });
    expect((await m.run(['world'])).stderr).toContain("run 'apt-get install runc' as root once");
    expect((await m.run(['world', '--worker', 'tcp://a:1'])).code).toBe(0);
    expect((await m.run(['world', '--worker=tcp://a:1'])).code).toBe(0);
    expect((await m.run(['world'], { BUILDKIT_HOST: 'tcp://a:1' })).code).toBe(0);
    expect((await m.run(['world'], { BUILDKIT_HOST: '' })).code).toBe(3);
  });

  it('lets the doctor speak of what is missing', async () => {
    const m = machine({ go: null });
    const { code, stdout, stderr } = await m.run(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toContain('<doctor>');
    expect(stderr).toContain('Go is needed');
  });
});

describe('one sentence and exit code 3', () => {
  it.each<[string, MachineOptions, RegExp]>([
    [
      'no node and no npm',
      { node: null, npm: false },
      /Node 24 or newer is needed, this machine has none: install/,
    ],
    [
      'an old node and no npm',
      { npm: false },
      /Node 24 or newer is needed, this machine's is v20\.0\.0: install/,
    ],
    ['a new node and no npm', { node: 'v24.0.0', npm: false }, /pnpm [0-9.]+ is needed .*install npm/],
    ['no go', { go: null }, /Go is needed .*there is no go in PATH: install Go 1\.26 /],
    ['an old go', { go: 'go1.20.5' }, /Go is needed .*this machine's is go1\.20\.5: install Go 1\.26 /],
    [
      'no runc, not root',
      { runc: false, root: false },
      /only root may install it: run 'apt-get install runc'/,
    ],
    ['no runc, no apt', { runc: false, apt: false }, /no apt-get: install it with the distribution's own/],
  ])('%s', async (_, options, sentence) => {
    const { code, stdout, stderr } = await machine(options).run(['world']);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(sentence);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  it.each([
    [
      'npm',
      'npm error code ENOTFOUND\nnpm error getaddrinfo ENOTFOUND',
      /no network: Node [0-9.]+ could not/,
    ],
    ['pnpm', 'client error (Connect): dns error', /no network: the dependencies could not/],
    ['go', 'dial tcp: lookup proxy on 1.1.1.1:53: no such host', /no network: BuildKit v[0-9.]+ could not/],
    ['apt-get', "Temporary failure resolving 'deb'", /no network: runc could not/],
  ])('no network for %s', async (program, words, sentence) => {
    const m = machine({ runc: false });
    // pnpm is brought by npm, go is asked for its release before: those calls must work.
    if (program === 'pnpm')
      m.program('pnpm', `#!/bin/sh\n[ "$1" = --version ] || { echo '${words}' >&2; exit 1; }\n`, m.folder);
    else if (program === 'go')
      m.program('go', `#!/bin/sh\n[ "$1" = env ] && echo go1.26.8 && exit; echo '${words}' >&2; exit 1\n`);
    else m.break(program, words);
    const { code, stderr } = await m.run(['world']);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(sentence);
    expect(code).toBe(3);
  });

  it('an npm that ends well without what it could not get', async () => {
    const m = machine();
    m.program('npm', "#!/bin/sh\necho 'npm http fetch GET attempt 1 failed with ENOTFOUND'\n");
    expect((await m.run(['world'])).stderr).toMatch(/no network: Node [0-9.]+ could not/);
  });

  it('a ready binary that does not run here', async () => {
    const m = machine();
    m.program('node26', '#!/no/such/loader\n', m.folder);
    expect((await m.run(['world'])).stderr).toMatch(/does not run on this machine \(it needs glibc\)/);
  });

  it('a lockfile that does not fit', async () => {
    const m = machine();
    m.program(
      'pnpm',
      '#!/bin/sh\n[ "$1" = --version ] || { echo ERR_PNPM_OUTDATED_LOCKFILE; exit 1; }\n',
      m.folder,
    );
    expect((await m.run(['world'])).stderr).toContain('pnpm-lock.yaml does not fit package.json');
  });

  it('sources that make no bundle are our own fault: 70', async () => {
    const m = machine({ node: 'v24.0.0' });
    await m.run(['graph']);
    m.program(
      'node',
      '#!/bin/sh\ncase $1 in --version) echo v24.0.0;; -p) command -v node;; *) echo oops >&2; exit 1;; esac\n',
    );
    m.source('packages/cli/src/main.ts', '// other\n');
    const { code, stderr } = await m.run(['graph']);
    expect(code).toBe(70);
    expect(stderr).toContain('oops');
  });
});

describe('the Go that compiles BuildKit', () => {
  it.each([
    ['go1.26.3', 'local', 'go1.26.3'],
    ['go1.26.11', 'local', 'go1.26.11'],
    ['go1.26.2', 'go1.26.8', 'go1.26.8'],
    ['go1.25.9', 'go1.26.8', 'go1.26.8'],
    ['go1.27.1', 'go1.26.8', 'go1.26.8'],
    ['go1.21.0', 'go1.26.8', 'go1.26.8'],
  ])('%s is asked for %s', async (release, toolchain, named) => {
    const m = machine({ go: release });
    const { stdout } = await m.run(['world']);
    expect(m.calls()).toContain(`go-toolchain ${toolchain}`);
    expect(stdout).toContain(` go=${named} `);
    expect(readdirSync(m.cache).some((name) => name.includes(`-${named}-`))).toBe(true);
  });

  it('is not needed again, and not at all with own binaries', async () => {
    const m = machine();
    await m.run(['world']);
    m.remove('go');
    rmSync(join(m.clone, '.cache'), { recursive: true });
    expect((await m.run(['world'])).stdout).toContain('go=go1.26.8');
    rmSync(m.cache, { recursive: true });
    const own = join(m.folder, 'own');
    expect((await m.run(['world'], { STX_MAKE_BUILDKIT_BIN: own })).stderr).toContain(
      'has no buildctl and buildkitd',
    );
    mkdirSync(own);
    for (const name of ['buildctl', 'buildkitd']) m.program(name, '#!/bin/sh\n', own);
    expect((await m.run(['world'], { STX_MAKE_BUILDKIT_BIN: own })).stdout).toContain(`buildkit=${own} go= `);
  });
});

describe('what only tests need', () => {
  it('is installed by ./run test alone, and services are kept from starting', async () => {
    const m = machine();
    m.source('tools/test-packages.txt', '# command package\n\nrunc runc\ntmux tmux\nskopeo skopeo\n');
    await m.run(['world']);
    await m.run(['test', '--quick']);
    expect(m.calls().filter((call) => call.startsWith('apt'))).toEqual([]);
    const { code, stdout } = await m.run(['test', '--', 'x']);
    expect(code).toBe(0);
    expect(stdout).toContain('<--> <x>');
    expect(steps(m.calls())).toContain('apt tmux skopeo');
    expect(readFileSync(join(m.folder, 'policy-seen'), 'utf8')).toContain('exit 101');
    expect(existsSync(join(m.folder, 'policy-rc.d'))).toBe(false);
  });

  it('must then be there', async () => {
    const m = machine();
    m.source('tools/test-packages.txt', 'registry docker-registry\n');
    const { code, stderr } = await m.run(['test']);
    expect(stderr).toContain('registry is not in PATH although the package docker-registry was installed');
    expect(code).toBe(3);
  });

  it("leaves somebody's own policy for services alone", async () => {
    const m = machine({ runc: false });
    const policy = join(m.folder, 'policy-rc.d');
    writeFileSync(policy, '#!/bin/sh\nexit 0\n');
    chmodSync(policy, 0o755);
    await m.run(['world']);
    expect(readFileSync(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });

  it('is looked for in new lists when the old ones do not have it', async () => {
    const m = machine({ runc: false });
    m.program(
      'apt-get',
      '#!/bin/sh\ncase " $* " in\n*" update "*) : >"$MACHINE/updated" ;;\n*) [ -e "$MACHINE/updated" ] || exit 100\n' +
        'printf "#!/bin/sh\\n" >"$MACHINE/bin/runc"; chmod 755 "$MACHINE/bin/runc" ;;\nesac\n',
    );
    expect((await m.run(['world'])).code).toBe(0);
  });
});
