/**
 * 200 random edits on real BuildKit: what is built is what the oracle of the property tests calls for, and digests are a
 * function of what the model's outputs are: equal where those are equal, different where they differ.
 *
 * The oracle rebuilds everything with the builder in memory; only what both builders mean alike is used: COPY from the
 * context and from targets, FROM targets, ENV.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildkitDriver } from '../../../packages/scheduler/src/buildkit/crew.ts';
import { type Edit, randomEdit } from '../../property/edits.ts';
import { idOf, type Model, type ModelRecipe, type Step } from '../../property/model.ts';
import { Oracle } from '../../property/oracle.ts';
import { Random } from '../../property/random.ts';
import { Tree } from '../../property/world.ts';
import { startDaemon, type TestDaemon } from '../../rig/daemon.ts';

const EDITS = Number(process.env['STX_REAL_EDITS'] ?? 200);
const SEED = Number(process.env['STX_PROPERTY_SEED'] ?? 1);
const KINDS = [
  'content',
  'content',
  'mode',
  'drop an edge',
  'add an edge',
  'change a base',
  'env',
  'version',
  'remark',
  'licence',
  'touch',
  'swap',
  'revert',
  'nothing',
  'add a file',
  'rename a file',
];

let folder: string;
let daemon: TestDaemon;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-real-'));
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

function firstModel(random: Random): Model {
  const recipes = Array.from({ length: 7 }, (_, rank): ModelRecipe => {
    const needs = Array.from({ length: rank }, (_unused, below) => `core-r${below}`).filter(() =>
      random.chance(0.5),
    );
    const steps: Step[] = [
      ...needs.map((target) => ({ kind: 'need', target, form: 'copy', tag: '' }) as const),
      { kind: 'copy', pattern: random.chance(0.3) ? '.' : 'payload' },
    ];
    return {
      stage: 'core',
      name: `r${rank}`,
      rank,
      version: '1.0',
      versionFrom: null,
      platforms: [],
      sources: [],
      files: new Map([
        ['payload', { mode: '0644', content: `${rank}\n` }],
        ['other', { mode: '0644', content: 'x\n' }],
      ]),
      parts: [{ name: `r${rank}`, buildBase: null, base: null, steps, takes: '.', env: null }],
      split: false,
      decoy: false,
      licence: '0BSD',
      remark: '',
    };
  });
  return new Map(recipes.map((recipe) => [idOf(recipe), recipe]));
}

/** A COPY of what is not there fails in BuildKit alone; links and mounts mean more there. */
function isCommon(model: Model): boolean {
  return [...model.values()].every(
    ({ files, parts }) =>
      files.get('payload') !== undefined &&
      [...files.values()].every(({ mode }) => mode !== 'link') &&
      parts.every(({ steps }) => steps.every((step) => step.kind !== 'need' || step.form === 'copy')),
  );
}

function nextEdit(random: Random, model: Model, past: readonly Model[]): Edit {
  for (;;) {
    const edit = randomEdit(random, model, past, KINDS);
    if (isCommon(edit.model)) return edit;
  }
}

test(`${EDITS} edits`, { timeout: 1_200_000 }, async () => {
  const random = new Random(SEED);
  const oracle = new Oracle();
  const tree = new Tree(
    join(folder, 'tree'),
    join(folder, 'state'),
    { driver: async () => buildkitDriver },
    process.env,
  );
  const real = new Map<string, string>();
  const modelled = new Map<string, string>();
  const past: Model[] = [];
  let model = firstModel(random);
  let builds = 0;
  try {
    for (let at = 0; at <= EDITS; at += 1) {
      const edit: Edit = at === 0 ? { name: 'first', model } : nextEdit(random, model, past);
      if (edit.swap !== undefined) tree.disk.swap(...edit.swap);
      model = edit.model;
      past.push(model);
      tree.disk.write(model, {
        replace: random.pick(['in place', 'rename']),
        times: random.pick(['now', 'fixed']),
      });
      if (edit.touch === true) tree.disk.touch(random);
      const expected = oracle.run(tree.disk.root, model, [], 6);
      const summary = await tree.run(
        { workers: { addresses: [daemon.address], jobs: 4 } },
        random.chance(0.1),
      );
      const where = `seed ${SEED}, edit ${at} (${edit.name})`;
      expect(summary.problems, where).toEqual([]);
      const got = summary.targets.map(({ name, result }) => `${name} ${result}`);
      const wanted = [...expected].map(([name, { result }]) => `${name} ${result}`);
      expect(got, where).toEqual(wanted.sort());
      builds += summary.counts.built + summary.counts.unchanged;
      for (const { name, digest } of summary.targets) {
        const manifest = expected.get(name)?.manifest ?? '';
        expect(
          [real.get(manifest) ?? digest, modelled.get(digest ?? '') ?? manifest],
          `${where}: ${name}`,
        ).toEqual([digest, manifest]);
        real.set(manifest, digest ?? '');
        modelled.set(digest ?? '', manifest);
      }
    }
    expect(builds).toBeGreaterThan(EDITS / 2);
  } finally {
    tree.close();
  }
});
