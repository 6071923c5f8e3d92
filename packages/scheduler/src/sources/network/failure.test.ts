/** Errors of the network in words. */
import { expect, it } from 'vitest';
import { connectionError, parseRetryAfter, showUrl, statusError } from './failure.ts';

const now = Date.UTC(2026, 0, 1);

it.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['', null],
  [undefined, null],
])('Retry-After %j is %j ms', (value, ms) => {
  expect(parseRetryAfter(value, now)).toBe(ms);
});

it.each([
  [404, false],
  [403, false],
  [410, false],
  [408, true],
  [429, true],
  [500, true],
  [503, true],
  [501, false],
  [522, true],
])('status %j is worth another try: %j', (status, transient) => {
  expect(statusError(status, undefined, now).failure.transient).toBe(transient);
});

it('a name that does not exist and a bad certificate stay, a reset passes', () => {
  const error = (code: string): Error => Object.assign(new Error(code), { code });
  expect(connectionError(error('ENOTFOUND')).failure.transient).toBe(false);
  expect(connectionError(error('CERT_HAS_EXPIRED')).failure.transient).toBe(false);
  expect(connectionError(error('EAI_AGAIN')).failure.transient).toBe(true);
  expect(connectionError(error('ECONNRESET')).failure.transient).toBe(true);
  const several = new AggregateError([error('ECONNREFUSED')], '');
  expect(connectionError(several).failure).toMatchObject({
    text: 'the connection was refused',
    transient: true,
  });
});

it('URLs are shown without credentials, and else as they are written', () => {
  expect(showUrl('http://me:pw@host/x')).toBe('http://host/x');
  expect(showUrl('http://host')).toBe('http://host');
  expect(showUrl('nonsense')).toBe('nonsense');
});
