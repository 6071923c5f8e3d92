/**
 * Certificates for tests: an authority of our own, and what it signs, made by openssl.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
}

export class Authority {
  readonly folder: string;
  /** PEM file. */
  readonly certificate: string;
  readonly #key: string;

  /** @param folder of its own */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.certificate = join(folder, 'ca.crt');
    this.#key = join(folder, 'ca.key');
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      this.#key,
      '-out',
      this.certificate,
      '-subj',
      '/CN=test CA',
    );
  }

  /** For servers on 127.0.0.1 and for clients. @param host a further name of the server */
  sign(name: string, host = 'localhost'): Certificate {
    const [key, request, certificate] = ['key', 'csr', 'cert'].map((end) =>
      join(this.folder, `${name}.${end}`),
    ) as [string, string, string];
    const more = join(this.folder, 'ext');
    writeFileSync(more, `subjectAltName=IP:127.0.0.1,DNS:${host}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const by = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-extfile', more];
    openssl('x509', '-req', '-in', request, '-out', certificate, '-days', '2', ...by);
    return { certificate, key };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
