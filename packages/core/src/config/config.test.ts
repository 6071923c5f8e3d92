/** stx-make.toml: everything it can say, and everything that is wrong with a place. */
import { expect, test } from 'vitest';
import { readConfig } from './read.ts';

const read = (text: string) => readConfig(Buffer.from(text), 'stx-make.toml');
const said = (text: string): string[] =>
  read(text).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);

test('all settings', () => {
  const { config, problems } = read(`
platform = "linux/arm64"
jobs = 6
workers = ["unix:///a.sock", "tcp://b:1234"]
registries = ["localhost:5000", "docker.io/stagex"]
allowed_images = ["docker.io/library/debian:12"]
[lint]
run-network = "error"
http-mirror = "off"
`);
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    platform: 'linux/arm64',
    jobs: 6,
    workers: ['unix:///a.sock', 'tcp://b:1234'],
    registries: ['localhost:5000', 'docker.io/stagex'],
    allowedImages: ['docker.io/library/debian:12'],
  });
  expect([...(config?.lint ?? [])]).toEqual([
    ['run-network', 'error'],
    ['http-mirror', 'off'],
  ]);
});

test('an empty file says nothing', () => {
  expect(read('').config).toMatchObject({ platform: null, jobs: null, workers: [], allowedImages: [] });
});

test('every problem is told, each with its place', () => {
  const text = `plattform = "linux/amd64"
platform = "amd64"
jobs = 0
workers = ["unix:///a", "unix:///a", " "]
registries = ["https://docker.io/stagex"]
allowed_images = ["NOT AN IMAGE", 3]
[lint]
run-netwrok = "error"
http-mirror = "fatal"
`;
  const { config, problems } = read(text);
  expect(config).toBeNull();
  expect(problems.map(({ line, code }) => `${line} ${code}`)).toEqual([
    '1 unknown-key',
    '2 bad-platform',
    '3 wrong-type',
    '4 duplicate-entry',
    '4 empty-entry',
    '5 bad-registry',
    '6 bad-image',
    '6 wrong-type',
    '8 unknown-rule',
    '9 bad-level',
  ]);
  expect(problems[0]?.hint).toBe('did you mean platform?');
  expect(problems[8]?.hint).toBe('did you mean run-network?');
  expect(problems.every(({ column, level, file }) => column && level === 'error' && file)).toBe(true);
});

test.each([
  ['jobs = "4"', '1:1 wrong-type'],
  ['jobs = 1.5', '1:1 wrong-type'],
  ['jobs = -1', '1:1 wrong-type'],
  ['lint = "off"', '1:1 wrong-type'],
  ['workers = "unix:///a"', '1:1 wrong-type'],
  ['jobs = ', '1:8 toml-syntax'],
])('%s', (text, problem) => {
  expect(said(text)).toEqual([problem]);
});
