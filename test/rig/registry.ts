/**
 * A real registry on loopback (Debian's docker-registry), with its own folder, gone with the test.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RegistryOptions {
  /** Only `USER`/`PASSWORD` may do anything (a login of htpasswd). */
  readonly login?: boolean;
  /** Tokens are wanted, and had at `realm`; they are signed by `authority` (PEM). */
  readonly tokens?: { readonly realm: string; readonly authority: string };
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
}

/** The one login of a registry with `login`. A colon, as passwords may have. */
export const USER = 'builder';
export const PASSWORD = 'a:secret';
/** bcrypt of PASSWORD, at the least cost there is. */
const HTPASSWD = `${USER}:$2b$04$abcdefghijklmnopqrstuua4N8fNiWEz07oDt5gQqvWR8Z.VJUoOm\n`;

export class TestRegistry implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: RegistryOptions;
  #host = '127.0.0.1:0';
  #child: ChildProcess | null = null;

  private constructor(folder: string, options: RegistryOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(mkdtempSync(join(tmpdir(), 'stx-registry-')), options);
    await registry.restart();
    return registry;
  }

  /** `127.0.0.1:<port>`, the same after a restart. */
  get host(): string {
    return this.#host;
  }

  /** Starts it, with what it had. */
  async restart(): Promise<void> {
    const config = join(this.#folder, 'config.yml');
    const storage = `storage: {filesystem: {rootdirectory: ${this.#folder}}, delete: {enabled: true}}`;
    const { login, tls, tokens } = this.#options;
    const files = tls && [`certificate: ${tls.certificate}`, `key: ${tls.key}`];
    if (tls?.clientAuthority !== undefined) files?.push(`clientcas: [${tls.clientAuthority}]`);
    const secure = files ? `, tls: {${files.join(', ')}}` : '';
    const passwords = join(this.#folder, 'htpasswd');
    writeFileSync(passwords, HTPASSWD);
    const auth =
      login === true
        ? `auth: {htpasswd: {realm: test, path: ${passwords}}}\n`
        : tokens !== undefined
          ? `auth: {token: {realm: '${tokens.realm}', service: registry, issuer: test, rootcertbundle: ${tokens.authority}}}\n`
          : '';
    // Port 0: the kernel chooses one that is free.
    writeFileSync(config, `version: 0.1\n${storage}\nhttp: {addr: '${this.#host}'${secure}}\n${auth}`);
    const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#host = await new Promise<string>((resolve, reject) => {
      let said = '';
      const hear = (piece: Buffer): void => {
        said += piece.toString();
        const port = /listening on 127\.0\.0\.1:([0-9]+)/.exec(said)?.[1];
        if (port !== undefined) resolve(`127.0.0.1:${port}`);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`docker-registry ended:\n${said}`)));
    });
  }

  /** As a crash. What it has stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Pushes a layout as upstream publishes: everything, digests kept. */
  push(layout: string, repository: string): void {
    const to = `docker://${this.host}/${repository}:latest`;
    const login = this.#options.login === true ? [`--dest-creds=${USER}:${PASSWORD}`] : [];
    const flags = ['--all', '--preserve-digests', '--dest-tls-verify=false', ...login];
    execFileSync('skopeo', ['copy', ...flags, `oci:${layout}`, to], { stdio: 'pipe' });
  }

  /** Where the registry keeps a blob. */
  blobPath(digest: string): string {
    const hex = digest.slice('sha256:'.length);
    return join(this.#folder, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  }

  /** Digests of all blobs it has. */
  blobs(): string[] {
    const root = join(this.#folder, 'docker/registry/v2/blobs/sha256');
    return readdirSync(root).flatMap((two) => readdirSync(join(root, two)).map((hex) => `sha256:${hex}`));
  }

  /** Tags of a repository; none where there is no such repository. */
  tags(repository: string): string[] {
    const root = join(this.#folder, 'docker/registry/v2/repositories', repository, '_manifests/tags');
    try {
      return readdirSync(root).sort();
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
