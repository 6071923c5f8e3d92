/**
 * For tests: a program in a real pseudo terminal, with a terminal emulator reading what it writes. Not part of
 * the program.
 *
 * The pseudo terminal is util-linux's script(1); its size is set with stty on the terminal's own device, so the
 * kernel sends SIGWINCH as it does for a window.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunEvent } from '@stx-make/core/events';
import xterm from '@xterm/headless';
import { build } from 'esbuild';

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly words?: readonly string[];
  /** The state folder of another terminal's program. */
  readonly state?: string;
  /** Under a shell with job control, which takes the program to the foreground again after a line was typed. */
  readonly jobControl?: boolean;
}

let bundled: Promise<string> | null = null;

/** The test program as one file, built once a test process: Node does not run .tsx. */
export function program(): Promise<string> {
  bundled ??= (async () => {
    const outdir = mkdtempSync(join(tmpdir(), 'stx-tui-'));
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
    await build({
      entryPoints: [new URL('./program.ts', import.meta.url).pathname],
      bundle: true,
      platform: 'node',
      format: 'esm',
      splitting: true,
      outdir,
      outExtension: { '.js': '.mjs' },
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"production"' },
      external: ['react-devtools-core'],
      banner: {
        js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
      },
      logLevel: 'error',
    });
    return join(outdir, 'program.mjs');
  })();
  return bundled;
}

/** A program that plays a run, in a terminal. */
export class TestTerminal {
  /** Every byte the program wrote. */
  raw = '';
  readonly #emulator: xterm.Terminal;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #server: Server;
  readonly #exit: Promise<number>;
  #socket: Socket | null = null;
  /** Lines the program sent through the socket that nobody waited for yet. */
  readonly #said: string[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(child: ChildProcess, folder: string, server: Server, columns: number, rows: number) {
    this.#child = child;
    this.#folder = folder;
    this.#server = server;
    this.#emulator = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
    this.#exit = new Promise((resolve) => {
      child.once('close', (code) => resolve(code ?? -1));
    });
    child.stdout?.setEncoding('utf8');
    child.stdout?.on('data', (text: string) => {
      this.raw += text;
      this.#emulator.write(text, () => this.#changed());
    });
    server.on('connection', (socket) => {
      this.#socket = socket;
      createInterface({ input: socket }).on('line', (line) => {
        this.#said.push(line);
        this.#changed();
      });
      socket.on('error', () => {});
    });
  }

  static async start(options: TerminalOptions = {}): Promise<TestTerminal> {
    const { columns = 80, rows = 24, words = ['world'] } = options;
    const file = await program();
    const folder = mkdtempSync(join(tmpdir(), 'stx-term-'));
    const server = createServer();
    const socket = join(folder, 's');
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const run = `sh -c 'echo $$ > ${folder}/pid; exec ${process.execPath} ${file} ${words.join(' ')}'`;
    const begin = `tty > ${folder}/tty; stty cols ${columns} rows ${rows}`;
    const command =
      options.jobControl === true ? `${begin}; set -m; ${run}; read line; fg` : `${begin}; exec ${run}`;
    const child = spawn('script', ['-qfec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        SHELL: '/bin/sh',
        ...options.env,
        STX_TEST_SOCKET: socket,
        STX_MAKE_STATE: options.state ?? join(folder, 'state'),
      },
    });
    return new TestTerminal(child, folder, server, columns, rows);
  }

  /** Sends events into the run; resolves when the program has taken them in. */
  async play(events: readonly RunEvent[]): Promise<void> {
    if (this.#socket === null) await this.said('run');
    for (const event of events) this.#socket?.write(`${JSON.stringify(event)}\n`);
    for (const event of events) await this.said(event.type);
  }

  /** Ends the run. */
  end(): void {
    this.#socket?.end();
  }

  /** Waits until the program has sent this line. */
  async said(line: string): Promise<void> {
    await this.#until(() => this.#said.includes(line), `the program to say ${line}`);
    this.#said.splice(this.#said.indexOf(line), 1);
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  resize(columns: number, rows: number): void {
    const tty = readFileSync(join(this.#folder, 'tty'), 'utf8').trim();
    this.#emulator.resize(columns, rows);
    execFileSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
  }

  /** Its state folder: another program can be given it. */
  get state(): string {
    return join(this.#folder, 'state');
  }

  /** Closes the window: the terminal is gone, as when a connection breaks. */
  hangUp(): void {
    this.#child.kill('SIGKILL');
  }

  /** Sends a signal to the program. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Of the program. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder, 'pid'), 'utf8'));
  }

  /** Processor time it has used, ms (proc(5): in ticks of 10 ms). */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return 10 * (Number(stat[11]) + Number(stat[12]));
  }

  /** Waits until the program is stopped (state T of proc(5)). Nothing tells of it, so it is asked for. */
  async stopped(): Promise<void> {
    const state = (): string | undefined =>
      readFileSync(`/proc/${this.pid}/stat`, 'latin1').split(') ')[1]?.charAt(0);
    for (let i = 0; state() !== 'T'; i++) {
      if (i > 400) throw new Error('it was not stopped');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The terminal's modes, as stty names them. */
  modes(): string {
    const tty = readFileSync(join(this.#folder, 'tty'), 'utf8').trim();
    return execFileSync('stty', ['-F', tty, '-a'], { encoding: 'utf8' });
  }

  /** What the window shows, without blank lines at the end. */
  screen(): string[] {
    const buffer = this.#emulator.buffer.active;
    return this.#lines(buffer.baseY, buffer.baseY + this.#emulator.rows);
  }

  /** Everything, the scrollback first. */
  scrollback(): string[] {
    return this.#lines(0, this.#emulator.buffer.active.length);
  }

  #lines(from: number, to: number): string[] {
    const lines: string[] = [];
    for (let y = from; y < to; y++) {
      lines.push(this.#emulator.buffer.active.getLine(y)?.translateToString(true) ?? '');
    }
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** Waits until the screen is as wanted. */
  async shows(
    wanted: (screen: string, lines: readonly string[]) => boolean,
    what = 'the screen',
  ): Promise<void> {
    await this.#until(() => {
      const lines = this.screen();
      return wanted(lines.join('\n'), lines);
    }, what);
  }

  async exited(): Promise<number> {
    return await this.#exit;
  }

  get cursorHidden(): boolean {
    return this.raw.lastIndexOf('\u001b[?25l') > this.raw.lastIndexOf('\u001b[?25h');
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    this.#server.close();
    this.#child.kill('SIGKILL');
    await this.#exit;
    this.#emulator.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** No sleeping: looks again whenever something was written or said. */
  async #until(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`waited in vain for ${what}; the screen:\n${this.screen().join('\n')}`));
      }, 20_000);
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }
}
