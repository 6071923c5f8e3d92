/** The parts of a remote that need no registry: its record as bytes, its patience, its limits, whose login it is. */
import { randomBytes } from 'node:crypto';
import { digestOf, MEDIA } from '@stx-make/core/oci/index';
import { describe, expect, test } from 'vitest';
import { authFiles, loginNames } from '../registry/credentials.ts';
import { Breaker } from './breaker.ts';
import { Limiter } from './limiter.ts';
import { decodeRecord, encodeRecord, MAX_RECORD, type RecordDocument } from './record.ts';

const document = Buffer.from('{"a":1}');
const facts = 'facts';
const record: RecordDocument = {
  fingerprint: digestOf(facts),
  target: 'core-x',
  manifest: digestOf('manifest'),
  index: { mediaType: MEDIA.index, digest: digestOf('index'), size: 5 },
  duration: 7,
  created: 8,
  facts,
  documents: new Map([[digestOf(document), document]]),
};
const wanted = { fingerprint: record.fingerprint, target: 'core-x' };

describe('a record', () => {
  test('comes back as it was', () => {
    expect(decodeRecord(encodeRecord(record) ?? Buffer.alloc(0), wanted)).toEqual(record);
  });

  test('that no registry would take is none', () => {
    const noise = randomBytes(MAX_RECORD).toString('hex');
    expect(encodeRecord({ ...record, facts: noise })).toBeNull();
  });

  test('cut or changed anywhere is refused or the same, never another', () => {
    const bytes = encodeRecord(record) ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 1) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      for (const damaged of [other, bytes.subarray(0, at)]) {
        let read: RecordDocument;
        try {
          read = decodeRecord(damaged, wanted);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProblemError' });
          continue;
        }
        expect(read).toEqual(record);
      }
    }
  });
});

test('a remote that fails is left alone longer and longer, and asked by one at a time', () => {
  let now = 0;
  const breaker = new Breaker(() => now);
  expect([breaker.enter(), breaker.enter()]).toEqual([true, true]);
  expect(breaker.failed()).toEqual({ isNews: true, restMs: 15_000 });
  expect(breaker.failed()).toEqual({ isNews: false, restMs: 15_000 });
  now = 14_999;
  expect(breaker.enter()).toBe(false);
  now = 15_000;
  expect([breaker.enter(), breaker.enter()]).toEqual([true, false]);
  expect(breaker.failed()).toEqual({ isNews: false, restMs: 30_000 });
  now = 45_000;
  expect(breaker.enter()).toBe(true);
  breaker.undecided();
  expect(breaker.enter()).toBe(true);
  breaker.worked();
  expect([breaker.isOpen, breaker.enter(), breaker.enter()]).toEqual([false, true, true]);
  expect(breaker.failed().restMs).toBe(15_000);
  breaker.hurry();
  expect(breaker.enter()).toBe(true);
});

test('no more at a time than allowed, in order, and whoever leaves the line lets the next one in', async () => {
  const limiter = new Limiter(1);
  const never = new AbortController().signal;
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const works = [
    limiter.run(never, () => first.promise),
    limiter
      .run(leaving.signal, async () => void order.push('left'))
      .catch((error: unknown) => order.push(String(error))),
    limiter.run(never, async () => void order.push('third')),
  ];
  leaving.abort('gone');
  await works[1];
  expect(order).toEqual(['gone']);
  first.resolve();
  await Promise.all(works);
  expect(order).toEqual(['gone', 'third']);
});

test('logins: names from the most special on, files from the most explicit on', () => {
  expect(loginNames('h:1', 'a/b')).toEqual(['h:1/a/b', 'h:1/a', 'h:1']);
  const env = { HOME: '/h', XDG_RUNTIME_DIR: '/r', DOCKER_CONFIG: '/d', REGISTRY_AUTH_FILE: '/x' };
  expect(authFiles(env)).toEqual([
    '/x',
    '/d/config.json',
    '/r/containers/auth.json',
    '/h/.config/containers/auth.json',
    '/h/.docker/config.json',
  ]);
});
