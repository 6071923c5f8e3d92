/** Starts `child-main.ts` and gives what it says. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { WantedSource } from '../../../packages/scheduler/src/sources/index.ts';
import type { Bench } from './bench.ts';

export interface ChildResult {
  readonly ok: boolean;
  readonly outcomes: readonly string[];
}

export async function runChild(
  bench: Bench,
  wanted: readonly WantedSource[],
  env: NodeJS.ProcessEnv,
): Promise<ChildResult> {
  const main = join(import.meta.dirname, 'child-main.ts');
  const child = spawn(process.execPath, [main, JSON.stringify({ sources: bench.state, wanted })], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) text += piece;
  return JSON.parse(text) as ChildResult;
}
