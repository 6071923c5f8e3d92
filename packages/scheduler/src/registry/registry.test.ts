/** What people write for a registry, and what registries write for those they do not know. */
import { describe, expect, it } from 'vitest';
import { parseChallenge, tokenUrl } from './challenge.ts';
import { parseRegistry, repositoryOf } from './place.ts';

describe('places', () => {
  it.each([
    ['docker.io/stagex', 'https://registry-1.docker.io/', 'stagex/core-a'],
    ['docker.io', 'https://registry-1.docker.io/', 'stagex/core-a'],
    ['quay.example/stagex/', 'https://quay.example/', 'stagex/core-a'],
    ['https://r.example:444/a/b', 'https://r.example:444/', 'a/b/core-a'],
    ['127.0.0.1:5000/stagex', 'http://127.0.0.1:5000/', 'stagex/core-a'],
    ['localhost:5000', 'http://localhost:5000/', 'stagex/core-a'],
    ['https://localhost', 'https://localhost/', 'stagex/core-a'],
    ['[::1]:5000/x', 'http://[::1]:5000/', 'x/core-a'],
  ])('%s', (text, origin, repository) => {
    const place = parseRegistry(text);
    expect([place.origin.href, repositoryOf(place, 'core-a')]).toEqual([origin, repository]);
  });

  it.each([
    'http://registry.example/stagex',
    'http://127.0.0.1.example/stagex',
    '',
    '/stagex',
    'host/../x',
    'host/UPPER',
    'user@host/x',
    'host/x?y',
    'ftp://host/x',
    'host:99999999/x',
    'host:99999/x',
  ])('refuses %j', (text) => {
    expect(() => parseRegistry(text)).toThrow(/is no registry/);
  });
});

describe('challenges', () => {
  it('reads a bearer in its odd forms', () => {
    const wanted = { scheme: 'bearer', realm: 'https://a.example/t?x=1', service: 'r "s"', scope: null };
    expect(parseChallenge('Bearer realm="https://a.example/t?x=1",service="r \\"s\\""')).toEqual(wanted);
    expect(
      parseChallenge('Basic realm="x", bearer Realm=https://a.example/t?x=1 , SERVICE="r \\"s\\""'),
    ).toEqual(wanted);
  });

  it('knows a login, and nothing', () => {
    expect(parseChallenge('Basic realm="x"')).toEqual({ scheme: 'basic' });
    expect(parseChallenge('Bearer realm="not a url"')).toBeNull();
    expect(parseChallenge(undefined)).toBeNull();
  });

  it('asks for the scope it was told, else for the repository', () => {
    const realm = 'https://a.example/t?x=1';
    const url = tokenUrl({ scheme: 'bearer', realm, service: 's', scope: null }, [
      { repository: 'stagex/core-a', actions: 'pull' },
    ]);
    expect(url.href).toBe('https://a.example/t?x=1&service=s&scope=repository%3Astagex%2Fcore-a%3Apull');
  });
});
