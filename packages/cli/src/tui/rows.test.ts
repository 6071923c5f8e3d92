/** Rows never exceed the columns there are; bars tell the truth at both ends. */
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { width } from '../text/width.ts';
import { estimate } from '../view/estimate.ts';
import { emptyView } from '../view/model.ts';
import { fold } from '../view/state.ts';
import { bar, glyphsFor } from './glyphs.ts';
import { overview } from './overview.ts';
import { fitRow, rowWidth, span, spread, textOf } from './rows.ts';
import { askRows, browseRows, detailRows, findUp, helpRows, logRows, waitChain } from './screens.ts';
import { firstUi, listed, step, type Ui } from './ui.ts';

test('rows are cut with a mark, whole pieces dropped', () => {
  const row = [span('abc'), span('日本語', 'bad'), span('end')];
  for (let columns = 0; columns < 15; columns++) {
    expect(rowWidth(fitRow(row, columns, '…'))).toBeLessThanOrEqual(columns);
  }
  expect(textOf(fitRow(row, 12, '…'))).toBe('abc日本語end');
  expect(textOf(fitRow(row, 10, '…'))).toBe('abc日本語…');
  expect(textOf(fitRow(row, 9, '…'))).toBe('abc日本…');
  expect(textOf(fitRow([span('abc')], 3, '…'))).toBe('abc');
  expect(textOf(spread([span('left side')], [span('5s')], 20, '…'))).toBe('left side         5s');
  expect(textOf(spread([span('a long left side')], [span('5s')], 14, '…'))).toBe('a long lef… 5s');
});

test('a bar is empty only at nothing and full only at everything', () => {
  for (const unicode of [true, false]) {
    const glyphs = glyphsFor(unicode);
    for (const share of [0, 1e-9, 0.2, 0.5, 0.999999, 1, 2, -1]) {
      const { full, empty } = bar(share, 10, glyphs);
      expect(width(full + empty), String(share)).toBe(10);
      expect(full === '', String(share)).toBe(share <= 0);
      expect(empty === '' && full === glyphs.full.repeat(10), String(share)).toBe(share >= 1);
    }
  }
});

test('every view fits every size, at every moment of a run', () => {
  const view = emptyView();
  const events = madeRun({ targets: 120, jobs: 9, failing: [30, 50, 51, 52, 53], noise: '日本語 wide' });
  for (const [i, event] of events.entries()) {
    fold(view, event);
    if (i % 17 !== 0) continue;
    const frame = { view, now: view.at, estimate: estimate(view, view.at) };
    for (const [columns, rows] of [
      [79, 22],
      [39, 8],
      [19, 3],
      [199, 20],
      [20, 1],
    ] as const) {
      const area = { columns, rows, glyphs: glyphsFor(i % 2 === 0) };
      const browse: Ui = {
        ...firstUi(false),
        screen: { kind: 'browse', show: 'all', filter: '1', typing: true },
      };
      const screens = {
        overview: overview(frame, area, [...view.running][0] ?? null),
        browse: browseRows(frame, browse, area),
        detail: detailRows(frame, [...view.targets.keys()][i % 120] ?? '', area),
        help: helpRows(area, i % 2 === 0),
        ask: askRows(frame, area),
      };
      for (const [name, lines] of Object.entries(screens)) {
        expect(lines.length, name).toBeLessThanOrEqual(Math.max(rows, name === 'browse' ? 2 : 0));
        for (const row of lines)
          expect(rowWidth(row), `${name}: ${textOf(row)}`).toBeLessThanOrEqual(columns);
      }
    }
  }
});

test('why a target waits: a chain down to what runs', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 40, jobs: 1 }).slice(0, 12)) fold(view, event);
  const chain = waitChain(view, 'user-target-39');
  expect(chain[0]).toBe('user-target-39');
  expect(['running', 'ready']).toContain(view.targets.get(chain.at(-1) ?? '')?.state);
});

test('a log is searched up and down; its window follows', () => {
  const lines = Array.from({ length: 50 }, (_, i) => (i % 10 === 0 ? `error ${i}` : `line ${i}`));
  expect(findUp(lines, 'ERROR', 0, 'up')).toBe(9);
  expect(findUp(lines, 'error', 9, 'up')).toBe(19);
  expect(findUp(lines, 'error', 19, 'down')).toBe(9);
  expect(findUp(lines, 'error', 49, 'up')).toBeNull();
  expect(findUp(lines, '', 0, 'up')).toBeNull();
  const area = { columns: 40, rows: 6, glyphs: glyphsFor(true) };
  const screen = { kind: 'log', target: 't', up: 9, search: 'error', typing: false } as const;
  expect(logRows(lines, screen, area).map(textOf).slice(1)).toEqual([
    'line 36',
    'line 37',
    'line 38',
    'line 39',
    'error 40',
  ]);
  expect(logRows(lines, { ...screen, up: 1e9 }, area).map(textOf)[1]).toBe('error 0');
  // What is found far to the right is in sight.
  const long = [`${'x'.repeat(200)} the error ${'y'.repeat(50)}`];
  expect(logRows(long, { ...screen, up: 0 }, area).map(textOf)[1]).toMatch(/^…x+ the error y+…$/);
});

test('keys: selection stays within the list, typing is text, Esc leads back', () => {
  const view = emptyView();
  for (const event of madeRun({ targets: 30, jobs: 3 }).slice(0, 30)) fold(view, event);
  const press = (ui: Ui, ...keys: string[]): Ui => {
    const named: Record<string, Parameters<typeof step>[1]['name']> = {
      UP: 'up',
      DOWN: 'down',
      ESC: 'escape',
      CR: 'return',
      BS: 'backspace',
      END: 'end',
    };
    return keys.reduce((at, key) => {
      const name = named[key] ?? null;
      return step(at, { input: name === null ? key : '', name, ctrl: false }, view, 5).ui;
    }, ui);
  };
  const names = listed(firstUi(false), view).map(({ name }) => name);
  expect(press(firstUi(false), 'DOWN').selected).toBe(names[0]);
  expect(press(firstUi(false), 'DOWN', 'UP', 'UP').selected).toBe(names[0]);
  expect(press(firstUi(false), 'UP').selected).toBe(names.at(-1));
  expect(press(firstUi(false), 'b', '/', 'q', '?', 'BS').screen).toMatchObject({
    kind: 'browse',
    filter: 'q',
    typing: true,
  });
  expect(press(firstUi(false), 'b', 'DOWN', 'CR', 'l', 'ESC', 'ESC', 'ESC').screen).toEqual({
    kind: 'overview',
  });
  expect(press(firstUi(false), 'b', 'END').selected).toBe([...view.targets.keys()].at(-1));
  expect(step(firstUi(false), { input: 'c', name: null, ctrl: true }, view, 5).effect).toEqual({
    kind: 'stop',
  });
});
