/** Exactly the allowed images pass, in the spellings BuildKit uses. */
import { expect, test } from 'vitest';
import { policyAllowing, policyText } from './policy.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** As BuildKit judges: the last rule that matches. */
function judged(images: readonly string[], identifier: string): string {
  return judgedBy(policyText(images), identifier);
}

function judgedBy(text: string, identifier: string): string {
  const { rules } = JSON.parse(text) as {
    rules: { action: string; selector: { identifier: string } }[];
  };
  return rules.findLast(({ selector }) => new RegExp(selector.identifier).test(identifier))?.action ?? '';
}

test.each([
  ['debian:12', 'docker-image://docker.io/library/debian:12', 'ALLOW'],
  ['debian:12', `docker-image://docker.io/library/debian:12@${DIGEST}`, 'ALLOW'],
  ['docker.io/library/debian', 'docker-image://docker.io/library/debian:latest', 'ALLOW'],
  [`q.io/a/b@${DIGEST}`, `docker-image://q.io/a/b@${DIGEST}`, 'ALLOW'],
  [`q.io/a/b:1@${DIGEST}`, `docker-image://q.io/a/b:1@${DIGEST}`, 'ALLOW'],
  ['debian:12', 'docker-image://docker.io/library/debian:13', 'DENY'],
  ['debian:12', 'docker-image://docker.io/library/debian:12x', 'DENY'],
  ['debian:12', 'docker-image://evil.io/docker.io/library/debian:12', 'DENY'],
  ['a.b/c:1', 'docker-image://aXb/c:1', 'DENY'],
  [`q.io/a/b@${DIGEST}`, `docker-image://q.io/a/b@${DIGEST.replaceAll('a', 'b')}`, 'DENY'],
  ['debian:12', 'https://docker.io/x', 'DENY'],
  ['debian:12', 'local://context', 'ALLOW'],
])('with %s allowed, %s: %s', (allowed, identifier, action) => {
  expect(judged([allowed], identifier)).toBe(action);
});

test('a build may take exactly its dependencies from a registry, and what its tree allows', () => {
  const text = policyAllowing(policyText(['debian:12']), [`127.0.0.1:5000/c/core-a@${DIGEST}`]);
  const judge = (identifier: string) => judgedBy(text, identifier);
  expect(judge(`docker-image://127.0.0.1:5000/c/core-a@${DIGEST}`)).toBe('ALLOW');
  expect(judge('docker-image://docker.io/library/debian:12')).toBe('ALLOW');
  expect(judge(`docker-image://127.0.0.1:5000/c/core-b@${DIGEST}`)).toBe('DENY');
  expect(judge(`docker-image://127.0.0.1:5000/c/core-a@${DIGEST.replaceAll('a', 'b')}`)).toBe('DENY');
  expect(judge('docker-image://127.0.0.1:5000/c/core-a:latest')).toBe('DENY');
});
