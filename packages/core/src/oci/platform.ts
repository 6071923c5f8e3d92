/**
 * Platform strings, `os/arch[/variant]`, in the one spelling BuildKit uses in indexes and configs.
 */
import { inputProblem, ProblemError } from '../errors.ts';
import type { Descriptor } from './model.ts';

const PART = /^[a-z0-9_][a-z0-9_.-]*$/;

/** Other names of architectures, after containerd's platforms.Normalize. */
const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant: string]>> = {
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  i386: ['386', ''],
  i686: ['386', ''],
  aarch64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

/**
 * `linux/x86_64` -> `linux/amd64`, `linux/arm64/v8` -> `linux/arm64`, `linux/arm` -> `linux/arm/v7`.
 * @throws ProblemError `bad-platform` (input)
 */
export function normalizePlatform(text: string): string {
  const parts = text.toLowerCase().split('/');
  const [os, architecture, variant] = parts;
  if (
    os === undefined ||
    architecture === undefined ||
    parts.length > 3 ||
    parts.some((part) => !PART.test(part))
  ) {
    throw new ProblemError(
      inputProblem({
        code: 'bad-platform',
        text: `${JSON.stringify(text)} is not a platform`,
        hint: 'write os/architecture or os/architecture/variant, as linux/amd64',
      }),
    );
  }
  return joinPlatform(os, architecture, variant);
}

/** The platform of a descriptor or config, normalised. */
export function platformString(platform: NonNullable<Descriptor['platform']>): string {
  return joinPlatform(platform.os, platform.architecture, platform.variant);
}

function joinPlatform(os: string, architecture: string, variant: string | undefined): string {
  const [arch, implied] = ARCHITECTURES[architecture] ?? [architecture, ''];
  const given = variant === undefined || variant === '' ? implied : variant;
  const known = normalizeVariant(arch, given);
  return known === '' ? `${os}/${arch}` : `${os}/${arch}/${known}`;
}

function normalizeVariant(architecture: string, variant: string): string {
  switch (architecture) {
    case 'amd64':
      return variant === 'v1' ? '' : variant;
    case 'arm64':
      return variant === 'v8' || variant === '8' ? '' : variant;
    case 'arm':
      if (variant === '') return 'v7';
      return /^[5-8]$/.test(variant) ? `v${variant}` : variant;
    default:
      return variant;
  }
}
