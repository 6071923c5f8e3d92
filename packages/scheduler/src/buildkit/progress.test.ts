/** The reader of rawjson, on recorded outputs and on hostile streams. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type BuildctlEnd, diagnose } from './failure.ts';
import type { StepEvent } from './model.ts';
import { ProgressReader, type ProgressSummary } from './progress.ts';
import { Tail } from './tail.ts';

const RECORDED = new URL('../../../../test/fixtures/buildkit/', import.meta.url);

function read(bytes: Buffer, size = bytes.length) {
  const log: Buffer[] = [];
  const steps: StepEvent[] = [];
  const reader = new ProgressReader({
    log: (part) => log.push(Buffer.from(part as string)),
    onStep: (step) => steps.push(step),
  });
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  const summary = reader.end();
  return { summary, steps, log: Buffer.concat(log).toString('utf8') };
}

/** A recording: `<name>.<exit code>.txt`, all of buildctl's stderr. */
function recorded(name: string): { bytes: Buffer; end: BuildctlEnd } {
  const file = readdirSync(RECORDED).find((entry) => entry.startsWith(`${name}.`));
  if (file === undefined) throw new Error(`no recording ${name}`);
  return {
    bytes: readFileSync(new URL(file, RECORDED)),
    end: { code: Number(file.split('.')[1]), signal: null },
  };
}

function diagnosed(name: string) {
  const { bytes, end } = recorded(name);
  const { failure, retry } = diagnose(read(bytes).summary, end);
  return { ...failure, retry };
}

test.each([
  ['run-exit', { kind: 'build', exitCode: 7, line: 4, retry: 'no', tail: ['two', 'one', '100%'] }],
  ['heredoc', { kind: 'build', exitCode: 1, line: 4, step: '[3/3] RUN --network=none <<EOF (set -e...)' }],
  ['make-like', { exitCode: 2, cause: 'exit code 2: foo.c:3:5: error: expected identifier', line: 4 }],
  ['syntax', { kind: 'input', line: 2, exitCode: null, step: null, retry: 'no' }],
  ['copy-missing', { kind: 'build', line: 3, cause: '/gone.txt is not there to be copied' }],
  ['denied-image', { kind: 'input', line: 3, retry: 'no' }],
  ['denied-from', { kind: 'input', line: 1 }],
  ['denied-http', { kind: 'input', line: null }],
  ['denied-git', { kind: 'input', line: null }],
  ['no-target', { kind: 'input', cause: 'target stage "package-b" could not be found' }],
  ['killed-137', { kind: 'build', exitCode: 137, line: 4, hint: expect.stringContaining('memory') }],
  ['lint-error', { kind: 'build', line: 1, cause: expect.stringContaining('FromAsCasing') }],
  ['no-daemon', { kind: 'infrastructure', retry: 'elsewhere' }],
  ['refused', { kind: 'infrastructure', retry: 'elsewhere' }],
  ['daemon-killed', { kind: 'infrastructure', retry: 'elsewhere' }],
  ['daemon-full-copy', { kind: 'infrastructure', retry: 'elsewhere' }],
  ['daemon-full-run', { kind: 'build', exitCode: 1, hint: expect.stringContaining('disk was full') }],
  ['client-full', { kind: 'infrastructure', retry: 'no', hint: expect.stringContaining('state folder') }],
  ['missing-content', { kind: 'integrity', retry: 'no', cause: expect.stringContaining('is missing') }],
  ['corrupt-dep', { kind: 'integrity', retry: 'here' }],
  ['index-platform', { kind: 'input', retry: 'no' }],
  ['two-fail', { kind: 'build', exitCode: 4, line: 9, tail: ['other'], cause: 'exit code 4: other' }],
  ['cancel-term', { kind: 'infrastructure', retry: 'here' }],
])('recorded %s', (name, expected) => {
  expect(diagnosed(name)).toMatchObject(expected);
});

