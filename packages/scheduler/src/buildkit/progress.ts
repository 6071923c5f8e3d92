/**
 * Reads what `buildctl --progress rawjson` writes on stderr: one JSON record a line, among lines that are not
 * JSON (BUILDKIT.md 7). Streaming, in memory that does not grow with the output.
 *
 * Gives step events, the text of the log file, and what a failure is made of. Unaware of what the failure
 * means (failure.ts) and of files.
 */
import type { StepEvent } from './model.ts';
import { Tail } from './tail.ts';
import { harmlessName, shortened } from './text.ts';

/** gRPC messages end at 16 MiB (BuildKit, util/appdefaults), in base64 and JSON some 22: a longer line is no
 * record of BuildKit's. */
const RECORD_BYTES = 32 * 1024 * 1024;
/** Of other lines. The `error:` line repeats a whole heredoc. */
const PLAIN_BYTES = 64 * 1024;
const PLAIN_LINES = 400;
/** Lines kept of a step, in case it fails. */
const TAIL_LINES = 50;
const NAME_LENGTH = 200;
const NEWLINE = 0x0a;
const BRACE = 0x7b;

/** A step that failed, as BuildKit tells. */
export interface StepError {
  /** Vertex digest. */
  readonly id: string;
  /** `[build 5/7] RUN make`, on one line. */
  readonly name: string;
  readonly error: string;
  readonly tail: readonly string[];
}

/** A remark of BuildKit's lint. */
export interface LintWarning {
  readonly text: string;
  /** 1-based line of the Containerfile. */
  readonly line: number | null;
}

/** What is left when the stream has ended. */
export interface ProgressSummary {
  /** In the order they failed. */
  readonly errors: readonly StepError[];
  /** Lines that were not JSON, the last 400, each cut at 64 KiB. */
  readonly plain: readonly string[];
  readonly warnings: readonly LintWarning[];
}

export interface ProgressSinks {
  /** Bytes for the log file, in order. */
  readonly log: (bytes: Buffer | string) => void;
  readonly onStep: (step: StepEvent) => void;
}

interface Vertex {
  readonly number: number;
  readonly name: string;
  running: boolean;
  /** It ended well: nobody will ask for its last lines. */
  done: boolean;
  tail: Tail | null;
}

/** rawjson as far as we read it (client.SolveStatus). All of it comes from another process: nothing is
 * taken for granted. */
interface RawRecord {
  readonly vertexes?: readonly RawVertex[];
  readonly logs?: readonly { readonly vertex?: string; readonly data?: string }[];
  readonly warnings?: readonly {
    readonly short?: string;
    readonly range?: readonly { readonly start?: { readonly line?: number } }[];
  }[];
}

interface RawVertex {
  readonly digest?: string;
  readonly name?: string;
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: boolean;
  readonly error?: string;
}

export class ProgressReader {
  readonly #sinks: ProgressSinks;
  readonly #vertexes = new Map<string, Vertex>();
  readonly #errors = new Map<string, Omit<StepError, 'tail'>>();
  readonly #warnings: LintWarning[] = [];
  readonly #plain: string[] = [];
  /** The line that has begun, in pieces. */
  #pieces: Buffer[] = [];
  #size = 0;
  /** The step whose output the log file shows now, and whether its last line is complete. */
  #shown: string | null = null;
  #atLineStart = true;
  /** The end of the step that is shown, not written yet: of a step that prints much, output comes after its end. */
  #ending: string | null = null;

