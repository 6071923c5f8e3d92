/**
 * `--shard I/N` and what goes with it, from options and environment to the scheduler's words.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunOptions } from '@stx-make/scheduler/api';
import { sessionOfCi } from '@stx-make/scheduler/shard/session';
import type { OptionValues } from '../args/model.ts';
import type { shardOptions } from '../args/options.ts';
import { variable } from '../io.ts';

export type ShardValues = OptionValues<typeof shardOptions>;

/** A matrix has at most that many jobs (GitHub's limit). */
const MOST_SHARDS = 256;
/** Seconds. */
const SILENCE = 120;

/**
 * @param content of the tree: names the session where nobody else did
 * @throws ProblemError `bad-shard`, `shard-without-remote` (input)
 */
export function shardOf(
  values: ShardValues,
  env: NodeJS.ProcessEnv,
  remote: RunOptions['remote'],
  content: string,
): RunOptions['shard'] {
  if (values.shard === undefined) return null;
  const { index, count } = parseShard(values.shard);
  if (remote?.write !== true) {
    throw new ProblemError(
      inputProblem({
        code: 'shard-without-remote',
        text: '--shard needs a remote that it may write: shards give each other what they build through it.',
        hint: 'Add --remote HOST/PATH --remote-write.',
      }),
    );
  }
  const silence = (values['shard-silence'] ?? SILENCE) * 1_000;
  return { index, count, ...sessionNameOf(values.session, env, content), silence };
}

/** The session's name: given, else the CI system's, else the tree's content, which other runs may have, too. */
export function sessionNameOf(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  content: string,
): { readonly session: string; readonly isOwnSession: boolean } {
  const name = given || variable(env, 'STX_MAKE_SESSION') || sessionOfCi(env);
  return { session: name ?? `tree ${content}`, isOwnSession: name !== null };
}

/** @throws ProblemError `bad-shard` (input) */
export function parseShard(text: string): { readonly index: number; readonly count: number } {
  const [, i = '', n = ''] = /^([0-9]{1,4})\/([0-9]{1,4})$/.exec(text) ?? [];
  const index = Number(i);
  const count = Number(n);
  if (i === '' || index < 1 || index > count || count > MOST_SHARDS) {
    throw new ProblemError(
      inputProblem({
        code: 'bad-shard',
        text: `--shard ${JSON.stringify(text)} is none: it is I/N with 1 <= I <= N <= ${MOST_SHARDS}.`,
        hint: 'For example --shard 3/8: the third of eight.',
      }),
    );
  }
  return { index, count };
}
