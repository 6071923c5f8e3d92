/** What is remembered of a tree: as it was put or not at all, and not for ever. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputProblem } from '@stx-make/core/errors';
import type { TreeHead } from '@stx-make/core/graph/snapshot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../state/database.ts';
import { headWarnings, readHead, TreeLines, writeHead } from './snapshot.ts';

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-snapshot-'));
  database = openDatabase(join(folder, 'state.db'), () => 1).database;
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const count = () => database.get<{ count: number }>('SELECT count(*) AS count FROM recipe_line')?.count;

/** Every text that one turned bit, or an end that is missing, makes of this one. */
function* damaged(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    yield text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
    yield text.slice(0, at);
  }
}

/** Puts each of them into the only row, and sees what is read then. */
function eachDamage(table: string, column: string, read: () => unknown): void {
  const text = database.get<{ text: string }>(`SELECT ${column} AS text FROM ${table}`)?.text ?? '';
  expect(read()).not.toBeNull();
  for (const other of damaged(text)) {
    database.run(`UPDATE ${table} SET ${column} = ?`, other);
    expect(read()).toBeNull();
  }
}

describe('lines of recipes', () => {
  test('come back, of their own tree, folder and key only, before they are written and after', () => {
    const lines = new TreeLines(database, 'tree');
    lines.put('core/a', 'k', 'one line');
    expect(lines.get('core/a', 'k')).toBe('one line');
    expect(new TreeLines(database, 'tree').get('core/a', 'k')).toBeNull();
    lines.write();
    lines.write();
    for (const [tree, dir, key, line] of [
      ['tree', 'core/a', 'k', 'one line'],
      ['tree', 'core/a', 'other', null],
      ['tree', 'core/b', 'k', null],
      ['other', 'core/a', 'k', null],
    ] as const) {
      expect(new TreeLines(database, tree).get(dir, key)).toBe(line);
    }
  });

  test('that are damaged anywhere, or that lie where another belongs, are none', () => {
    const lines = new TreeLines(database, 'tree');
    lines.put('core/a', 'k', 'one line');
    lines.write();
    database.run("UPDATE recipe_line SET dir = 'core/b'");
    expect(lines.get('core/b', 'k')).toBeNull();
    database.run("UPDATE recipe_line SET dir = 'core/a'");
    expect(lines.get('core/a', 'k')).toBe('one line');
    eachDamage('recipe_line', 'line', () => lines.get('core/a', 'k'));
    lines.put('core/a', 'k', 'one line');
    lines.write();
    expect(lines.get('core/a', 'k')).toBe('one line');
  });

  test('are kept of the last eight states of a recipe', () => {
    const lines = new TreeLines(database, 'tree');
    for (let state = 0; state < 12; state += 1) {
      lines.put('core/a', `k${state}`, `line ${state}`);
      lines.write();
    }
    const kept = Array.from({ length: 12 }, (_, state) => lines.get('core/a', `k${state}`) !== null);
    expect(kept).toEqual(kept.map((_, state) => state >= 4));
  });

  test('of a large tree are written as they come, and forgotten with their recipe', () => {
    const lines = new TreeLines(database, 'tree');
    const dirs = Array.from({ length: 1_300 }, (_, place) => `core/p${place}`);
    for (const dir of dirs) lines.put(dir, 'k', dir);
    expect(count()).toBe(1_024);
    lines.write();
    new TreeLines(database, 'other').forgetOthers([]);
    lines.forgetOthers(dirs.slice(975));
    expect(count()).toBe(1_300);
    const few = dirs.slice(976);
    lines.forgetOthers(few);
    expect(count()).toBe(few.length);
    expect(few.every((dir) => lines.get(dir, 'k') === dir)).toBe(true);
  });
});

describe('the head of a tree', () => {
  const warning = inputProblem({
    level: 'warning',
    code: 'unknown-key',
    text: 'so',
    file: 'core/a/package.toml',
  });
  const head: TreeHead = {
    warnings: [warning],
    recipes: [['core/a']],
    names: ['core-a'],
    targets: [[0, []]],
    contexts: {},
    order: [0],
  };

  test('comes back under its key, and its warnings without it', () => {
    writeHead(database, 'tree', 'key', head);
    expect(readHead(database, 'tree', 'key')).toEqual(head);
    expect(headWarnings(database, 'tree', 'key')).toEqual([warning]);
    expect(readHead(database, 'tree', 'other')).toBeNull();
    expect(headWarnings(database, 'tree', 'other')).toBeNull();
    expect(readHead(database, 'other', 'key')).toBeNull();
  });

  test.each(['head', 'warnings'] as const)('of which the %s is damaged anywhere is none', (column) => {
    writeHead(database, 'tree', 'key', head);
    const read = column === 'head' ? readHead : headWarnings;
    eachDamage('tree_head', column, () => read(database, 'tree', 'key'));
  });
});
