/** The graph as JSON and dot, as scripts rely on it. */
import { expect, it } from 'vitest';
import { copies, loaded, packageToml } from './fixture.ts';
import { graphDot, graphJson } from './format.ts';

const HASH = 'a'.repeat(64);
const tree = await loaded({
  'core/a': copies(),
  'core/b': [
    packageToml(
      'b',
      `subpackages = ["b-dev"]\n[sources.s]\nhash = "${HASH}"\nmirrors = ["https://e.x/s.tgz"]`,
    ),
    'FROM stagex/core-a AS package-b-dev\nCOPY --from=stagex/core-a x y\n',
  ],
});

it('JSON is what INTERFACE.md says', () => {
  const document = graphJson('/tree', tree);
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  expect(Object.keys(document)).toEqual(['schema', 'root', 'targets', 'edges']);
  expect(document.targets[1]).toEqual({
    name: 'core-b-dev',
    stage: 'core',
    recipe: 'core/b',
    dir: 'packages/core/b',
    version: '1.0',
    platforms: ['linux/amd64'],
    buildTarget: 'package-b-dev',
    tag: 'stagex/core-b-dev:1.0',
    buildArgs: expect.objectContaining({
      VERSION: '1.0',
      SOURCE_DATE_EPOCH: '1',
      BUILDKIT_MULTI_PLATFORM: '1',
    }),
    sources: [{ name: 's', file: 's.tgz', sha256: HASH, mirrors: ['https://e.x/s.tgz'] }],
  });
  const file = 'packages/core/b/Containerfile';
  expect(document.edges).toEqual([
    { from: 'core-b-dev', to: 'core-a', kind: 'from', file, line: 1 },
    { from: 'core-b-dev', to: 'core-a', kind: 'copy', file, line: 2 },
  ]);
});

it('DOT has every target in its stage and the links asked for', () => {
  expect(graphDot(tree.graph)).toBe(`digraph targets {
  rankdir=RL;
  node [shape=box];
  subgraph "cluster_core" {
    label="core";
    "core-a";
    "core-b-dev";
  }
  "core-b-dev" -> "core-a";
}
`);
  expect(graphDot(tree.graph, [])).not.toContain('->');
});
