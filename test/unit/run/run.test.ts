/** `./run` when all is there or is being got: how it is called, when it bundles anew, that nothing is left half. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
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

describe('the bundle', () => {
  it.each<[string, (m: Machine) => void]>([
    ['saved', (m) => m.source('packages/cli/src/main.ts', '// new\n')],
    ['added', (m) => m.source('packages/core/src/deep/er.ts', '// new\n')],
    ['removed', (m) => rmSync(join(m.clone, 'packages/cli/src/old.ts'))],
    [
      'replaced by one with an old time',
      (m) => {
        const path = join(m.clone, 'packages/cli/src/main.ts');
        writeFileSync(path, '// older\n');
        utimesSync(path, 1, 1);
      },
    ],
    [
      'renamed',
      (m) => renameSync(join(m.clone, 'packages/cli/src/old.ts'), join(m.clone, 'packages/cli/src/x.ts')),
    ],
    ['lost with the bundle', (m) => rmSync(join(m.clone, 'packages/cli/dist'), { recursive: true })],
  ])('is made anew when a source was %s', async (_, change) => {
    const m = machine({ node: 'v24.0.0' });
    m.source('packages/cli/src/old.ts', '// old\n');
    m.source('packages/core/src/a.ts', '// a\n');
    m.source('packages/core/package.json', '{}\n');
    await m.run(['graph']);
    m.calls();
    await m.run(['graph']);
    expect(steps(m.calls())).toEqual([]);
    change(m);
    expect((await m.run(['graph'])).code).toBe(0);
    expect(steps(m.calls())).toEqual(['bundle']);
    await m.run(['graph']);
    expect(steps(m.calls())).toEqual([]);
  });

  it('comes with new dependencies when the lockfile changed', async () => {
    const m = machine({ node: 'v24.0.0' });
    await m.run(['graph']);
    m.calls();
    m.source('pnpm-lock.yaml', 'other\n');
    await m.run(['graph']);
    expect(steps(m.calls())).toEqual(['pnpm', 'bundle']);
  });
});

describe('calling', () => {
  it('works from anywhere, through links, with any words', async () => {
    const m = machine();
    await m.run(['world']);
    const elsewhere = join(m.folder, 'else where');
    mkdirSync(elsewhere);
    symlinkSync('../clone/run', join(elsewhere, 'stx'));
    symlinkSync(join(elsewhere, 'stx'), join(m.folder, 'stx2'));
    const words = ['build', 'a b', '', '*', "it's"];
    for (const script of [join(m.clone, 'run'), join(elsewhere, 'stx'), '../stx2', './stx']) {
      const { stdout, stderr } = await m.run(words, { CDPATH: '/' }, { cwd: elsewhere, script });
      expect(stdout).toContain(`cwd=${elsewhere} `);
      expect(stdout).toContain(`fallback=${m.clone}/recipes <build> <a b> <> <*> <it's>\n`);
      expect(stderr).toBe('');
    }
  });

  it('works without a home, with one that is not there, and with one that is no folder', async () => {
    const file = machine();
    writeFileSync(join(file.folder, 'file'), '');
    for (const HOME of [undefined, '', '/nonexistent', join(file.folder, 'file')]) {
      const m = machine();
      const { code, stdout, stderr } = await m.run(['world'], { HOME });
      expect(code).toBe(0);
      expect(stderr).toContain(
        `no home folder that can be written to: node, pnpm and BuildKit go to ${m.clone}/.cache/shared`,
      );
      expect(stdout).toContain(`buildkit=${m.clone}/.cache/shared/`);
      expect(existsSync('/nonexistent')).toBe(false);
    }
  });

  it('uses XDG_CACHE_HOME where it is absolute', async () => {
    const m = machine();
    const cache = join(m.folder, 'xdg');
    expect((await m.run(['world'], { XDG_CACHE_HOME: cache })).stdout).toContain(
      `buildkit=${cache}/stx-make/`,
    );
    const other = machine();
    expect((await other.run(['world'], { XDG_CACHE_HOME: 'relative' })).stdout).toContain(
      `buildkit=${other.cache}/`,
    );
  });
});

describe('interrupted and at the same time', () => {
  /** The stand-in stops at its gate; resolves when it stands there. */
  async function stopAt(m: Machine, program: string): Promise<void> {
    execFileSync('mkfifo', [join(m.folder, `gate.${program}`)]);
    const waiting = join(m.folder, 'waiting');
    await new Promise<void>((resolve) => {
      const look = watch(m.folder, () => {
        if (!existsSync(waiting)) return;
        look.close();
        resolve();
      });
    });
    rmSync(waiting);
  }

  /** Lets the one at the gate go on; there is no gate any more. */
  function openGate(m: Machine, program: string): void {
    const gate = join(m.folder, `gate.${program}`);
    const file = openSync(gate, 'w');
    rmSync(gate);
    writeSync(file, '\n');
    closeSync(file);
  }

  it.each([
    ['npm', 'SIGKILL'],
    ['npm', 'SIGINT'],
    ['pnpm', 'SIGKILL'],
    ['pnpm', 'SIGTERM'],
  ] as const)('%s ended by %s leaves nothing half', async (program, signal) => {
    const m = machine();
    const stopped = stopAt(m, program);
    const { child, ended } = m.start(['world']);
    await stopped;
    if (child.pid !== undefined) process.kill(-child.pid, signal);
    expect((await ended).code).not.toBe(0);
    expect(existsSync(join(m.clone, '.cache', 'ready'))).toBe(false);
    rmSync(join(m.folder, `gate.${program}`));
    expect((await m.run(['world'])).code).toBe(0);
    expect(readdirSync(m.cache).filter((name) => name.startsWith('tmp.'))).toEqual([]);
  });

  it('a compiler that was killed leaves no BuildKit', async () => {
    const m = machine();
    m.program(
      'go',
      '#!/bin/sh\n[ "$1" = env ] && { [ "$2" = GOVERSION ] && echo go1.26.8; exit 0; }\nkill -9 $PPID; exit 1\n',
    );
    expect((await m.run(['world'])).code).not.toBe(0);
    expect(readdirSync(m.cache).filter((name) => name.startsWith('buildkit-'))).toEqual([]);
  });

  it('two first runs do every step once', async () => {
    const m = machine({ runc: false });
    const stopped = stopAt(m, 'npm');
    const first = m.start(['world']);
    await stopped;
    const second = m.start(['world']);
    const waits = await new Promise<string>((resolve) => {
      second.child.stderr.once('data', (data: Buffer) => resolve(data.toString()));
    });
    expect(waits).toContain('another ./run is setting up');
    openGate(m, 'npm');
    const results = await Promise.all([first.ended, second.ended]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[0]?.stdout).toBe(results[1]?.stdout);
    expect(steps(m.calls())).toEqual(['npm', 'npm', 'pnpm', 'bundle', 'go', 'apt runc', 'bundle']);
  });
});
