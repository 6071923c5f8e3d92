/**
 * Runs on the managed BuildKit that lose their terminal, go on by themselves, are watched, stopped and killed; and
 * builds that print more than fits anywhere.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../../packages/core/src/events.ts';
import { cgroupFiles } from '../../../packages/scheduler/src/buildkit/usage.ts';
import { liveRuns } from '../../../packages/scheduler/src/live/index.ts';
import { statePaths } from '../../../packages/scheduler/src/paths.ts';
import { descendants } from '../../../packages/scheduler/src/process/tree.ts';
import { documentOf, REPOSITORY, type RunDocument, start, stx } from '../../rig/cli.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let state: string;
const here = () => ({ cwd: root, state });

const shell = (text: string): string =>
  'FROM stagex/core-busybox AS build\n' +
  `RUN --network=none ["/bin/busybox", "sh", "-c", ${JSON.stringify(text)}]\n` +
  'FROM scratch AS package\nCOPY --from=build /out /out\n';

/** A build that is under way for so long; what it waits for can not be told from outside. */
const slow = (seconds: number, number = 0): string =>
  shell(`busybox() { /bin/busybox "$@"; }; busybox sleep ${seconds}; echo ${number} > /out`);

const LINE = `${'0123456789'.repeat(8)} ünd\n`;
/** Of the flood, in lines: 100 MB; 24000000 are the 2 GB of issue 6. */
const LINES = Number(process.env['STX_TEST_FLOOD_LINES'] ?? 1_200_000);
const LONG_LINE = 50 * 1024 * 1024;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-live-'));
  root = join(folder, 'tree');
  state = join(folder, 'state');
  writeBusybox(root);
  writeRecipes(root, {
    'core/a': slow(4, 1),
    'core/hang': slow(600, 2),
    'core/idle': slow(6, 4),
    'core/busy': shell('/bin/busybox timeout 6 /bin/busybox yes > /dev/null; echo 5 > /out'),
    'core/flood': shell(
      `/bin/busybox yes "${LINE.trimEnd()}" | /bin/busybox head -n ${LINES}; ` +
        `/bin/busybox yes x | /bin/busybox tr -d '\\n' | /bin/busybox head -c ${LONG_LINE}; echo; ` +
        "printf '\\033]0;owned\\007\\033[2Jend\\n'; echo 3 > /out",
    ),
    'core/after':
      'FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-flood . /f\n' +
      'RUN --network=none ["/bin/busybox", "sleep", "2"]\nFROM scratch AS package\nCOPY --from=build /f /f\n',
  });
  const first = await stx(['build', 'core-busybox'], here());
  expect(first.code).toBe(0);
});
afterAll(async () => {
  await stx(['stop', '--kill'], here());
  await stx(['daemon', 'stop'], here());
  rmSync(folder, { recursive: true, force: true });
});

const group = (pid: number): string | undefined =>
  readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2];

test('a hang-up of the whole group ends neither the run nor its children, which are in that group', async () => {
  const run = start(['build', 'core-a', '--no-cache', '--ui', 'quiet', '--events', '-'], here());
  await run.saw(/"step-started","target":"core-a".*RUN/);
  const pid = run.child.pid ?? 0;
  const buildctl = descendants(pid).filter((child) =>
    readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').includes('buildctl\0'),
  );
  expect(buildctl.map((child) => group(child.pid))).toEqual([String(pid)]);
  run.interrupt('SIGHUP');
  const { code, stdout } = await run.finished;
  expect(stdout).toMatch(/"target-finished","target":"core-a","result":"(built|unchanged)"/);
  expect(code).toBe(0);
});

test('a terminal that is closed: the run goes on, and is attached to from elsewhere', async () => {
  const bundle = join(REPOSITORY, 'packages/cli/dist/stx-make.js');
  const terminal = spawn(
    'script',
    ['-qfec', `exec ${process.execPath} ${bundle} build core-a --no-cache`, '/dev/null'],
    {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        BUILDKIT_HOST: '',
        STX_MAKE_STATE: state,
        TERM: 'xterm',
        LANG: 'C.UTF-8',
        CI: '',
      },
    },
  );
  await new Promise<void>((resolve) => {
    let shown = '';
    terminal.stdout.on('data', (piece: Buffer) => {
      shown += piece.toString();
      if (/core-a.*RUN/.test(shown)) resolve();
    });
  });
  const [facts] = await liveRuns(statePaths(state));
  terminal.kill('SIGKILL');
  const attached = start(['attach', facts?.run ?? ''], here());
  const { code, stdout } = await attached.finished;
  expect(stdout).toMatch(/core-a (built|unchanged)/);
  expect(code).toBe(0);
  // Over by now, it is shown from its record.
  const again = await stx(['attach', facts?.run ?? '', '--json'], here());
  expect(again.code).toBe(0);
  expect(documentOf<RunDocument>(again).targets.find(({ name }) => name === 'core-a')?.result).toMatch(
    /built|unchanged/,
  );
});

