/**
 * Random trees, random edits, the real run with a builder in memory: every digest is that of a rebuild, every build
 * was called for, and going back is a hit. STX_PROPERTY_EDITS=100000 for the long run, STX_PROPERTY_SEED to repeat.
 */
import { expect, test } from 'vitest';
import { EDIT_KINDS } from './edits.ts';
import { noFigures, runDisturbedWorld, runWorld } from './world.ts';

const EDITS = Number(process.env['STX_PROPERTY_EDITS'] ?? 2_000);
const SEED = Number(process.env['STX_PROPERTY_SEED'] ?? 1);
/** Edits of one world: long enough to go back to much, short enough to keep the pool small. */
const WORLD = 100;
/** ms an edit, at worst. */
const PATIENCE = 500;

test(
  `${EDITS} edits: no wrong hit, no needless build`,
  async () => {
    const figures = noFigures();
    for (let seed = SEED; figures.edits < EDITS; seed += 1) {
      const edits = Math.min(WORLD, EDITS - figures.edits);
      expect(await runWorld({ seed, edits, recipes: 8 }, figures)).toBeNull();
    }
    // The edits were of all kinds and had all kinds of consequences.
    expect(EDIT_KINDS.filter((kind) => !figures.kinds.has(kind))).toEqual([]);
    expect(Math.min(figures.builds, figures.hits, figures.unchanged, figures.failed)).toBeGreaterThan(
      EDITS / 50,
    );
  },
  EDITS * PATIENCE,
);

test(
  'edits while it is built are never recorded as built',
  async () => {
    const figures = noFigures();
    for (let seed = SEED; figures.edits < EDITS / 10; seed += 1) {
      expect(await runDisturbedWorld({ seed, edits: 40, recipes: 6 }, figures)).toBeNull();
    }
    expect(figures.kinds.get('disturbed')).toBeGreaterThan(EDITS / 40);
  },
  EDITS * PATIENCE,
);
