/** The state folder: databases damaged in every way go on or say what to do; locks end with their process. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ProblemError } from '@stx-make/core/errors';
import { digestOf } from '@stx-make/core/oci/digest';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { openHistory } from './history.ts';
import { lockHolder, takeLock } from './lock.ts';
import { openRecords } from './records.ts';
import { FORMATS, tablesOf } from './schema.ts';
import { seal, unseal, unsealJson, unsealOld } from './seal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stx-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = () => 1_000;
const descriptor = { mediaType: 'm', digest: digestOf('x'), size: 1 };
const record = (fingerprint: string, created: number, manifest = descriptor.digest) => ({
  fingerprint,
  manifest,
  output: { index: descriptor, images: [] },
  origin: 'built' as const,
  target: 'core-x',
  run: 'r',
  created,
});

describe('database', () => {
  test('records come back, newest first, and survive reopening', () => {
    const path = join(folder, 'state.db');
    const first = openDatabase(path, now);
    const records = openRecords(first.database);
    records.write(record('f', 1), 'facts', 'tree');
    records.write(record('f', 2, digestOf('y')), 'facts', 'tree');
    first.database.close();
    const again = openDatabase(path, now);
    expect(again.warnings).toEqual([]);
    const found = openRecords(again.database).find('f');
    expect(found.map((entry) => entry.created)).toEqual([2, 1]);
    expect(openRecords(again.database).current('tree').get('core-x')?.manifest).toBe(digestOf('y'));
    expect(openRecords(again.database).facts('f')).toBe('facts');
    again.database.close();
  });

  test.each([
    [
      'rubbish',
      (path: string) => writeFileSync(path, 'this is no database, it is a poem of sorts'.repeat(100)),
    ],
    ['truncated in a page', (path: string) => truncateSync(path, 5_000)],
    ['truncated in the header', (path: string) => truncateSync(path, 50)],
  ])('%s: set aside, begun anew, and said', (_, damage) => {
    const path = join(folder, 'state.db');
    const first = openDatabase(path, now);
    openRecords(first.database).write(record('f', 1), 'facts', 'tree');
    first.database.close();
    damage(path);
    const again = openDatabase(path, now);
    expect(again.warnings.map((warning) => warning.code)).toEqual(['state-damaged']);
    expect(existsSync(`${path}.damaged-1000`)).toBe(true);
    expect(openRecords(again.database).find('f')).toEqual([]);
    again.database.close();
  });

  test('an empty file, as a full disk leaves it, is begun anew without a word', () => {
    const path = join(folder, 'state.db');
    writeFileSync(path, '');
    const opened = openDatabase(path, now);
    expect(opened.warnings).toEqual([]);
    opened.database.close();
  });

  test.each(FORMATS.map((_, index) => index + 1))(
    'format %i is brought up, with all that it holds',
    (format) => {
      const path = join(folder, 'state.db');
      const old = new DatabaseSync(path);
      old.exec(`PRAGMA journal_mode = WAL; ${tablesOf(format)} PRAGMA user_version = ${format}`);
      old.prepare('INSERT INTO made (only, tables) VALUES (1, ?)').run(tablesOf(format));
      old.exec("INSERT INTO facts VALUES ('f', 'text')");
      old.close();
      for (let time = 0; time < 2; time += 1) {
        const { database, warnings } = openDatabase(path, now);
        expect(warnings).toEqual([]);
        expect(openRecords(database).facts('f')).toBe('text');
        expect(database.all('SELECT * FROM pushed')).toEqual([]);
        database.close();
      }
    },
  );

  test('an older format of another shape is set aside', () => {
    const path = join(folder, 'state.db');
    const old = new DatabaseSync(path);
    old.exec(`${tablesOf(1)} PRAGMA user_version = 1`);
    old.prepare('INSERT INTO made (only, tables) VALUES (1, ?)').run('something else');
    old.close();
    const { database, warnings } = openDatabase(path, now);
    expect(warnings.map(({ code }) => code)).toEqual(['state-damaged']);
    database.close();
  });

  test('a newer format is refused and left alone', () => {
    const path = join(folder, 'state.db');
    const first = openDatabase(path, now);
    first.database.run('PRAGMA user_version = 99');
    first.database.close();
    const before = readFileSync(path);
    expect(() => openDatabase(path, now)).toThrowError(/format 99/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('estimates are the median of the last ten builds, failures left out', () => {
    const { database } = openDatabase(join(folder, 'state.db'), now);
    const history = openHistory(database);
    const note = (index: number, duration: number, result: 'built' | 'failed') =>
      history.note({
        run: `r${index}`,
        target: 'core-x',
        result,
        fingerprint: 'f',
        previous: null,
        manifest: null,
        duration,
        finished: index,
        worker: 'w',
      });
    for (let index = 0; index < 10; index += 1) note(index, 1, 'built');
    for (let index = 10; index < 20; index += 1) note(index, 100 + index, 'built');
    note(30, 99_999, 'failed');
    expect(history.estimates().get('core-x')).toBe(115);
    database.close();
  });
});

describe('seals', () => {
  const text = JSON.stringify({ digest: 'sha256:0123', list: [1, 2] });

  test('any changed character of a text or of what it goes with breaks its seal', () => {
    const sealed = seal(text, 'core-a', 'f');
    expect(unseal(sealed, 'core-a', 'f')).toBe(text);
    expect(unseal(sealed, 'core-b', 'f')).toBeNull();
    expect(unseal(sealed, 'core-af', '')).toBeNull();
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${String.fromCharCode(sealed.charCodeAt(at) ^ 1)}${sealed.slice(at + 1)}`;
      expect(unseal(changed, 'core-a', 'f')).toBeNull();
      expect(unsealJson(changed, 'core-a', 'f')).toBeNull();
    }
  });

  test('what was written before there were seals is read as it is', () => {
    expect(unsealJson(text)).toEqual(JSON.parse(text));
    expect(unsealOld('facts of old')).toBe('facts of old');
  });

  test('a record in which a digit changed is none', () => {
    const path = join(folder, 'state.db');
    const { database } = openDatabase(path, now);
    const records = openRecords(database);
    records.write(record('f', 1), 'facts', 'tree');
    database.run('UPDATE record SET output = replace(output, \'"size":1\', \'"size":2\')');
    expect(records.find('f')).toEqual([]);
    expect(records.outputOf('core-x', descriptor.digest)).toBeNull();
    records.write(record('f', 2), 'facts', 'tree');
    expect(records.find('f')).toHaveLength(1);
    database.close();
  });
});

describe('lock', () => {
  const holder = { pid: process.pid, command: 'stx-make world', since: '2026-01-01T00:00:00Z' };
  const signal = () => new AbortController().signal;
  const lockModule = new URL('./lock.ts', import.meta.url).pathname;

  /** Another process that takes the lock, says so, and holds it until it is killed. */
  async function otherHolder(path: string) {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { takeLock } = await import(${JSON.stringify(lockModule)});
         await takeLock(${JSON.stringify(path)}, 'it', { wait: true, onWait: () => {}, signal: new AbortController().signal,
           holder: { pid: process.pid, command: 'other', since: 'then' } });
         console.log('held'); setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    return child;
  }

  test('held by another process: told who, at once; free the moment it is killed', async () => {
    const path = join(folder, 'x.lock');
    const child = await otherHolder(path);
    expect(lockHolder(path)?.command).toBe('other');
    const refused = await takeLock(path, 'the tree', {
      wait: false,
      holder,
      onWait: () => {},
      signal: signal(),
    }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ProblemError);
    expect(String(refused)).toContain('`other`');

    const waited: (string | undefined)[] = [];
    const mine = takeLock(path, 'the tree', {
      wait: true,
      holder,
      onWait: (other) => {
        waited.push(other?.command);
        child.kill('SIGKILL');
      },
      signal: signal(),
    });
    const lock = await mine;
    expect(waited).toEqual(['other']);
    expect(lockHolder(path)?.command).toBe('stx-make world');
    lock.release();
    expect(lockHolder(path)).toBeNull();
  });

  test('waiting ends when asked to stop', async () => {
    const path = join(folder, 'x.lock');
    const child = await otherHolder(path);
    const stop = new AbortController();
    const waiting = takeLock(path, 'it', {
      wait: true,
      holder,
      onWait: () => stop.abort(new Error('stopped')),
      signal: stop.signal,
    });
    await expect(waiting).rejects.toThrow('stopped');
    child.kill('SIGKILL');
  });

  test('a folder that can not be written is a problem of the environment', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(
      takeLock(join(folder, 'file', 'x.lock'), 'it', {
        wait: true,
        holder,
        onWait: () => {},
        signal: signal(),
      }),
    ).rejects.toThrow(/can not be used/);
  });

  test('taking it leaves nothing behind but the lock file', async () => {
    const path = join(folder, 'x.lock');
    const lock = await takeLock(path, 'it', { wait: true, holder, onWait: () => {}, signal: signal() });
    lock.release();
    expect(execFileSync('ls', ['-A', folder], { encoding: 'utf8' })).toBe('x.lock\n');
  });
});
