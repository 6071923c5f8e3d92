/** Pages and pictures as text: nothing a name says can become markup, and the same graph gives the same bytes. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { stagexTargets } from '../../../../test/twins/generate.ts';
import { htmlDocument } from './html.ts';
import { pageData, pictureOf, plainTargets } from './make.ts';
import { svgDocument } from './svg.ts';

const EVIL = '</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>';

const evil = [
  { name: EVIL, stage: '"><b>', dependencies: [] },
  { name: 'core-b', stage: 'core', dependencies: [EVIL] },
];

test('names stay names in the page and in the picture', async () => {
  const data = await pageData(EVIL, plainTargets(evil), null);
  const page = htmlDocument(data, { script: '1', style: 'a{}' });
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toContain('<img');
  expect(page).not.toContain('<b>');
  const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(page)?.[1] ?? '';
  expect(JSON.parse(json).targets[0].name).toBe(EVIL);
  const svg = svgDocument(data.picture);
  expect(svg).not.toContain('<script');
  expect(svg).not.toContain('<img');
});

test('the policy names exactly the script and the style that are there', () => {
  const data = {
    schema: 1,
    title: 't',
    version: '0',
    targets: [],
    run: null,
    picture: { width: 0, height: 0, nodes: [], links: [] },
  } as const;
  const page = htmlDocument(data, { script: 'let a = 1;', style: 'a{color:red}' });
  const hash = createHash('sha256').update('let a = 1;').digest('base64');
  expect(page).toContain(`script-src 'sha256-${hash}'`);
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
  expect(page).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  expect(page).toContain("default-src 'none'");
  expect(() => htmlDocument(data, { script: 'x="</script>"', style: '' })).toThrow();
});

test('StageX: 513 boxes that do not overlap, the 977 links of the reduction, needs to the left, twice the same', async () => {
  const targets = stagexTargets();
  const picture = await pictureOf(targets);
  expect([picture.nodes.length, picture.links.length]).toEqual([513, 977]);
  for (const { from, to } of picture.links) {
    expect(picture.nodes[to]?.x).toBeLessThan(picture.nodes[from]?.x ?? 0);
  }
  const sorted = [...picture.nodes].sort((a, b) => a.x - b.x);
  for (const [i, a] of sorted.entries()) {
    expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0);
    expect(a.y + a.height / 2).toBeLessThanOrEqual(picture.height);
    for (const b of sorted.slice(i + 1)) {
      const apart =
        Math.abs(a.x - b.x) * 2 >= a.width + b.width || Math.abs(a.y - b.y) * 2 >= a.height + b.height;
      if (!apart) expect([a, b]).toBe('apart');
    }
  }
  expect(svgDocument(await pictureOf(targets))).toBe(svgDocument(picture));
}, 30_000);

test('a target alone, and none at all', async () => {
  expect((await pictureOf([])).nodes).toEqual([]);
  const [one] = (await pictureOf([{ name: 'core-a', stage: 'core', dependencies: ['core-gone'] }])).nodes;
  expect(one).toMatchObject({ name: 'core-a', stage: 'core' });
});
