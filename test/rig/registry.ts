/**
 * A real registry on loopback (Debian's docker-registry), with its own folder, gone with the test.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class TestRegistry implements AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(host: string, child: ChildProcess, folder: string) {
    this.host = host;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(): Promise<TestRegistry> {
    const folder = mkdtempSync(join(tmpdir(), 'stx-registry-'));
    const config = join(folder, 'config.yml');
    const storage = `storage: {filesystem: {rootdirectory: ${folder}}, delete: {enabled: true}}`;
    // Port 0: the kernel chooses one that is free.
    writeFileSync(config, `version: 0.1\n${storage}\nhttp: {addr: '127.0.0.1:0'}\n`);
    const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    const host = await new Promise<string>((resolve, reject) => {
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
    return new TestRegistry(host, child, folder);
  }

  /** Pushes a layout as upstream publishes: everything, digests kept. */
  push(layout: string, repository: string): void {
    const to = `docker://${this.host}/${repository}:latest`;
    const flags = ['--all', '--preserve-digests', '--dest-tls-verify=false'];
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

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