test('--detach: another run waits for it, both are known; stop ends it and the other goes on', async () => {
  const began = await stx(['build', 'core-hang', '--detach', '--json'], here());
  const { run } = documentOf<{ run: string }>(began);
  expect(began.code).toBe(0);
  const watcher = start(['attach', run], here());
  await watcher.saw(/core-hang started/);
  const second = start(['build', 'core-busybox'], here());
  await second.saw(/waiting for another run/);
  const status = documentOf<{ runs: { run: string }[] }>(await stx(['status', '--json'], here()));
  expect(status.runs.map((each) => each.run)).toContain(run);
  expect(status.runs).toHaveLength(2);
  expect((await stx(['stop'], here())).code).toBe(2);
  expect((await stx(['stop', run], here())).code).toBe(0);
  expect((await watcher.finished).code).toBe(130);
  expect((await second.finished).code).toBe(0);
});

test('a run in the background that is killed: whoever watches is told, and the next run goes on', async () => {
  const began = documentOf<{ run: string; pid: number }>(
    await stx(['build', 'core-hang', '--detach', '--json'], here()),
  );
  const watcher = start(['attach', began.run], here());
  await watcher.saw(/core-hang started/);
  process.kill(began.pid, 'SIGKILL');
  const { code, stderr } = await watcher.finished;
  expect([code, stderr]).toEqual([3, expect.stringContaining('is gone without a word')]);
  const next = await stx(['build', 'core-a', '--no-wait'], here());
  expect(next.code).toBe(0);
});

test('a flood of lines, one of 50 MB, escape sequences: memory flat, the log exact, the output harmless', async () => {
  const run = start(['build', 'core-after', '-j1', '--ui', 'plain'], here());
  await run.saw(/core-after started/);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${run.child.pid}/status`, 'utf8'))?.[1]);
  const { code, stdout } = await run.finished;
  expect(code).toBe(0);
  // 150 MB and more went through it. Node itself needs 100 MB.
  expect(peak * 1024).toBeLessThan(200 * 1024 * 1024);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  const logs = join(state, 'logs');
  // Only one run built it.
  const flood = globSync('*/core-flood.log', { cwd: logs });
  expect(flood).toHaveLength(1);
  const found = await logOf(join(logs, flood[0] ?? ''));
  const wanted = createHash('sha256');
  for (let i = 0; i < LINES; i++) wanted.update(LINE);
  wanted.update(`${'x'.repeat(LONG_LINE)}\n`);
  wanted.update('\u001b]0;owned\u0007\u001b[2Jend\n');
  expect(found).toBe(wanted.digest('hex'));
  expect(await endOfLog('core-flood')).toMatch(/\nend\n/);
});

/** The last things that `log TARGET` prints; all of it would not fit into a string. */
async function endOfLog(target: string): Promise<string> {
  const bundle = join(REPOSITORY, 'packages/cli/dist/stx-make.js');
  const child = spawn(process.execPath, [bundle, 'log', target], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, STX_MAKE_STATE: state },
  });
  let end = '';
  for await (const piece of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    end = (end + piece).slice(-200);
  }
  return end;
}

test.skipIf(cgroupFiles('/sys/fs/cgroup', []) === null)(
  'what running builds take of the machine, each its own',
  async () => {
    const { code, stdout } = await stx(
      ['build', 'core-idle', 'core-busy', '-j2', '--ui', 'quiet', '--events', '-'],
      here(),
    );
    expect(code).toBe(0);
    const taken = new Map<string, number>();
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const event = JSON.parse(line) as RunEvent;
      if (event.type === 'usage') taken.set(event.target, event.cpu);
    }
    expect([...taken.keys()].sort()).toEqual(['core-busy', 'core-idle']);
    expect(taken.get('core-busy')).toBeGreaterThan(3 * (taken.get('core-idle') ?? 0));
  },
);

/** The hash of what the step printed: all lines between its header and its end that are not ours. */
async function logOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    if (!/^(#\d+ |time=)/.test(line)) hash.update(`${line}\n`);
  }
  return hash.digest('hex');
}
