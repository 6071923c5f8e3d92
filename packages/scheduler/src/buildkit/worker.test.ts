/** What daemons answer, read; versions; the default number of jobs. */
import { expect, test } from 'vitest';
import { defaultJobs, parseWorkers, versionProblem } from './worker.ts';

/** As v0.32.2 answers, shortened. */
const ANSWER = JSON.stringify([
  {
    id: 'k1oci5ton6qwfapm287isaet8',
    labels: { 'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs' },
    platforms: [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'amd64', os: 'linux', variant: 'v2' },
      { architecture: '386', os: 'linux' },
    ],
    gcPolicy: [
      { all: false, keepDuration: 172800000000000, reservedSpace: 0, maxUsedSpace: 5, minFreeSpace: 7 },
    ],
    buildkitVersion: { package: 'github.com/moby/buildkit', version: 'v0.32.2', revision: '' },
  },
]);

test('a worker’s answer', () => {
  expect(parseWorkers(ANSWER)).toEqual({
    version: 'v0.32.2',
    workerId: 'k1oci5ton6qwfapm287isaet8',
    platforms: ['linux/386', 'linux/amd64', 'linux/amd64/v2'],
    gc: [{ maxUsedSpace: 5, minFreeSpace: 7, keepSeconds: 172800 }],
  });
});

test.each(['', 'x', '[]', '{}', '[null]', '[{"id":1}]', '[{"id":"a","platforms":[]}]'])(
  '%j is no answer',
  (text) => {
    expect(parseWorkers(text)).toBeNull();
  },
);

test.each([
  ['v0.28.1', true],
  ['v0.28.2-rc1', true],
  ['v0.32.2', true],
  ['v1.0.0', true],
  ['0.29.0+unknown', true],
  ['cafebabe', true],
  ['v0.28.0', false],
  ['v0.28.1-rc1', false],
  ['v0.26.3', false],
  ['v0.9.9', false],
])('version %s is new enough: %s', (version, ok) => {
  const problem = versionProblem('unix:///x', version);
  expect(problem === null).toBe(ok);
  if (problem !== null) expect(problem).toMatchObject({ code: 'worker-too-old', tag: 'environment' });
});

test.each([
  [2, 8, 2],
  [16, 64, 4],
  [64, 64, 8],
  [64, 1024, 16],
  [8, 4, 2],
])('%i cores, %i GiB: %i jobs', (cores, gib, jobs) => {
  expect(defaultJobs(cores, gib * 1024 ** 3)).toBe(jobs);
});
