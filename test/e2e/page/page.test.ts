/**
 * Pages as a reader has them: opened from disk in a headless Chromium, on a phone and on a desk, in light and dark.
 *
 * STX_SCREENSHOTS=DIR keeps pictures of what is seen.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { htmlDocument, type PageCode } from '../../../packages/cli/src/page/html.ts';
import { pageData, plainTargets } from '../../../packages/cli/src/page/make.ts';
import { RunPage } from '../../../packages/cli/src/page/run.ts';
import { svgDocument } from '../../../packages/cli/src/page/svg.ts';
import { bundlePage } from '../../../tools/page.ts';
import { type Browser, DESKTOP, type Look, type Opened, PHONE, startBrowser } from '../../rig/browser.ts';
import { stagexTargets } from '../../twins/generate.ts';
import { playedRun } from '../../twins/played.ts';

/** What a hostile recipe would print and be called. */
const HOSTILE = `</pre></script><script>document.title='taken'</script><img src=x onerror="document.title='taken'">`;
const LOOKS: readonly Look[] = [PHONE, DESKTOP].flatMap((size) => [
  { size, scheme: 'light' as const },
  { size, scheme: 'dark' as const },
]);

let folder: string;
let browser: Browser;
let code: PageCode;
let report: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-page-'));
  code = await bundlePage();
  browser = await startBrowser();
  const page = new RunPage();
  for (const event of playedRun(stagexTargets(), { failing: ['core-gdbm', 'user-glib'], cause: HOSTILE }))
    page.take(event);
  const { targets, run } = page.finish({
    past: (name) => (name.length % 3 === 0 ? [] : [9_000, 11_000, 10_000]),
    log: () => ({ text: `${HOSTILE}\n`.repeat(50), omitted: 4_096 }),
  });
  report = join(folder, 'report.html');
  writeFileSync(report, htmlDocument(await pageData(`stx-make world ${HOSTILE}`, targets, run), code));
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function withPage(file: string, look: Look, use: (opened: Opened) => Promise<void>): Promise<void> {
  const opened = await browser.open(file, look);
  await use(opened);
  expect(opened.complaints).toEqual([]);
  await opened.page.close();
}

/** Waits until this target is the chosen one: the address changes before the page has heard of it. */
async function chosen({ page }: Pick<Opened, 'page'>, name: string): Promise<void> {
  await expect.poll(() => page.locator('.node.selected title').allTextContents()).toEqual([name]);
}

async function picture({ page }: Opened, name: string): Promise<void> {
  const to = process.env['STX_SCREENSHOTS'];
  if (!to) return;
  mkdirSync(to, { recursive: true });
  await page.screenshot({ path: join(to, `${name}.png`) });
}

test.each(LOOKS)('a report of 513 targets, $size.width px, $scheme', async (look) => {
  const name = `report-${look.size.width}-${look.scheme}`;
  await withPage(report, look, async (opened) => {
    const { page } = opened;
    await picture(opened, `${name}-top`);
    expect(await page.locator('h2').allTextContents()).toEqual([
      'Failures',
      'Timeline',
      'Critical path',
      'Slowest targets',
      'Saved',
      'Findings',
      'Graph',
      'All targets',
    ]);
    // Nothing is wider than the screen: what is wide scrolls by itself.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.size.width);
    // Nothing that a build said became part of the page.
    expect(await page.title()).toContain('stx-make world </pre>');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('#failures pre').first().textContent()).toContain('<script>document.title=');
    expect(await page.locator('.bar').count()).toBeGreaterThan(200);
    expect(await page.locator('.bar .critical').count()).toBeGreaterThan(5);
    // Of two workers one tells what its builds take.
    expect(await page.locator('.timeline polygon.cpu').count()).toBe(1);
    expect(await page.locator('.timeline text.worker').allTextContents()).toEqual([
      expect.stringMatching(/^managed: at most \d+(\.\d)? cpu, [\d.]+ GiB$/),
      'tcp://builder-2:1234',
    ]);
    expect(await page.locator('.node').count()).toBe(513);
    expect(await page.locator('.links path').count()).toBe(977);
    const dark = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(dark).toBe(look.scheme === 'dark' ? 'rgb(20, 22, 26)' : 'rgb(251, 251, 250)');
    await page.getByRole('combobox').fill('rust');
    await picture(opened, `${name}-search`);
    await page.getByRole('option').first().click();
    await chosen(opened, 'core-rust');
    expect(page.url()).toContain('#t=core-rust');
    await picture(opened, `${name}-selected`);
    // The chosen one is in sight, in the middle of the picture, its name legible.
    const box = await page.locator('.node.selected').boundingBox();
    const canvas = await page.locator('.canvas').boundingBox();
    if (box === null || canvas === null) throw new Error('the chosen target is not to be seen');
    expect(box.height).toBeGreaterThan(15);
    expect(Math.abs(box.x + box.width / 2 - (canvas.x + canvas.width / 2))).toBeLessThan(5);
    expect(canvas.y + canvas.height / 2).toBeLessThan(look.size.height);
  });
});

