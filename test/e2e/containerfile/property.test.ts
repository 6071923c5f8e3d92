/**
 * Our reader against BuildKit itself, on random files. The seed of a failure is printed;
 * STX_MAKE_PROPERTY_RUNS asks for more than the few that CI has time for.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { question } from './generate.ts';
import { Oracle } from './oracle.ts';
import { ours } from './ours.ts';

let oracle: Oracle;

beforeAll(async () => {
  oracle = await Oracle.start();
});

afterAll(() => oracle.stop());

test('random files: refused or not, images and sources as BuildKit', async () => {
  const numRuns = Number(process.env['STX_MAKE_PROPERTY_RUNS'] ?? 60);
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(question, async (asked) => {
      const theirs = await oracle.ask(asked);
      const mine = ours(asked);
      if (theirs.denied !== null) {
        // It stopped there; we may have found another fault.
        if (mine.error === null) expect(mine.images).toContain(theirs.denied);
        return;
      }
      expect({ refused: mine.error !== null, mine: mine.error, theirs: theirs.error }).toMatchObject({
        refused: theirs.error !== null,
      });
      expect(mine.images).toEqual(theirs.images);
      // Sources of a stage that is reached for nothing that is used count with us. Under an image from outside
      // a variable that only it could set makes `.`.
      if (!mine.sources.includes('.'))
        expect(mine.sources).toEqual(expect.arrayContaining([...theirs.sources]));
      if (theirs.error === null) taken++;
    }),
    { numRuns },
  );
  // A generator that only makes nonsense would prove little. About a third is accepted; a tenth is far below chance.
  expect(taken).toBeGreaterThan(numRuns / 10);
});
