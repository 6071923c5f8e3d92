/**
 * The suite can fail: with any one part of the fingerprint left out, or one part too many put in, runs and oracle
 * disagree.
 */
import { expect, test, vi } from 'vitest';
import type * as Encode from '../../packages/core/src/fingerprint/encode.ts';
import { EDIT_KINDS, randomEdit } from './edits.ts';
import { noFigures, runWorld, type WorldOptions } from './world.ts';

type FactsOf = typeof Encode.factsOf;
type Fact = Encode.Fact;

const mutant = vi.hoisted(() => ({
  facts: (facts: readonly unknown[]): unknown[] => [...facts],
  sees: null as string | null,
}));

vi.mock('../../packages/core/src/fingerprint/encode.ts', async (original) => {
  const real = await original<typeof Encode>();
  const factsOf: FactsOf = (inputs) => mutant.facts(real.factsOf(inputs)) as Fact[];
  const visibility: typeof Encode.visibility = (kinds) =>
    (mutant.sees ?? real.visibility(kinds)) as ReturnType<typeof Encode.visibility>;
  return { ...real, factsOf, visibility };
});

/** Edits after which a mutant must have been found. */
const PATIENCE = 1_000;

type Change = (fact: Fact) => readonly Fact[];

/** @param kinds what half of the edits are, so that it does not take long */
async function firstFailure(change: Change, kinds: readonly string[]): Promise<string | null> {
  const pickEdit: WorldOptions['pickEdit'] = (random, model, past) =>
    randomEdit(random, model, past, random.chance(0.5) ? [...kinds, 'nothing'] : EDIT_KINDS);
  mutant.facts = (facts) => (facts as Fact[]).flatMap(change).sort(([a], [b]) => (a < b ? -1 : 1));
  try {
    const figures = noFigures();
    for (let seed = 1; figures.edits < PATIENCE; seed += 1) {
      const failure = await runWorld({ seed, edits: 60, recipes: 6, pickEdit }, figures);
      if (failure !== null) return failure;
    }
    return null;
  } finally {
    mutant.facts = (facts) => [...facts];
  }
}

const kindOf = ([key]: Fact): string => key.split(' ')[0] ?? '';
const drop =
  (...kinds: string[]) =>
  (fact: Fact) =>
    kinds.includes(kindOf(fact)) ? [] : [fact];
const value = (kind: string, change: (text: string) => string) => (fact: Fact) =>
  kindOf(fact) === kind ? [[fact[0], change(fact[1])] as const] : [fact];
const key = (kind: string) => {
  let count = 0;
  return (fact: Fact) => {
    if (kindOf(fact) !== kind) count = 0;
    return kindOf(fact) === kind ? [[`${kind} ${count++}`, fact[1]] as const] : [fact];
  };
};

const MUTANTS: Readonly<Record<string, readonly [change: Change, ...kinds: string[]]>> = {
  target: [drop('target'), 'copy a recipe'],
  'build target': [drop('build-target'), 'subpackage', 'last build stage'],
  engine: [drop('engine'), 'engine'],
  Containerfile: [drop('containerfile'), 'change a step'],
  platforms: [drop('platform'), 'platform'],
  'order of platforms': [
    (fact) => (kindOf(fact) === 'platform' ? [[`platform ${fact[1]}`, '']] : [fact]),
    'platform',
  ],
  files: [drop('file'), 'add a file', 'content'],
  'contents of files': [value('file', (text) => text.split(' ')[0] ?? ''), 'content'],
  'modes of files': [value('file', (text) => text.split(' ')[1] ?? ''), 'mode'],
  'names of files': [key('file'), 'rename a file'],
  sources: [drop('source'), 'source content', 'source'],
  'contents of sources': [value('source', () => ''), 'source content', 'source'],
  'names of sources': [key('source'), 'source'],
  'build args': [drop('arg'), 'source', 'change a step'],
  'values of build args': [value('arg', () => ''), 'source', 'change a step'],
  // Each of the two says what the other does, so one alone is not missed.
  version: [(fact) => (fact[0] === 'version' || fact[0].startsWith('arg VERSION') ? [] : [fact]), 'version'],
  dependencies: [drop('dependency'), 'content', 'change a step'],
  'outputs of dependencies': [
    value('dependency', (text) => text.split(' ')[0] ?? ''),
    'content',
    'change a step',
  ],
};

