/**
 * The shortest run says exactly what a judged one says, and whatever is done to the tree, the store, the outputs or
 * the records is seen. Builds are in memory, all else is real.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@stx-make/core/events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FakeBuilder } from '../../../../test/property/fake-builder.ts';
import { memoryFolder, OPTIONS } from '../../../../test/property/world.ts';
import type { RunSummary } from '../api.ts';
import { openSessionWith, run } from '../session.ts';

let folder: string;
let root: string;
let state: string;
const builder = new FakeBuilder();

beforeAll(() => {
  folder = memoryFolder('stx-settled-');
  root = join(folder, 'tree');
  state = join(folder, 'state');
  for (const [name, needs] of [
    ['a', ''],
    ['b', 'COPY --from=stagex/core-a . /\n'],
  ]) {
    const dir = join(root, 'packages/core', name ?? '');
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      join(dir, 'package.toml'),
      `[package]\nname = "${name}"\nversion = "1"\ndescription = "x"\n`,
    );
    writeFileSync(join(dir, 'Containerfile'), `FROM scratch\n${needs}COPY payload /${name}\n`);
    writeFileSync(join(dir, 'payload'), `${name}\n`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  readonly summary: RunSummary;
  readonly events: readonly unknown[];
  /** Answers that are kept when it is over. */
  readonly kept: number;
}

async function world(outline = true): Promise<Seen> {
  builder.built.length = 0;
  const session = await openSessionWith({ cwd: root, env: {}, root, state, outline }, builder.driver);
  const events: RunEvent[] = [];
  try {
    const summary = await run(session, OPTIONS, (event) => void events.push(event), {
      stop: new AbortController().signal,
    });
    const { database } = session.openState();
    const kept = database.get<{ n: number }>('SELECT count(*) AS n FROM settled')?.n ?? 0;
    return { summary, events: events.map(timeless), kept };
  } finally {
    session.close();
  }
}

/** Without what differs in any two runs. */
function timeless({ at: _, ...event }: RunEvent): unknown {
  return { ...event, run: '', started: '', duration: 0 };
}

/** Runs until the answer is kept: files that changed within a tick of the clock are not trusted yet. */
async function settle(): Promise<Seen> {
  for (;;) {
    const seen = await world();
    expect(seen.summary.ok).toBe(true);
    if (seen.kept === 1) return seen;
  }
}

function change(sql: string): void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(state, 'state.db'));
  database.exec(sql);
  database.close();
}

const pool = (): string => join(state, 'pool/blobs/sha256');
const blob = (): string => join(pool(), readdirSync(pool())[0] ?? '');
const layout = (): string => join(root, 'out/core-b');
const shown = (): string => join(layout(), 'blobs/sha256');

describe('a settled run', () => {
  beforeEach(settle);

  test('says what a judged one says, and loads no graph for it', async () => {
    const settled = await world();
    change('DELETE FROM settled');
    const judged = await world();
    expect(settled.events).toEqual(judged.events);
    expect(settled.summary.targets).toEqual(judged.summary.targets);
    expect(settled.summary.counts).toEqual({
      targets: 2,
      hit: 2,
      built: 0,
      unchanged: 0,
      failed: 0,
      skipped: 0,
    });
  });

  const disturbances: Readonly<Record<string, () => void>> = {
    'a blob is gone': () => rmSync(blob()),
    'a blob was cut short': () => truncateSync(blob(), 1),
    'a blob has other bytes of the same length': () => {
      const bytes = readFileSync(blob());
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(blob(), bytes);
    },
    'a link lies in its place': () => {
      const path = blob();
      rmSync(path);
      symlinkSync('/dev/null', path);
    },
    'an output is gone': () => rmSync(layout(), { recursive: true }),
    'a blob of an output is gone': () => rmSync(join(shown(), readdirSync(shown())[0] ?? '')),
    'an index.json was written to': () => appendFileSync(join(layout(), 'index.json'), ' '),
    'an oci-layout is gone': () => rmSync(join(layout(), 'oci-layout')),
    'the pool lost its oci-layout': () => rmSync(join(state, 'pool/oci-layout')),
    'a dead run left something': () => mkdirSync(join(root, 'out/.core-b.tmp-1')),
  };
  test.each(Object.entries(disturbances))('does not hold when %s; all is mended', async (_, disturb) => {
    const before = await world();
    disturb();
    const after = await settle();
    expect(after.summary.targets.map(({ digest }) => digest)).toEqual(
      before.summary.targets.map(({ digest }) => digest),
    );
    for (const name of ['oci-layout', 'index.json']) expect(existsSync(join(layout(), name))).toBe(true);
    expect(existsSync(join(state, 'pool/oci-layout'))).toBe(true);
    expect(readFileSync(join(layout(), 'index.json'), 'utf8').endsWith(' ')).toBe(false);
    const { digestOf } = await import('@stx-make/core/oci/digest');
    for (const name of [...readdirSync(pool()).map((each) => join(pool(), each))]) {
      expect(digestOf(readFileSync(name)).endsWith(name.slice(-64))).toBe(true);
    }
  });

  test.each([
    'DELETE FROM record',
    'DELETE FROM current',
    "UPDATE record SET manifest = 'sha256:x' WHERE target = 'core-b'",
    "UPDATE current SET manifest = 'sha256:x' WHERE target = 'core-b'",
    "DELETE FROM good WHERE kind = 'blob'",
  ])('does not hold after %s', (sql) => {
    change(sql);
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const database = new DatabaseSync(join(state, 'state.db'));
    expect(database.prepare('SELECT count(*) AS n FROM settled').get()?.['n']).toBe(0);
    database.close();
  });

  test('does not hold after an edit, nor for another engine; a touch changes nothing', async () => {
    const payload = join(root, 'packages/core/b/payload');
    writeFileSync(payload, readFileSync(payload));
    expect((await world()).summary.counts.hit).toBe(2);
    writeFileSync(payload, 'other\n');
    const edited = await world();
    expect(edited.summary.counts).toMatchObject({ hit: 1, built: 1 });
    await settle();
    change(`UPDATE engine SET data = replace(data, 'sha256:', 'sha256:0')`);
    expect((await world()).summary.counts.hit).toBe(2);
    expect(builder.built).toEqual([]);
  });
});
