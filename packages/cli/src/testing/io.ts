/** For tests: streams that remember, and an Io made of them. Not part of the program. */
import { PassThrough, Writable } from 'node:stream';
import type { Io } from '../io.ts';

/** A stream that keeps what is written. */
export class Sink extends Writable {
  text = '';
  isTTY = false;
  columns = 80;
  rows = 24;

  override _write(piece: Buffer | string, _encoding: string, done: () => void): void {
    this.text += piece.toString();
    done();
  }
}

export interface TestIo extends Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export function testIo(env: NodeJS.ProcessEnv = {}, cwd = '/'): TestIo {
  let now = 0;
  return { stdin: new PassThrough(), stdout: new Sink(), stderr: new Sink(), env, cwd, clock: () => now++ };
}
