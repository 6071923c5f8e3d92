/**
 * Certificates for tests, made by openssl: a CA of their own and what it signed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export class TestCa {
  /** PEM. */
  readonly certificate: string;
  readonly #folder: string;
  readonly #key: string;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.certificate = join(folder, `${name}-ca.pem`);
    this.#key = join(folder, `${name}-ca.key`);
    openssl(
      'req',
      '-x509',
      ...newKey(this.#key),
      '-out',
      this.certificate,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  }

  /** @param host what it is for: a server's name; any name for a client */
  issue(name: string, host: string): { readonly cert: string; readonly key: string } {
    const [cert, key] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}.key`)];
    openssl(
      ...['req', '-x509', ...newKey(key), '-CA', this.certificate, '-CAkey', this.#key, '-out', cert],
      ...['-days', '2', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    );
    return { cert, key };
  }
}

function newKey(key: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
