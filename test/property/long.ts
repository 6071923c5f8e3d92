/**
 * The long run: `node test/property/long.ts [EDITS] [SEED]`, 100,000 edits from seed 1 unless told. Prints a line now
 * and then and the figures at the end; exits 1 at the first disagreement between run and oracle.
 */
import { noFigures, runDisturbedWorld, runWorld } from './world.ts';

const [edits = '100000', first = '1'] = process.argv.slice(2);
/** As in property.test.ts. */
const WORLD = 100;
const SAY_EVERY = 5_000;

const figures = noFigures();
const disturbed = noFigures();
const began = performance.now();

function say(): void {
  const seconds = Math.round((performance.now() - began) / 1_000);
  const { builds, hits, unchanged, failed } = figures;
  process.stdout.write(
    `${figures.edits} edits in ${seconds} s: ${builds} builds (${unchanged} unchanged, ${failed} failed), ${hits} hits; ` +
      `${disturbed.kinds.get('disturbed') ?? 0} runs with edits under way; 0 wrong hits, 0 needless builds\n`,
  );
}

let said = 0;
for (let seed = Number(first); figures.edits < Number(edits); seed += 1) {
  const wrong =
    (await runWorld({ seed, edits: WORLD, recipes: 4 + (seed % 8) }, figures)) ??
    // Every tenth world is one that is edited while it is built.
    (seed % 10 === 0 ? await runDisturbedWorld({ seed, edits: 40, recipes: 6 }, disturbed) : null);
  if (wrong !== null) {
    process.stdout.write(`${wrong}\n`);
    process.exitCode = 1;
    break;
  }
  if (figures.edits - said >= SAY_EVERY) {
    said = figures.edits;
    say();
  }
}
if (process.exitCode !== 1) say();
