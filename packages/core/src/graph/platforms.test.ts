/** Where a target can be built: its RUNs decide, what it starts from, and what it takes of other platforms. */
import { expect, test } from 'vitest';
import { loaded, packageToml } from './fixture.ts';
import { platformsOf } from './platforms.ts';

const only386 = `${packageToml('seed')}platforms = ["linux/386"]\n`;
const run = 'RUN ["/bin/true"]\n';

async function ask(containerfile: string, platform = 'linux/amd64') {
  const { graph } = await loaded(
    {
      'bootstrap/seed': [only386, `FROM scratch\nCOPY seed /\n${run}`],
      'core/a': containerfile,
    },
    { platform },
  );
  const target = graph.targets.get('core-a');
  if (target === undefined) throw new Error('no core-a');
  return platformsOf(target, graph.targets);
}

test.each([
  ['a RUN', `FROM scratch\n${run}`, ['linux/amd64'], ['linux/amd64']],
  ['nothing to run', 'FROM scratch\nCOPY --from=stagex/bootstrap-seed . /\n', [], []],
  ['a RUN in a stage that nobody needs', `FROM scratch AS other\n${run}FROM scratch\nCOPY a /\n`, [], []],
  [
    'begins from linux/386',
    `FROM stagex/bootstrap-seed AS build\n${run}FROM scratch\nCOPY --from=build /a /\n`,
    ['linux/386'],
    ['linux/386'],
  ],
  [
    'begins from a stage that begins from linux/386, and runs one of its own',
    `FROM stagex/bootstrap-seed AS base\nFROM base AS build\n${run}FROM scratch AS package\nCOPY --from=build /a /\n${run}`,
    ['linux/386', 'linux/amd64'],
    ['linux/386', 'linux/amd64'],
  ],
  [
    'takes files of linux/386, as core-go does',
    `FROM scratch\nCOPY --from=stagex/bootstrap-seed . /\n${run}`,
    ['linux/amd64'],
    ['linux/386', 'linux/amd64'],
  ],
  ['FROM --platform', `FROM --platform=linux/386 scratch\n${run}`, ['linux/386'], ['linux/386']],
])('%s', async (_, containerfile, must, may) => {
  expect(await ask(containerfile)).toEqual({ must, may });
});

test('spellings of one platform are one; a tree for another one keeps what a recipe says', async () => {
  expect(await ask(`FROM scratch\n${run}`, 'linux/arm64/v8')).toEqual({
    must: ['linux/arm64'],
    may: ['linux/arm64'],
  });
  const mixed = await ask(`FROM scratch\nCOPY --from=stagex/bootstrap-seed . /\n${run}`, 'linux/arm64');
  expect(mixed).toEqual({ must: ['linux/arm64'], may: ['linux/386', 'linux/arm64'] });
});