test('a click chooses, the panel leads on, Back goes back, Escape chooses nothing', async () => {
  await withPage(report, { size: DESKTOP, scheme: 'light' }, async ({ page }) => {
    await page.getByRole('combobox').fill('core-musl');
    await page.keyboard.press('Enter');
    const panel = page.locator('.panel');
    await panel.getByRole('link', { name: 'core-filesystem', exact: true }).first().click();
    await chosen({ page }, 'core-filesystem');
    expect(await panel.locator('.line li').allTextContents()).toEqual([
      'bootstrap-stage0',
      'bootstrap-stage1',
      'bootstrap-stage2',
      'bootstrap-stage3',
      'core-filesystem',
    ]);
    expect(await page.locator('.node.rdep').count()).toBe(486);
    await page.goBack();
    await chosen({ page }, 'core-musl');
    await page.getByRole('button', { name: 'all', exact: true }).click();
    await page.locator('.node.dep').first().click();
    await expect.poll(() => page.locator('.node.selected title').textContent()).not.toBe('core-musl');
    await page.locator('.canvas > svg').focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.node.selected').count()).toBe(0);
  });
});

test('by keys alone: the search, the timeline, the picture, the table', async () => {
  await withPage(report, { size: DESKTOP, scheme: 'dark' }, async ({ page }) => {
    await page.keyboard.press('/');
    await page.keyboard.type('llvm');
    await page.keyboard.press('ArrowDown');
    const second = await page.locator('[role=option][aria-selected=true]').textContent();
    await page.keyboard.press('Enter');
    await chosen({ page }, second ?? '');
    await page.locator('.timeline').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const said = (await page.locator('output').textContent()) ?? '';
    expect(said).toMatch(/: (built|unchanged|failed), /);
    await page.keyboard.press('Enter');
    await chosen({ page }, said.split(':')[0] ?? '');
    const where = () => page.locator('.canvas > svg > g').getAttribute('transform');
    const before = await where();
    await page.locator('.canvas > svg').focus();
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowLeft');
    expect(await where()).not.toBe(before);
    await page.getByLabel('Filter the targets').fill('pallet');
    expect(await page.locator('#targets tbody tr').count()).toBe(20);
    await page.getByRole('button', { name: 'needed by' }).press('Enter');
    expect(await page.locator('#targets tbody tr').first().textContent()).toContain(
      'pallet-clang-gnu-busybox',
    );
  });
});

test('a stage can be switched off, and dragging and the wheel move the picture', async () => {
  await withPage(report, { size: DESKTOP, scheme: 'light' }, async ({ page }) => {
    await page.getByRole('button', { name: /^user / }).click();
    expect(await page.locator('.node:not(.hidden)').count()).toBe(204);
    const canvas = page.locator('.canvas > svg');
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error('no picture');
    const where = () => page.locator('.canvas > svg > g').getAttribute('transform');
    const before = await where();
    await page.mouse.move(box.x + 30, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 130, box.y + 80, { steps: 4 });
    await page.mouse.up();
    const moved = await where();
    expect(moved).not.toBe(before);
    // Without the focus the wheel scrolls the page past the picture.
    await page.evaluate('document.activeElement.blur()');
    await page.mouse.wheel(0, -100);
    expect(await where()).toBe(moved);
    await canvas.focus();
    await page.mouse.wheel(0, -100);
    await expect.poll(where).not.toBe(moved);
  });
});

test.each(LOOKS)('a page of the graph alone, and its picture, $size.width px, $scheme', async (look) => {
  const data = await pageData('Targets', plainTargets(stagexTargets()), null);
  const file = join(folder, 'graph.html');
  writeFileSync(file, htmlDocument(data, code));
  await withPage(file, look, async (opened) => {
    expect(await opened.page.locator('h2').allTextContents()).toEqual(['Graph', 'All targets']);
    await picture(opened, `graph-${look.size.width}-${look.scheme}`);
  });
  const svg = join(folder, 'graph.svg');
  writeFileSync(svg, svgDocument(data.picture));
  await withPage(svg, look, async ({ page }) => {
    expect(await page.locator('rect').count()).toBe(513);
  });
});