/** The mutants of each part: what is added to the inputs and has none here does not compile. */
const PARTS: Readonly<Record<keyof Encode.FingerprintInputs, readonly string[]>> = {
  target: ['target'],
  version: ['version'],
  buildTarget: ['build target'],
  platforms: ['platforms', 'order of platforms'],
  containerfile: ['Containerfile'],
  files: ['files', 'contents of files', 'modes of files', 'names of files'],
  sources: ['sources', 'contents of sources', 'names of sources'],
  buildArgs: ['build args', 'values of build args'],
  engine: ['engine'],
  dependencies: ['dependencies', 'outputs of dependencies'],
};

test('every part has its mutants, and every kind of fact is one of them', async () => {
  expect(Object.values(PARTS).flat().sort()).toEqual(Object.keys(MUTANTS).sort());
  const { factsOf } = await import('../../packages/core/src/fingerprint/encode.ts');
  const one = 'x' as Encode.FingerprintInputs['containerfile'];
  const facts = factsOf({
    target: 'core-x',
    version: '1',
    buildTarget: 'package-x',
    platforms: ['linux/amd64'],
    containerfile: one,
    files: [{ path: 'f', mode: '0644', digest: one }],
    sources: [{ file: 's', sha256: 'x' }],
    buildArgs: { A: '1' },
    engine: 'e',
    dependencies: [{ target: 'core-y', sees: 'rootfs', identity: one }],
  });
  // The profile is no input; it has a test of its own below.
  const kept = facts.filter((fact) => kindOf(fact) !== 'profile');
  const survivors = kept.filter((fact) =>
    Object.values(MUTANTS).every(([change]) => change(fact).length > 0),
  );
  expect(survivors).toEqual([]);
});

test('the suite passes as it is', async () => {
  expect(await runWorld({ seed: 1, edits: 60, recipes: 6 }, noFigures())).toBeNull();
});

test.each(Object.entries(MUTANTS))(
  'without %s in the fingerprint it fails',
  async (_, [change, ...kinds]) => {
    expect(await firstFailure(change, kinds)).toMatch(/expected/);
  },
  120_000,
);

test.each(['rootfs', 'image'])(
  'when every dependency counts by its %s it fails',
  async (sees) => {
    mutant.sees = sees;
    try {
      expect(await firstFailure((fact) => [fact], ['env', 'change a base'])).toMatch(/expected/);
    } finally {
      mutant.sees = null;
    }
  },
  120_000,
);

test('with what nobody can see in it, it fails: a needless build', async () => {
  let builds = 0;
  const noisy = (fact: Fact): readonly Fact[] =>
    fact[0] === 'engine' ? [fact, ['noise', `${builds++}`]] : [fact];
  expect(await firstFailure(noisy, ['nothing'])).toMatch(/expected hit/);
}, 120_000);

test('the exporter profile: an upgrade that changes it must not find older records', async () => {
  const { EXPORTER_PROFILE, encodeFacts, factsOf } = await import(
    '../../packages/core/src/fingerprint/encode.ts'
  );
  const inputs = {
    target: 'core-x',
    version: 'latest',
    buildTarget: null,
    platforms: [],
    containerfile: `sha256:${'0'.repeat(64)}` as Encode.FingerprintInputs['containerfile'],
    files: [],
    sources: [],
    buildArgs: {},
    engine: '',
    dependencies: [],
  };
  expect(encodeFacts(factsOf(inputs))).toContain(JSON.stringify(['profile', EXPORTER_PROFILE]));
});
