/** Our reader against BuildKit itself, on files written to be tricky. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STAGES } from './cases-stages.ts';
import { SYNTAX } from './cases-syntax.ts';
import { WORDS } from './cases-words.ts';
import { Oracle, type Question } from './oracle.ts';
import { ours } from './ours.ts';

let oracle: Oracle;

beforeAll(async () => {
  oracle = await Oracle.start();
});

afterAll(() => oracle.stop());

async function compare(question: Question): Promise<void> {
  const theirs = await oracle.ask(question);
  const mine = ours(question);
  expect({ refused: mine.error !== null, mine: mine.error, theirs: theirs.error }).toMatchObject({
    refused: theirs.error !== null,
  });
  expect(mine.images).toEqual(theirs.images);
  expect(mine.sources).toEqual(theirs.sources);
}

for (const [group, cases] of Object.entries({ syntax: SYNTAX, stages: STAGES, words: WORDS })) {
  describe.concurrent(`${group}, as BuildKit`, () => {
    test.each(Object.entries(cases))('%s', async (_, given) => {
      await compare(typeof given === 'string' ? { text: given } : given);
    });
  });
}
