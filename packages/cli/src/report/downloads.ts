/**
 * Downloads as people see them: on a terminal one line that changes, with the sum and the rate; elsewhere one line
 * for each file that is done.
 */
import type { CommandContext } from '../context.ts';
import { bytes } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { fit } from '../text/width.ts';

/** How far one file is; the scheduler's SourceProgress. */
export interface Download {
  readonly sha256: string;
  readonly file: string;
  readonly url: string;
  readonly received: number;
  readonly total: number | null;
  readonly done: boolean;
}

/** Redrawn at most this often, ms. */
const REDRAW_MS = 100;

export class DownloadLine {
  readonly #context: CommandContext;
  readonly #live: boolean;
  readonly #files = new Map<string, Download>();
  readonly #began: number;
  #drawn = 0;
  #dirty = false;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#live = context.terminal.view === 'tui';
    this.#began = context.io.clock();
  }

  take(download: Download): void {
    this.#files.set(download.sha256, download);
    if (!this.#live) {
      if (download.done) {
        const { file, received, url } = download;
        this.#context.output.print(`${sanitizeLine(file)}  ${bytes(received)}  ${sanitizeLine(url)}`);
      }
      return;
    }
    const now = this.#context.io.clock();
    if (now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    this.#draw(now);
  }

  /** Removes the line. */
  close(): void {
    if (this.#dirty) this.#context.output.stream.write('\r\x1b[K');
    this.#dirty = false;
  }

  #draw(now: number): void {
    let received = 0;
    let total = 0;
    let open = 0;
    let name = '';
    for (const file of this.#files.values()) {
      received += file.received;
      total += file.total ?? file.received;
      if (file.done) continue;
      open += 1;
      name = file.file;
    }
    const rate = received / Math.max(0.001, (now - this.#began) / 1_000);
    const { columns = 80 } = this.#context.io.stdout;
    const share = total === 0 ? 0 : Math.min(1, received / total);
    const bar = `${'#'.repeat(Math.round(share * 20))}${'.'.repeat(20 - Math.round(share * 20))}`;
    const text = `[${bar}] ${bytes(received)} of ${bytes(total)}, ${bytes(rate)}/s, ${open} under way: ${sanitizeLine(name)}`;
    this.#context.output.stream.write(`\r\x1b[K${fit(text, Math.max(10, columns - 1)).trimEnd()}`);
    this.#dirty = true;
  }
}
