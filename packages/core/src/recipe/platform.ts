/**
 * Platform names as recipes and `--platform` give them: `os/arch[/variant]`, each part a Go name.
 */
import { didYouMean, nearestNames } from './nearest.ts';

/** GOOS and GOARCH values an image can be for (`go tool dist list`, without those no container runs on). */
const SYSTEMS = ['darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'wasip1', 'windows'];
const ARCHITECTURES = [
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
];

/** What containerd's platforms.Normalize takes for these; two spellings would be two targets to us. */
const ALIASES: Readonly<Record<string, string>> = {
  aarch64: 'arm64',
  armhf: 'arm/v7',
  armel: 'arm/v6',
  i386: '386',
  i686: '386',
  x86: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
};

/** Why a text is no platform, or null where it is one. */
export function platformFault(
  text: string,
): { readonly text: string; readonly hint?: string | undefined } | null {
  const [system = '', architecture = '', variant, ...more] = text.split('/');
  const shown = JSON.stringify(text);
  if (text.includes(',')) {
    return { text: `${shown} is more than one platform`, hint: 'a recipe lists several in `platforms`' };
  }
  if (architecture === '' || more.length > 0 || (variant !== undefined && !/^[a-z0-9.]+$/.test(variant))) {
    return { text: `${shown} is no platform`, hint: 'write os/arch or os/arch/variant, e.g. linux/amd64' };
  }
  if (!SYSTEMS.includes(system)) {
    return {
      text: `${shown}: ${JSON.stringify(system)} is no operating system`,
      hint: didYouMean(nearestNames(system, SYSTEMS)),
    };
  }
  if (ARCHITECTURES.includes(architecture)) return null;
  const alias = ALIASES[architecture];
  return {
    text: `${shown}: ${JSON.stringify(architecture)} is no architecture`,
    hint:
      alias === undefined
        ? didYouMean(nearestNames(architecture, ARCHITECTURES))
        : `write ${system}/${alias}`,
  };
}

/** Whether two platform names mean the same: `linux/arm64` is `linux/arm64/v8`, `linux/arm` is v7 (containerd's
 * normalisation). */
export function samePlatform(a: string, b: string): boolean {
  return withVariant(a) === withVariant(b);
}

function withVariant(platform: string): string {
  if (/^[^/]+\/arm64$/.test(platform)) return `${platform}/v8`;
  if (/^[^/]+\/arm$/.test(platform)) return `${platform}/v7`;
  if (/^[^/]+\/amd64\/v1$/.test(platform)) return platform.slice(0, -'/v1'.length);
  return platform;
}