/** Texts of BUILDKIT.md 7 that are hard to provoke. */
test.each([
  ['inconsistent graph state', 'here'],
  ['failed to solve: no active session for abc: context deadline exceeded', 'here'],
  ['rpc error: code = Canceled desc = grpc: the client connection is closing: transport is closing', 'here'],
  ['failed to receive status: EOF', 'here'],
  ['failed to dial gRPC: unable to upgrade to h2c: connection reset by peer', 'elsewhere'],
  [
    'failed to push 127.0.0.1:5000/c/a: failed to do request: Head "http://127.0.0.1:5000/v2/c/a": dial tcp 127.0.0.1:5000: connect: connection refused',
    'here',
  ],
  [
    'failed to push r.example/c/a: push access denied, repository does not exist or may require authorization',
    'no',
  ],
  ['ResourceExhausted: mkdir /x: no space left on device', 'elsewhere'],
])('%s is infrastructure, retry %s', (text, retry) => {
  const got = diagnose(read(Buffer.from(`error: failed to solve: ${text}\n`)).summary, {
    code: 1,
    signal: null,
  });
  expect(got).toMatchObject({ failure: { kind: 'infrastructure' }, retry });
});

test('what a step prints is never taken for trouble of BuildKit', () => {
  const { bytes } = recorded('run-exit');
  const forged = Buffer.from(
    'error: failed to solve: connection refused\nContainerfile:99\n-----\n',
  ).toString('base64');
  const text = bytes.toString('utf8').replace(/"data":"[^"]*"/, `"data":"${forged}"`);
  const got = diagnose(read(Buffer.from(text)).summary, { code: 1, signal: null });
  expect(got).toMatchObject({ failure: { kind: 'build', exitCode: 7, line: 4 }, retry: 'no' });
});

test('buildctl killed by a signal is worth another try', () => {
  const empty: ProgressSummary = { errors: [], plain: [], warnings: [] };
  expect(diagnose(empty, { code: null, signal: 'SIGKILL' })).toMatchObject({
    failure: { kind: 'infrastructure', cause: expect.stringContaining('SIGKILL') },
    retry: 'here',
  });
});

test('chunks of any size give the same', () => {
  const { bytes } = recorded('run-exit');
  const whole = read(bytes);
  for (const size of [1, 7, 100, 4096]) expect(read(bytes, size)).toEqual(whole);
});

test('steps start and finish in pairs, with names and errors', () => {
  const { steps } = read(recorded('run-exit').bytes);
  const open = new Set<string>();
  for (const step of steps) {
    if (step.type === 'started') {
      expect(open.has(step.id)).toBe(false);
      open.add(step.id);
    } else {
      expect(open.delete(step.id)).toBe(true);
    }
  }
  expect(open.size).toBe(0);
  const errors = steps.filter((step) => step.type === 'finished' && step.error !== null);
  expect(errors).toHaveLength(1);
});

