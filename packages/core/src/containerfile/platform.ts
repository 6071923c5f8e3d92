/**
 * Platforms: `linux/amd64`, `linux/arm/v7`, or one word of these.
 *
 * After github.com/containerd/platforms v1.0, which BuildKit v0.32.2 uses.
 */

import { ReadingError } from './text.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly osVersion: string;
}

const SPECIFIER = /^[A-Za-z0-9_.-]+$/;
const OS = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;
const KNOWN_OS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
);
const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
);

/**
 * Reads a platform. One word is an operating system or an architecture; the missing half is that of `host`,
 * the machine BuildKit runs on.
 *
 * @throws ReadingError
 */
export function parsePlatform(text: string, host: Platform | null): Platform {
  const [first = '', second, third, ...more] = text.split('/');
  const os = OS.exec(first);
  if (os === null || more.length > 0)
    throw new ReadingError(`${JSON.stringify(text)}: cannot parse platform`);
  for (const part of [second, third]) {
    if (part !== undefined && !SPECIFIER.test(part)) {
      throw new ReadingError(`${JSON.stringify(part)} is an invalid component of ${JSON.stringify(text)}`);
    }
  }
  const system = normalizeOs(os[1] ?? '');
  const osVersion = os[2] ?? '';
  if (second !== undefined) {
    const { architecture, variant } = normalizeArchitecture(second, third ?? '');
    const bare = third === undefined && architecture === 'arm' && variant === 'v7';
    return {
      os: system,
      osVersion,
      architecture,
      variant: bare ? '' : variantOf(architecture, variant, third),
    };
  }
  if (KNOWN_OS.has(system)) {
    return { os: system, osVersion, architecture: host?.architecture ?? 'amd64', variant: '' };
  }
  const { architecture, variant } = normalizeArchitecture(first, '');
  if (!KNOWN_ARCHITECTURES.has(architecture)) {
    throw new ReadingError(`${JSON.stringify(text)}: unknown operating system or architecture`);
  }
  const shown = architecture === 'arm' && variant === 'v7' ? '' : variant;
  return { os: host?.os ?? 'linux', osVersion: '', architecture, variant: shown };
}

function variantOf(architecture: string, variant: string, written: string | undefined): string {
  return written !== undefined && architecture === 'arm64' && variant === '' ? 'v8' : variant;
}

/** The canonical form, as BuildKit takes the platform it builds for. */
export function normalizePlatform(platform: Platform): Platform {
  return {
    ...platform,
    os: normalizeOs(platform.os),
    ...normalizeArchitecture(platform.architecture, platform.variant),
  };
}

/** `os/arch[/variant]`; the version of the operating system in brackets where `withVersion`. */
export function formatPlatform(platform: Platform, withVersion: boolean): string {
  const version = withVersion && platform.osVersion !== '' ? `(${platform.osVersion})` : '';
  return [platform.os + version, platform.architecture, platform.variant]
    .filter((part) => part !== '')
    .join('/');
}

function normalizeOs(os: string): string {
  const lower = os.toLowerCase();
  return lower === 'macos' ? 'darwin' : lower;
}

function normalizeArchitecture(
  architecture: string,
  variant: string,
): { architecture: string; variant: string } {
  const lower = architecture.toLowerCase();
  const given = variant.toLowerCase();
  switch (lower) {
    case 'i386':
      return { architecture: '386', variant: '' };
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return { architecture: 'amd64', variant: given === 'v1' ? '' : given };
    case 'aarch64':
    case 'arm64':
      if (['8', 'v8', 'v8.0'].includes(given)) return { architecture: 'arm64', variant: '' };
      if (['9', '9.0', 'v9.0'].includes(given)) return { architecture: 'arm64', variant: 'v9' };
      return { architecture: 'arm64', variant: given };
    case 'armhf':
      return { architecture: 'arm', variant: 'v7' };
    case 'armel':
      return { architecture: 'arm', variant: 'v6' };
    case 'arm':
      if (given === '' || given === '7') return { architecture: 'arm', variant: 'v7' };
      if (['5', '6', '8'].includes(given)) return { architecture: 'arm', variant: `v${given}` };
      return { architecture: 'arm', variant: given };
    default:
      return { architecture: lower, variant: given };
  }
}
