/** Which proxy the environment means for a URL. */
import { describe, expect, it } from 'vitest';
import { proxyFor } from './proxy.ts';

const via = (url: string, env: NodeJS.ProcessEnv): string | null => proxyFor(new URL(url), env)?.href ?? null;
const P = 'http://proxy:3128/';

describe('which proxy', () => {
  it('is the one of the scheme, then all_proxy, lower case first, empty is unset', () => {
    expect(via('http://a/', { http_proxy: P })).toBe(P);
    expect(via('https://a/', { http_proxy: P })).toBe(null);
    expect(via('https://a/', { HTTPS_PROXY: P, https_proxy: 'http://lower:1' })).toBe('http://lower:1/');
    expect(via('https://a/', { https_proxy: '', HTTPS_PROXY: P })).toBe(P);
    expect(via('http://a/', { ALL_PROXY: P })).toBe(P);
    expect(via('http://a/', { http_proxy: ' ' })).toBe(null);
  });

  it('may be written without a scheme', () => {
    expect(via('http://a/', { http_proxy: 'proxy:3128' })).toBe(P);
  });

  it('must be http or https; its password is not shown', () => {
    expect(() => via('http://a/', { all_proxy: 'socks5://me:secret@x:1' })).toThrow(/all_proxy/);
    expect(() => via('http://a/', { http_proxy: 'http://' })).toThrow(/http_proxy/);
    try {
      via('http://a/', { all_proxy: 'socks5://me:secret@x:1' });
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });
});

describe('no_proxy', () => {
  it.each([
    ['example.org', 'http://example.org/', true],
    ['example.org', 'http://ftp.example.org/', true],
    ['.example.org', 'http://ftp.example.org/', true],
    ['*.example.org', 'http://ftp.example.org/', true],
    ['example.org', 'http://badexample.org/', false],
    ['EXAMPLE.org.', 'http://example.ORG/', true],
    ['a, example.org b', 'http://example.org/', true],
    ['*', 'http://anything/', true],
    ['example.org:8080', 'http://example.org:8080/', true],
    ['example.org:8080', 'http://example.org/', false],
    ['example.org:443', 'https://example.org/', true],
    ['10.0.0.0/8', 'http://10.9.8.7/', true],
    ['10.0.0.0/8', 'http://11.9.8.7/', false],
    ['10.0.0.0/99', 'http://10.9.8.7/', false],
    ['10.0.0.0/8', 'http://ten.example/', false],
    ['0.0.1', 'http://127.0.0.1/', false],
    ['[::1]', 'http://[::1]/', true],
    ['::1', 'http://[::1]:99/', true],
    ['fd00::/8', 'http://[fd12::3]/', true],
    ['', 'http://a/', false],
  ])('%j and %s: %s', (list, url, exempt) => {
    expect(via(url, { all_proxy: P, no_proxy: list })).toBe(exempt ? null : P);
  });
});
