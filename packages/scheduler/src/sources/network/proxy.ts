/**
 * Which proxy a URL goes through, from the environment. Pure.
 *
 * The variables are curl's: http_proxy, https_proxy, all_proxy, no_proxy, lower case before upper case, empty
 * counting as unset. Node's agents can read them too, but know neither all_proxy nor plain domains and networks in
 * no_proxy, so the choice is made here and Node's agent is told the result.
 */
import { BlockList, isIP } from 'node:net';
import { inputProblem, ProblemError } from '@stx-make/core/errors';

/**
 * The proxy for `url`, null where it is asked directly.
 * @throws ProblemError `bad-proxy` (input): going past a proxy that was named and is not understood would leak
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | null {
  const scheme = url.protocol.slice(0, -1);
  const named = variable(env, `${scheme}_proxy`) ?? variable(env, 'all_proxy');
  if (named === null || isExempt(url, variable(env, 'no_proxy')?.value ?? '')) return null;
  // `host:3128` means an http proxy, as for curl and wget.
  const text = named.value.includes('://') ? named.value : `http://${named.value}`;
  const proxy = URL.canParse(text) ? new URL(text) : null;
  if (proxy === null || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) {
    // The value may hold a password, so it is not shown.
    throw new ProblemError(
      inputProblem({
        code: 'bad-proxy',
        text: `The environment variable ${named.name} does not name an http or https proxy.`,
        hint: 'Use http://HOST:PORT; socks proxies are not supported. `unset` it to go without.',
      }),
    );
  }
  return proxy;
}

function variable(
  env: NodeJS.ProcessEnv,
  name: string,
): { readonly name: string; readonly value: string } | null {
  for (const spelling of [name, name.toUpperCase()]) {
    const value = env[spelling]?.trim();
    if (value) return { name: spelling, value };
  }
  return null;
}

/** no_proxy: `*`, host names (which cover their subdomains, with or without a leading dot or `*.`), addresses,
 * networks in CIDR form, each with an optional `:port`; separated by commas or blanks. */
function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => covers(entry.toLowerCase(), host, port));
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inNetwork(entry, host);
  const withPort = /^(\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(entry);
  if (withPort !== null && withPort[2] !== port) return false;
  const name = bare(withPort?.[1] ?? entry);
  if (isIP(name) !== 0 || isIP(host) !== 0) return name === host;
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

function inNetwork(entry: string, host: string): boolean {
  const [network, bits] = entry.split('/');
  const version = isIP(bare(network ?? ''));
  if (version === 0 || isIP(host) !== version || !/^[0-9]{1,3}$/.test(bits ?? '')) return false;
  if (Number(bits) > (version === 4 ? 32 : 128)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(bare(network ?? ''), Number(bits), family);
  return block.check(host, family);
}

/** Without the brackets of IPv6 and the root's dot. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
