/** stx-make.toml: everything it can say, and everything that is wrong with a place. */
import { expect, test } from 'vitest';
import { readConfig } from './read.ts';
import { readWorkersFile } from './read-workers.ts';
import { parseSize } from './size.ts';
import { plainWorker, readWorker } from './worker.ts';

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
    workers: [{ spec: plainWorker('unix:///a.sock') }, { spec: plainWorker('tcp://b:1234') }],
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

const worker = (more: Partial<ReturnType<typeof plainWorker>>) => ({ ...plainWorker('tcp://a:1'), ...more });

test('a worker with options; an address alone means what it did, commas and all', () => {
  for (const address of [
    'unix:///run/a,b.sock',
    'tcp://a:1?tlsdir=/c,d',
    'kube-pod://p?namespace=n&container=c',
  ]) {
    expect(readWorker(address)).toEqual({ spec: plainWorker(address), faults: [] });
  }
  const text =
    'tcp://a:1,name=big,jobs=8,platforms=linux/amd64+linux/386,memory=64GiB,patience=9,prune=true,cacert=/c,a.pem,key=/k';
  expect(readWorker(text)).toEqual({
    spec: worker({
      name: 'big',
      jobs: 8,
      platforms: ['linux/amd64', 'linux/386'],
      memory: 64 * 1024 ** 3,
      patience: 9,
      prune: true,
      tls: { cacert: '/c,a.pem', key: '/k' },
    }),
    faults: [],
  });
});

test.each([
  ['tcp://a:1,nmae=x', 'no option `nmae`'],
  ['tcp://a:1,name=', 'name='],
  ['tcp://a:1,jobs=0', 'at least 1'],
  ['tcp://a:1,jobs=2,jobs=3', 'twice'],
  ['tcp://a:1,platforms=linux/x86_64', 'no architecture'],
  ['tcp://a:1,memory=much', 'a size'],
  ['tcp://a:1,prune=yes', 'true or false'],
  ['unix:///a,cert=/c', 'only a tcp address'],
])('%s: %s', (text, said) => {
  const { faults } = readWorker(text);
  expect(faults.map((fault) => fault.text).join()).toContain(said);
});

test('workers as tables, beside texts, in stx-make.toml and in a file of their own', () => {
  const text = `[[workers]]
address = "tcp://a:1"
name = "a"
jobs = 2
platforms = ["linux/amd64"]
memory = "8G"
prune = true
servername = "builder"
`;
  const spec = worker({
    name: 'a',
    jobs: 2,
    platforms: ['linux/amd64'],
    memory: 8 * 1024 ** 3,
    prune: true,
    tls: { servername: 'builder' },
  });
  expect(read(text).config?.workers).toMatchObject([{ spec, place: { line: 1 } }]);
  expect(readWorkersFile(Buffer.from(text), 'w.toml').workers).toMatchObject([{ spec }]);
  const mixed = 'workers = ["tcp://b:1,jobs=3", { address = "tcp://a:1", name = "a" }]';
  expect(
    read(mixed).config?.workers.map((entry) => [entry.spec.address, entry.spec.jobs, entry.spec.name]),
  ).toEqual([
    ['tcp://b:1', 3, null],
    ['tcp://a:1', null, 'a'],
  ]);
});

test.each([
  ['[[workers]]\nname = "a"', '1:3 missing-key'],
  ['[[workers]]\naddress = "tcp://a:1"\nnmae = "a"', '3:1 bad-worker-option'],
  ['[[workers]]\naddress = "tcp://a:1"\n[[workers]]\naddress = "tcp://b:1"\njobs = "2"', '5:1 wrong-type'],
  ['[[workers]]\naddress = "tcp://a:1"\nprune = 1', '3:1 wrong-type'],
  ['[[workers]]\naddress = "tcp://a:1"\nplatforms = "linux/amd64"', '3:1 wrong-type'],
  ['[[workers]]\naddress = "tcp://a:1"\nplatforms = ["amd64"]', '3:1 bad-platform'],
  ['[[workers]]\naddress = "unix:///a"\ncert = "/c"', '3:1 bad-worker-option'],
  ['[[workers]]\naddress = "tcp://a:1"\n[[workers]]\naddress = "tcp://a:1"', '3:3 duplicate-entry'],
  ['workers = ["tcp://a:1,jobs=x"]', '1:12 bad-worker-option'],
  ['workers = [7]', '1:12 wrong-type'],
  ['', '1:1 no-workers'],
  ['jobs = 3', '1:1 unknown-key'],
])('a workers file %j: %s', (text, problem) => {
  const { problems } = readWorkersFile(Buffer.from(text), 'w.toml');
  expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([problem]);
});

test('sizes', () => {
  expect(['1', '1k', '2M', '1.5g', '8GiB', '1 T', '5b'].map(parseSize)).toEqual([
    1, 1024, 2_097_152, 1_610_612_736, 8_589_934_592, 1_099_511_627_776, 5,
  ]);
  expect(['', '0', '-1', 'G', '1x', '1e9', '9'.repeat(20), '0.0001'].map(parseSize)).toEqual(
    Array(8).fill(null),
  );
});
