/**
 * What GitHub Actions and Forgejo Actions have differently, and the actions of others that both use: three, all of the
 * platform itself, named by commit and not by a tag that can be moved. Data only.
 */
import type { System } from './model.ts';

export interface Flavour {
  readonly folder: string;
  readonly runsOn: string;
  /** Before the name of an action. */
  readonly host: string;
  readonly upload: string;
  /** Before a command that needs root. */
  readonly root: string;
  readonly remote: string;
  readonly user: string;
  readonly token: string;
  /** Packages that the machines may lack. */
  readonly packages: string | null;
  readonly machines: string;
  /** What a night needs beside that; null: nothing. */
  readonly setUp: string | null;
}

export const CHECKOUT = 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1';
export const CACHE = '27d5ce7f107fe9357f9df03efb73ab90386fccae';
const UPLOAD = 'actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f';
/** What these commits are, for whoever reads and updates them. */
const RELEASES = new Map([
  [CHECKOUT, 'v7.0.1'],
  [CACHE, 'v5.0.5'],
  [UPLOAD, 'v7.0.0'],
]);

export const FLAVOURS: Readonly<Record<Exclude<System, 'gitlab'>, Flavour>> = {
  github: {
    folder: '.github/workflows',
    runsOn: 'ubuntu-latest',
    host: '',
    upload: UPLOAD,
    root: 'sudo -E env "PATH=$PATH" "HOME=$HOME" ',
    remote: "${{ vars.STX_MAKE_REMOTE || format('ghcr.io/{0}/stx-make', github.repository) }}",
    user: '${{ github.actor }}',
    token: '${{ secrets.GITHUB_TOKEN }}',
    packages: null,
    machines:
      'Machines: any with root (by sudo), Go 1.21 or newer, npm and runc, as the hosted Ubuntu ones have them.',
    setUp: null,
  },
  forgejo: {
    folder: '.forgejo/workflows',
    runsOn: 'docker',
    host: 'https://data.forgejo.org/',
    // Upstream's refuses to work anywhere but on GitHub; Forgejo's own has no other name than a tag.
    upload: 'forgejo/upload-artifact@v4',
    root: '',
    remote: '${{ vars.STX_MAKE_REMOTE }}',
    user: '${{ secrets.REGISTRY_USER }}',
    token: '${{ secrets.REGISTRY_TOKEN }}',
    packages: 'golang-go npm runc',
    machines:
      'Machines: Debian 13 or the like as root, allowed to start containers (a host runner, LXC, or a privileged container).\n' +
      'Set the variable STX_MAKE_REMOTE (HOST/OWNER/NAME).',
    setUp: 'Set the secrets REGISTRY_USER and REGISTRY_TOKEN: a token that may write packages.',
  },
};

/** Which release of an action is meant by its commit. */
export function release(value: string): string | null {
  for (const [name, version] of RELEASES) if (value.endsWith(name)) return version;
  return null;
}
