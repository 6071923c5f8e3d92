/** Judging the head of an HTTP answer. */
import { describe, expect, it } from 'vitest';
import { originOf, readAnswer } from './answer.ts';

const read = (status: number, headers: Record<string, string>, asked = 0) =>
  readAnswer({ status, headers }, asked, 0);

describe('an answer', () => {
  it('200 is the whole file, asked for a part or not', () => {
    const whole = { kind: 'body', offset: 0, total: 10, delimited: true, encoding: null };
    expect(read(200, { 'content-length': '10' })).toEqual(whole);
    expect(read(200, { 'content-length': '10' }, 5)).toEqual(whole);
    expect(read(200, {})).toMatchObject({ total: null, delimited: false });
    expect(read(200, { 'transfer-encoding': 'chunked' })).toMatchObject({ total: null, delimited: true });
  });

  it('206 is the part that was asked for, or nothing', () => {
    expect(read(206, { 'content-range': 'bytes 5-9/10' }, 5)).toMatchObject({ offset: 5, total: 10 });
    expect(read(206, { 'content-range': 'bytes 5-9/*' }, 5)).toMatchObject({ offset: 5, total: null });
    for (const range of ['bytes 4-9/10', 'bytes 5-10/10', 'bytes 5-4/10', 'bytes */10', 'lines 5-9/10', '']) {
      expect(read(206, { 'content-range': range }, 5)).toEqual({ kind: 'again' });
    }
    expect(read(206, {}, 5)).toEqual({ kind: 'again' });
    expect(read(206, { 'content-range': 'bytes 5-9/10', 'content-encoding': 'gzip' }, 5)).toEqual({
      kind: 'again',
    });
    expect(() => read(206, { 'content-range': 'bytes 0-9/10' })).toThrow('206 Partial Content');
  });

  it('416 asks for all of it, once there was a part', () => {
    expect(read(416, {}, 5)).toEqual({ kind: 'again' });
    expect(() => read(416, {})).toThrow('416');
  });

  it('the length of an encoded body says nothing of the file', () => {
    expect(read(200, { 'content-length': '10', 'content-encoding': 'GZIP' })).toMatchObject({
      total: null,
      encoding: 'gzip',
    });
    expect(read(200, { 'content-length': '10', 'content-encoding': 'identity' })).toMatchObject({
      total: 10,
    });
  });

  it('an absurd length is no number', () => {
    expect(read(200, { 'content-length': '9'.repeat(30) })).toMatchObject({ total: null });
  });
});

it('only a strong ETag or a date is worth an If-Range', () => {
  expect(originOf('u', { etag: '"x"', 'last-modified': 'd' }).validator).toBe('"x"');
  expect(originOf('u', { etag: 'W/"x"', 'last-modified': 'd' }).validator).toBe('d');
  expect(originOf('u', { etag: 'W/"x"' }).validator).toBe(null);
});