  constructor(sinks: ProgressSinks) {
    this.#sinks = sinks;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#keep(chunk.subarray(start, end < 0 ? undefined : end));
      if (end < 0) return;
      this.#endLine();
      start = end + 1;
    }
  }

  end(): ProgressSummary {
    if (this.#size > 0) this.#endLine();
    this.#writeEnding();
    if (!this.#atLineStart) this.#sinks.log('\n');
    // Of what failed, output may have come after its end: its last lines are known only now.
    const errors = [...this.#errors.values()].map((error): StepError => {
      const { tail } = this.#known(error.id, undefined);
      return { ...error, tail: tail?.lines() ?? [] };
    });
    return { errors, plain: this.#plain, warnings: this.#warnings };
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    const first = this.#pieces[0] ?? piece;
    const room = (first[0] === BRACE ? RECORD_BYTES : PLAIN_BYTES) - Math.min(this.#size, RECORD_BYTES);
    if (room > 0) this.#pieces.push(piece.subarray(0, room));
    this.#size += piece.length;
  }

  #endLine(): void {
    const line =
      this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    const size = this.#size;
    this.#pieces = [];
    this.#size = 0;
    if (line[0] === BRACE && size <= RECORD_BYTES) {
      const record = parseRecord(line);
      if (record !== null) {
        this.#take(record);
        return;
      }
    }
    if (line[0] === BRACE && size > RECORD_BYTES) {
      this.#line(`[stx-make: a progress record of ${size} bytes was left out]`);
      return;
    }
    const text = line.subarray(0, PLAIN_BYTES).toString('utf8');
    this.#plain.push(text);
    if (this.#plain.length > PLAIN_LINES) this.#plain.shift();
    this.#line(text);
  }

  #take(record: RawRecord): void {
    for (const raw of list(record.vertexes)) this.#vertex(raw);
    for (const log of list(record.logs)) {
      if (typeof log.vertex !== 'string' || typeof log.data !== 'string') continue;
      this.#output(log.vertex, Buffer.from(log.data, 'base64'));
    }
    for (const raw of list(record.warnings)) {
      const line = raw.range?.[0]?.start?.line;
      const text = harmlessName(Buffer.from(String(raw.short ?? ''), 'base64').toString('utf8'));
      // A lint of a large file can say much; a few are enough to act on, the log has them all.
      if (this.#warnings.length < 100)
        this.#warnings.push({ text, line: typeof line === 'number' ? line : null });
      this.#line(`WARNING: ${text}${typeof line === 'number' ? ` (Containerfile:${line})` : ''}`);
    }
  }

  /** A vertex is sent again whenever it changes, with all it has; it can also begin anew after its end. */
  #vertex(raw: RawVertex): void {
    if (typeof raw.digest !== 'string') return;
    const vertex = this.#known(raw.digest, raw.name);
    if (raw.started !== undefined && !vertex.running && (raw.completed === undefined || raw.error)) {
      this.#begin(raw.digest, vertex);
    } else if (raw.started !== undefined && raw.cached === true && !vertex.running) {
      this.#begin(raw.digest, vertex);
    }
    if (raw.completed === undefined || !vertex.running) return;
    vertex.running = false;
    const error = typeof raw.error === 'string' && raw.error !== '' ? raw.error : null;
    let text = `#${vertex.number} ${raw.cached === true ? 'CACHED' : 'DONE'}`;
    if (error === null) {
      vertex.done = true;
      vertex.tail = null;
    } else {
      this.#errors.set(raw.digest, { id: raw.digest, name: vertex.name, error });
      text = `#${vertex.number} ERROR: ${error}`;
    }
    if (this.#shown === raw.digest) this.#ending = text;
    else this.#line(text);
    this.#sinks.onStep({ type: 'finished', id: raw.digest, cached: raw.cached === true, error });
  }

  #known(id: string, name: string | undefined): Vertex {
    const known = this.#vertexes.get(id);
    if (known !== undefined) return known;
    const vertex: Vertex = {
      number: this.#vertexes.size + 1,
      name: shortened(harmlessName(typeof name === 'string' ? name : ''), NAME_LENGTH),
      running: false,
      done: false,
      tail: null,
    };
    this.#vertexes.set(id, vertex);
    return vertex;
  }

  #begin(id: string, vertex: Vertex): void {
    vertex.running = true;
    vertex.done = false;
    this.#header(id, vertex);
    this.#sinks.onStep({ type: 'started', id, name: vertex.name });
  }

  #output(id: string, data: Buffer): void {
    if (data.length === 0) return;
    const vertex = this.#known(id, undefined);
    if (!vertex.done) {
      vertex.tail ??= new Tail(TAIL_LINES);
      vertex.tail.push(data);
    }
    if (this.#shown !== id) this.#header(id, vertex);
    this.#sinks.log(data);
    this.#atLineStart = data.at(-1) === NEWLINE;
  }

  #header(id: string, vertex: Vertex): void {
    this.#line(`#${vertex.number} ${vertex.name}`);
    this.#shown = id;
  }

  #writeEnding(): void {
    const ending = this.#ending;
    this.#ending = null;
    if (ending !== null) this.#line(ending);
  }

  /** A line of ours in the log; a step's unfinished line is ended first, so that ours begins a line. */
  #line(text: string): void {
    this.#writeEnding();
    this.#sinks.log(`${this.#atLineStart ? '' : '\n'}${text}\n`);
    this.#atLineStart = true;
    this.#shown = null;
  }
}

function list<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

/** Null where the line is no JSON object: buildctl's own messages and what libraries print. */
function parseRecord(line: Buffer): RawRecord | null {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawRecord) : null;
  } catch {
    return null;
  }
}
