/** Runs under way, through real sockets: found, asked, their end told; killed ones noticed and cleaned up. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentProblem } from '@stx-make/core/errors';
import { afterAll, expect, test } from 'vitest';
import { attachTo, type LiveHandlers, liveRuns, openLiveRun, type RunFacts } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'stx-live-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const paths = (deep = ''): { runs: string } => ({ runs: join(folder, String(number++), deep, 'runs') });

const about = (run: string, pid = process.pid): Omit<RunFacts, 'socket'> => ({
  run,
  pid,
  root: '/tree',
  command: 'stx-make world',
  started: '2026-11-23T22:45:01.120Z',
});

function handlers(did: string[] = []): LiveHandlers {
  const note = (what: string) => () => {
    did.push(what);
  };
  return {
    pause: note('pause'),
    resume: note('resume'),
    retry: (target) => {
      did.push(`retry ${target}`);
      return target === 'core-ü' ? 'has not failed' : null;
    },
    stop: note('stop'),
    kill: note('kill'),
    keepEvents: () => '/logs/events.ndjson',
  };
}

test('found, asked by several, each answered in order; the end is told with its code and problems', async () => {
  const where = paths();
  const did: string[] = [];
  const run = await openLiveRun(where, about('20261123-224501-078a07c2'), handlers(did), {});
  const [facts] = await liveRuns(where);
  expect(facts).toEqual(run.facts);
  if (facts === undefined) throw new Error('not found');
  // Nobody but this user may talk to it.
  expect(statSync(facts.socket).mode & 0o077).toBe(0);
  const [one, two] = [await attachTo(facts), await attachTo(facts)];
  if (one === null || two === null) throw new Error('not attached');
  expect(one.events).toBe('/logs/events.ndjson');
  const answers = await Promise.all([
    one.ask({ op: 'pause' }),
    one.ask({ op: 'retry', target: 'core-ü' }),
    one.ask({ op: 'retry', target: 'core-a' }),
    two.ask({ op: 'stop' }),
  ]);
  expect(answers).toEqual([null, 'has not failed', null, null]);
  expect(did.toSorted()).toEqual(['pause', 'retry core-a', 'retry core-ü', 'stop']);
  one.close();
  const problem = environmentProblem({ code: 'x', text: 'no space', hint: 'make some' });
  await run.close(3, [problem]);
  expect(await two.end).toEqual({ how: 'over', code: 3, problems: [problem] });
  expect(await two.ask({ op: 'pause' })).toBe('the run is over');
  expect([await liveRuns(where), readdirSync(where.runs)]).toEqual([[], []]);
  expect(await attachTo(facts)).toBeNull();
});

test('a killed run is noticed at once, and what it left is removed', async () => {
  const where = paths();
  const code = `
    const { openLiveRun } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)});
    const none = () => {};
    await openLiveRun(${JSON.stringify(where)}, { ...${JSON.stringify(about('r-00000001'))}, pid: process.pid },
      { pause: none, resume: none, retry: none, stop: none, kill: none, keepEvents: () => '' }, {});
    process.stdout.write('open');
    setInterval(none, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const [facts] = await liveRuns(where);
  const attached = facts === undefined ? null : await attachTo(facts);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  expect(await attached?.end).toEqual({ how: 'killed' });
  // The kernel closes a dying process's connections a moment before what it listens on.
  await gone;
  expect([await liveRuns(where), readdirSync(where.runs)]).toEqual([[], []]);
});

test('a state folder too deep for a socket, and one that can not be written', async () => {
  const runtime = mkdtempSync('/tmp/stx-rt-');
  try {
    const deep = paths('d'.repeat(120));
    const run = await openLiveRun(deep, about('r-00000002'), handlers(), { XDG_RUNTIME_DIR: runtime });
    expect(run.facts?.socket.startsWith(runtime)).toBe(true);
    const [facts] = await liveRuns(deep);
    expect(facts === undefined ? null : await attachTo(facts)).not.toBeNull();
    await run.close(0, []);
  } finally {
    rmSync(runtime, { recursive: true, force: true });
  }
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const none = await openLiveRun({ runs: join(file, 'runs') }, about('r-00000003'), handlers(), {});
  expect(none.problem?.code).toBe('run-not-attachable');
  await none.close(0, []);
});

test('nonsense ends the conversation, not the run; damaged files are passed over', async () => {
  const where = paths();
  const run = await openLiveRun(where, about('r-00000004'), handlers(), {});
  writeFileSync(join(where.runs, 'other.json'), '{"run":');
  for (const nonsense of ['{"op":"burn"}\n', 'x\n', '{"op":"retry","target":7}\n', 'y'.repeat(100_000)]) {
    const socket = connect(run.facts?.socket ?? '');
    socket.on('error', () => {});
    socket.write(nonsense);
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect((await liveRuns(where)).map((facts) => facts.run)).toEqual(['r-00000004']);
  await run.close(0, []);
});