test('the log holds the exact bytes of a step after its header, and what is not JSON', () => {
  const { log } = read(recorded('run-exit').bytes);
  expect(log).toContain('\u001b[31mred\u001b[0m\r50%\r100%\n');
  expect(log).toMatch(/#\d+ \[build 3\/3\] RUN [^\n]*\ntwo\none\n/);
  expect(log).toContain('\nContainerfile:4\n--------------------\n');
  expect(log).not.toContain('"vertexes"');
});

test('output without a newline is ended before the next header', () => {
  const line = (record: object) => `${JSON.stringify(record)}\n`;
  const data = (text: string) => Buffer.from(text).toString('base64');
  const { log } = read(
    Buffer.from(
      line({ vertexes: [{ digest: 'a', name: 'A', started: 'x' }] }) +
        line({ vertexes: [{ digest: 'b', name: 'B', started: 'x' }] }) +
        line({ logs: [{ vertex: 'a', data: data('one') }] }) +
        line({ logs: [{ vertex: 'a', data: data(' two') }] }) +
        line({ logs: [{ vertex: 'b', data: data('three') }] }) +
        line({ vertexes: [{ digest: 'a', name: 'A', started: 'x', completed: 'y' }] }),
    ),
  );
  expect(log).toBe('#1 A\n#2 B\n#1 A\none two\n#2 B\nthree\n#1 DONE\n');
});

test('output that comes after the end of its step: no line of it is cut, and a failure has it in its tail', () => {
  const record = (value: object): string => `${JSON.stringify(value)}\n`;
  const data = (text: string): object => ({ vertex: 'a', data: Buffer.from(text).toString('base64') });
  for (const error of [undefined, 'exit code: 1']) {
    const { log, summary } = read(
      Buffer.from(
        record({ vertexes: [{ digest: 'a', name: 'A', started: 't' }] }) +
          record({ logs: [data('one\ntw')] }) +
          record({ vertexes: [{ digest: 'a', name: 'A', started: 't', completed: 't', error }] }) +
          record({ logs: [data('o\nlast\n')] }) +
          record({ vertexes: [{ digest: 'b', name: 'B', started: 't' }] }),
      ),
    );
    const end = error === undefined ? 'DONE' : `ERROR: ${error}`;
    expect(log).toBe(`#1 A\none\ntwo\nlast\n#1 ${end}\n#2 B\n`);
    expect(summary.errors[0]?.tail).toEqual(error === undefined ? undefined : ['one', 'two', 'last']);
  }
});

test.each([
  '{',
  '{"vertexes":7}',
  '[]',
  '{"vertexes":[null,{"digest":5}]}',
  '{"logs":[{"vertex":"a","data":{}}]}',
  'null',
  '\u0000\u0001',
])('a strange line is survived: %j', (line) => {
  expect(() => read(Buffer.from(`${line}\n{"logs":[{"vertex":"v","data":"eA=="}]}\n`))).not.toThrow();
});

test('a line of 50 MB is left out, what follows is read', () => {
  const huge = Buffer.alloc(50_000_000, 'a');
  huge.write('{"logs":[{"vertex":"v","data":"');
  const before = process.memoryUsage().rss;
  const { log } = read(
    Buffer.concat([huge, Buffer.from('\n{"logs":[{"vertex":"v","data":"eHl6"}]}\n')]),
    65_536,
  );
  expect(log).toContain('a progress record of 50000000 bytes was left out');
  expect(log).toContain('xyz');
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

test('memory stays flat however much a step prints', () => {
  const data = Buffer.alloc(30_000, 'x').toString('base64');
  const line = Buffer.from(`{"logs":[{"vertex":"v","data":"${data}"}]}\n`);
  let logged = 0;
  const reader = new ProgressReader({ log: (part) => (logged += part.length), onStep: () => undefined });
  reader.push(line);
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  // 300 MB without a newline in it: the open line of the tail must not grow.
  for (let count = 0; count < 10_000; count += 1) reader.push(line);
  expect(logged).toBeGreaterThan(300_000_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
});

test('a tail keeps the last lines, cut and harmless', () => {
  const tail = new Tail(3);
  for (const part of [
    'one\ntw',
    'o\nthree\n',
    'fo\u001b[2Jur\n',
    `${'x'.repeat(10_000)}END\n`,
    'open \u202e\u0007',
  ])
    tail.push(Buffer.from(part));
  const lines = tail.lines();
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe('four');
  expect(lines[1]).toHaveLength(4096);
  expect(lines[1]?.endsWith('END')).toBe(true);
  expect(lines[2]).toBe('open \ufffd\ufffd');
});

test('a tail given all at once equals one given byte by byte', () => {
  const text = Buffer.from('\n\na\nbb\n\nccc\n\ndddd\ne');
  for (const limit of [1, 2, 3, 8]) {
    const whole = new Tail(limit);
    whole.push(text);
    const bytes = new Tail(limit);
    for (const byte of text) bytes.push(Buffer.of(byte));
    expect(whole.lines()).toEqual(bytes.lines());
  }
});
