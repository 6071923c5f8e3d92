/**
 * Looking back with the program as users have it: a real run that fails in part and is mended; its report, history,
 * statistics and lineage; and what a record from elsewhere must not be able to do.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, DESKTOP, startBrowser } from '../../rig/browser.ts';
import { documentOf, stx } from '../../rig/cli.ts';
import { writeBusybox, writeRecipes } from '../../rig/tree.ts';

let folder: string;
let root: string;
let browser: Browser;
const here = () => ({ cwd: root, state: join(folder, 'state') });

const GOOD = 'echo b > /b';
/** Prints what must not become part of a page, and fails. */
const BAD = `printf '</pre><script>document.title=1</script>\\033[31mred\\n' && false`;

function writeB(command: string): void {
  writeRecipes(root, {
    'core/b': `FROM stagex/core-busybox AS build\nCOPY --from=stagex/core-a . /\nRUN --network=none ["/bin/busybox", "sh", "-c", ${JSON.stringify(command)}]\nFROM scratch AS package\nCOPY --from=build /a /a\n`,
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stx-report-'));
  root = join(folder, 'tree');
  writeBusybox(root);
  writeRecipes(root, {
    'core/a': { Containerfile: 'FROM scratch AS package\nCOPY a /a\n', a: 'a1\n' },
    'user/c': 'FROM scratch AS package\nCOPY --from=stagex/core-b . /\n',
  });
  writeB(BAD);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await stx(['daemon', 'stop'], here());
  rmSync(folder, { recursive: true, force: true });
});

interface ReportDocument {
  readonly run: string;
  readonly end: string;
  readonly file: string;
  readonly events: string;
}

test('before anything was built there is nothing to look at', async () => {
  expect((await stx(['report'], here())).code).toBe(2);
  expect(documentOf(await stx(['history', '--json'], here()))).toMatchObject({ runs: [] });
  expect((await stx(['stats', 'core-a'], here())).stdout).toBe('core-a was never built here\n');
});

test('a run that failed: its events are kept, its report has the log', async () => {
  expect((await stx(['world', '-k', '--json'], here())).code).toBe(1);
  const report = documentOf<ReportDocument>(await stx(['report', '--json', '--output', 'r.html'], here()));
  expect(report).toMatchObject({ end: 'failed', file: join(root, 'r.html') });
  const { page, complaints } = await browser.open(report.file, { size: DESKTOP, scheme: 'dark' });
  expect(await page.locator('.failure h3').textContent()).toBe('core-b');
  const log = await page.locator('.failure pre').textContent();
  expect(log).toContain('</pre><script>document.title=1</script>red');
  expect(await page.locator('.failure dl').textContent()).toContain('packages/core/b/Containerfile:3');
  expect(await page.locator('.failure dl').textContent()).toContain('1 target skipped');
  expect(await page.locator('.bar.failed').count()).toBe(1);
  expect(complaints).toEqual([]);
});

test('mended: history, stats, lineage and status say so; a no-op leaves no run', async () => {
  writeB(GOOD);
  expect((await stx(['world', '--json'], here())).code).toBe(0);
  expect((await stx(['world', '--json'], here())).code).toBe(0);
  const { runs } = documentOf<{ runs: { run: string; ok: boolean; counts: { built: number } }[] }>(
    await stx(['history', '--json'], here()),
  );
  expect(runs.map(({ ok, counts }) => [ok, counts.built])).toEqual([
    [true, 2],
    [false, 2],
  ]);
  const kept = readdirSync(join(folder, 'state', 'logs')).sort();
  expect(kept).toEqual(runs.map(({ run }) => run).sort());
  const stats = documentOf<{ builds: { result: string; bytes: number | null; digest: string | null }[] }>(
    await stx(['stats', 'b', '--json'], here()),
  );
  expect(stats.builds.map(({ result, bytes, digest }) => [result, bytes !== null, digest !== null])).toEqual([
    ['built', true, true],
    ['failed', false, false],
  ]);
  const lineage = documentOf<{ hops: { target: string; digest: string }[]; seeds: { target: string }[] }>(
    await stx(['lineage', 'user-c', '--json'], here()),
  );
  expect(lineage.hops.map(({ target }) => target)).toEqual(['core-a', 'core-b', 'user-c']);
  expect(lineage.seeds).toMatchObject([
    { target: 'core-a', files: [{ path: 'a', bytes: 3 }] },
    { target: 'core-busybox' },
  ]);
  for (const { digest } of lineage.hops) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect((await stx(['status', '--targets'], here())).stdout).toContain('a world has nothing to do');
});

test('an older run by the beginning of its name; names that mean none or several', async () => {
  const { runs } = documentOf<{ runs: { run: string }[] }>(await stx(['history', '--json'], here()));
  const oldest = runs.at(-1)?.run ?? '';
  const report = documentOf<ReportDocument>(
    await stx(['report', oldest.slice(0, -2), '--json', '--output', 'old.html'], here()),
  );
  expect(report).toMatchObject({ run: oldest, end: 'failed' });
  expect((await stx(['report', '2026'.slice(0, 2)], here())).stderr).toMatch(/can be .* or /);
  expect((await stx(['report', 'nothing-like-it'], here())).code).toBe(2);
});

test('a run that was killed has a report: the record is cut in the middle of a line', async () => {
  const { events } = documentOf<ReportDocument>(
    await stx(['report', '--json', '--output', 'whole.html'], here()),
  );
  const copy = join(folder, 'cut.ndjson');
  writeFileSync(copy, readFileSync(events));
  truncateSync(copy, readFileSync(events).lastIndexOf('"run-finished"'));
  const report = documentOf<ReportDocument>(
    await stx(['report', copy, '--json', '--output', 'cut.html'], here()),
  );
  expect(report.end).toBe('cut-off');
});

test('a record from elsewhere does not pull files of this machine into a page', async () => {
  const secret = join(folder, 'secret.log');
  writeFileSync(secret, 'the secret\n');
  const from = join(folder, 'artifact');
  mkdirSync(from);
  const { events } = documentOf<ReportDocument>(
    await stx(['report', '--json', '--output', 'whole.html'], here()),
  );
  const failed = readFileSync(
    events.replace(/[^/]+\/events\.ndjson$/, `${oldestRun()}/events.ndjson`),
    'utf8',
  );
  writeFileSync(
    join(from, 'run.ndjson'),
    failed.replaceAll(/"logFile":"[^"]*"/g, `"logFile":${JSON.stringify(secret)}`),
  );
  const page = await stx(['report', join(from, 'run.ndjson'), '--output', '-'], here());
  expect(page.code).toBe(0);
  expect(page.stdout).toContain('<!doctype html>');
  expect(page.stdout).not.toContain('the secret');
});

function oldestRun(): string {
  return readdirSync(join(folder, 'state', 'logs')).sort()[0] ?? '';
}

test('graph: svg and html, the same twice', async () => {
  const svg = (await stx(['graph', '--format', 'svg'], here())).stdout;
  expect(svg).toMatch(/^<svg [^>]*>/);
  expect((await stx(['graph', '--format', 'svg'], here())).stdout).toBe(svg);
  const file = join(folder, 'graph.html');
  writeFileSync(file, (await stx(['graph', '--format', 'html'], here())).stdout);
  const { page, complaints } = await browser.open(file, { size: DESKTOP, scheme: 'light' });
  expect(await page.locator('.node title').allTextContents()).toEqual([
    'core-a',
    'core-b',
    'core-busybox',
    'user-c',
  ]);
  expect(complaints).toEqual([]);
});
