/** What commands print and with which code they end: text, documents, problems. */
import {
  buildProblem,
  environmentProblem,
  inputProblem,
  integrityProblem,
  ProblemError,
} from '@stx-make/core/errors';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { testIo } from '../testing/io.ts';
import { line } from '../testing/line.ts';
import { okSummary, testServices } from '../testing/services.ts';

/** The one document on stdout; fails where there is anything else. */
function documentOf(stdout: string): Record<string, unknown> {
  expect(stdout.endsWith('}\n')).toBe(true);
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('world --json: one document on stdout, everything for people on stderr', async () => {
  const events = madeRun({ targets: 6, jobs: 2 });
  const { code, stdout, stderr, services } = await line(
    ['world', '--json', '-k', '-j', '3'],
    testServices(events),
  );
  expect(code).toBe(0);
  const document = documentOf(stdout);
  expect(document).toMatchObject({
    schema: 1,
    ok: true,
    seconds: 1.25,
    counts: { targets: 5, hit: 5, failed: 0 },
  });
  expect(document['targets']).toHaveLength(5);
  expect(document).not.toHaveProperty('errors');
  expect(stderr).toContain('done: 6 targets');
  expect(services.asked[0]).toMatchObject({
    selection: [],
    keepGoing: true,
    wait: true,
    workers: { jobs: 3 },
  });
});

test('build resolves bare names; all unknown and ambiguous ones are told', async () => {
  const { code, services } = await line(['build', 'musl', 'user-htop', '--no-wait', '--limit-cpu', '50']);
  expect(code).toBe(0);
  expect(services.asked[0]).toMatchObject({
    selection: ['core-musl', 'user-htop'],
    wait: false,
    limits: { cpuQuota: 50_000 },
    command: 'stx-make build musl user-htop --no-wait --limit-cpu 50',
  });
  const wrong = await line(['build', 'rust']);
  expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  expect(wrong.stderr).toContain('error: "rust" is core-rust or pallet-rust');
});

test('exit codes of a run: interrupted first, then the gravest problem', async () => {
  const cases: [Parameters<typeof testServices>[1], number][] = [
    [(options) => ({ ...okSummary(options), ok: false }), 1],
    [(options) => ({ ...okSummary(options), ok: false, interrupted: true }), 130],
    // Its time was up: told apart from a failure; a failure before that counts more.
    [(options) => ({ ...okSummary(options), ok: false, stopped: 'time' }), 130],
    [
      (options) => ({
        ...okSummary(options),
        ok: false,
        stopped: 'time',
        problems: [buildProblem({ code: 'target-failed', text: 'no' })],
      }),
      1,
    ],
    [
      (options) => ({
        ...okSummary(options),
        ok: false,
        problems: [
          environmentProblem({ code: 'no-space', text: 'no space' }),
          integrityProblem({ code: 'bad-blob', text: 'bad blob' }),
        ],
      }),
      4,
    ],
    [() => Promise.reject(new ProblemError(environmentProblem({ code: 'locked', text: 'held' }))), 3],
    [() => Promise.reject(new Error('oops')), 70],
  ];
  for (const [summary, wanted] of cases) {
    expect((await line(['world'], testServices([], summary))).code).toBe(wanted);
  }
});

test('under --json a failure is one document, too, with all errors', async () => {
  const services = testServices([], () =>
    Promise.reject(
      new ProblemError([
        inputProblem({
          code: 'a',
          text: 'first',
          file: 'core/x/package.toml',
          line: 3,
          column: 7,
          hint: 'do this',
        }),
        inputProblem({ code: 'b', text: 'second' }),
      ]),
    ),
  );
  const { code, stdout, stderr } = await line(['world', '--json'], services);
  expect(code).toBe(2);
  expect(documentOf(stdout)).toEqual({
    schema: 1,
    ok: false,
    errors: [
      {
        code: 'a',
        tag: 'input',
        file: 'core/x/package.toml',
        line: 3,
        column: 7,
        text: 'first',
        hint: 'do this',
      },
      { code: 'b', tag: 'input', file: null, line: null, column: null, text: 'second', hint: null },
    ],
  });
  expect(stderr).toBe('error: core/x/package.toml:3:7: first\n  hint: do this\nerror: second\n2 errors\n');
});

test('wrong usage under --json, --ui json and before the options are understood', async () => {
  for (const words of [
    ['world', '--nope', '--json'],
    ['--ui=json', 'wrold'],
    ['--json', 'build'],
  ]) {
    const { code, stdout } = await line(words);
    expect(code).toBe(2);
    expect(documentOf(stdout)).toMatchObject({ ok: false, errors: [{ tag: 'input' }] });
  }
});

test('a bug says so, says how to report it, and is a document under --json', async () => {
  const services = testServices([], () => Promise.reject(new Error('boom')));
  const { code, stdout, stderr } = await line(['world', '--json'], services);
  expect(code).toBe(70);
  expect(documentOf(stdout)).toMatchObject({ ok: false, errors: [{ code: 'internal-error', tag: 'bug' }] });
  expect(stderr).toContain('boom');
  expect(stderr).toContain('please report it');
});

test('plan: a table for people, a document for scripts, a script for shells', async () => {
  const people = await line(['plan']);
  expect(people.stdout).toBe(
    'build   core-musl  1.00 s   Containerfile changed\n' +
      "5 targets: 1 to build, 0 waiting for what those give, 4 up to date; building takes about 1.00 s of one worker's time\n",
  );
  const all = await line(['plan', '--all', 'core-rust']);
  expect(all.stdout).toBe('hit     core-rust  1.00 s\nnothing to do: 1 target up to date\n');
  const document = documentOf((await line(['plan', '--json'])).stdout);
  expect(document).toMatchObject({ schema: 1, counts: { targets: 5, build: 1, hit: 4, waiting: 0 } });
  const script = await line(['plan', '--commands', 'musl']);
  expect(script.stdout).toBe('#!/bin/sh\nbuildctl build # core-musl\n');
  expect((await line(['plan', '--commands'])).code).toBe(2);
});

test('graph, deps, rdeps', async () => {
  expect(documentOf((await line(['graph'])).stdout)).toEqual({
    schema: 1,
    root: '/tree',
    targets: [],
    edges: [],
  });
  expect((await line(['graph', '--format', 'dot'])).stdout).toBe('digraph {}\n');
  expect((await line(['deps', 'user-htop'])).stdout).toBe('core-musl\npallet-rust\n');
  expect((await line(['deps', 'htop', '-t'])).stdout).toBe(
    'bootstrap-seed\ncore-musl\ncore-rust\npallet-rust\n',
  );
  const document = documentOf((await line(['rdeps', 'core-musl', '--json', '--transitive'])).stdout);
  expect(document['targets']).toEqual(['core-rust', 'pallet-rust', 'user-htop']);
});

test('why: a chain with places, exit 1 where there is none; reasons for one target', async () => {
  const chain = await line(['why', 'htop', 'core-musl']);
  expect([chain.code, chain.stdout]).toEqual([
    0,
    'user-htop needs core-musl (copy, packages/user/htop/Containerfile:2)\n',
  ]);
  const none = await line(['why', 'bootstrap-seed', 'user-htop', '--json']);
  expect([none.code, JSON.parse(none.stdout)]).toMatchObject([1, { schema: 1, path: null }]);
  expect((await line(['why', 'core-musl'])).stdout).toBe(
    'core-musl would be built\n  Containerfile changed\n',
  );
});

test('doctor: green is 0, anything else 3; hints are shown', async () => {
  const { code, stdout } = await line(['doctor']);
  expect(code).toBe(3);
  expect(stdout).toContain('ok    BuildKit v0.32.2');
  expect(stdout).toContain('FAIL  1 GiB free\n      hint: make room');
  expect(documentOf((await line(['doctor', '--json'])).stdout)).toMatchObject({
    ok: false,
    checks: [
      { code: 'buildkit', ok: true },
      { code: 'space', ok: false, hint: 'make room' },
    ],
  });
});

test('daemon, status', async () => {
  expect((await line(['daemon', 'status'])).stdout).toBe('not running\n');
  expect((await line(['daemon', 'stop'])).stdout).toBe('the managed BuildKit was not running\n');
  expect((await line(['status'])).stdout).toContain(
    'core: 1 of 2 targets up to date, 1 to do (about 1.00 s)',
  );
  expect(documentOf((await line(['status', '--json'])).stdout)).toMatchObject({
    root: '/tree',
    counts: { hit: 4 },
  });
});

test('what recipes say can not reach the terminal', async () => {
  const services = testServices([], () =>
    Promise.reject(
      new ProblemError(inputProblem({ code: 'x', text: 'bad\u001b]0;t\u0007 name', file: 'a\u001b[2Jb' })),
    ),
  );
  const { stderr } = await line(['world'], services);
  expect(stderr).toBe('error: ab: bad name\n');
});

test('colours: only on a terminal, never with NO_COLOR, or as asked', async () => {
  const fail = (): Promise<never> =>
    Promise.reject(new ProblemError(inputProblem({ code: 'x', text: 'bad' })));
  const onTerminal = (env: NodeJS.ProcessEnv) => {
    const io = testIo({ TERM: 'xterm', ...env });
    io.stderr.isTTY = true;
    return io;
  };
  const stderr = async (env: NodeJS.ProcessEnv, ...words: string[]): Promise<string> =>
    (await line(['world', ...words], testServices([], fail), onTerminal(env))).stderr;
  expect(await stderr({})).toContain('\u001b[31merror:');
  expect(await stderr({ NO_COLOR: '1' })).toBe('error: bad\n');
  expect(await stderr({ NO_COLOR: '' })).toContain('\u001b[31m');
  expect(await stderr({ TERM: 'dumb' })).toBe('error: bad\n');
  expect(await stderr({}, '--color=never')).toBe('error: bad\n');
  expect((await line(['world', '--color=always'], testServices([], fail))).stderr).toContain('\u001b[31m');
  expect((await line(['world'], testServices([], fail))).stderr).toBe('error: bad\n');
});

test('the TUI asked for by name without a terminal is wrong usage', async () => {
  expect((await line(['world', '--ui', 'tui'])).code).toBe(2);
});
