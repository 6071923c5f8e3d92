/**
 * Asks git about the repository a tree lies in. Reads only; never touches the work tree, the index or the network.
 *
 * Unaware of recipes and digests.
 */
import type { Readable } from 'node:stream';
import { environmentProblem, inputProblem, type Problem, ProblemError } from '@stx-make/core/errors';
import { findProgram, start } from '../process/index.ts';

/** A repository, as seen from a tree in it. */
export interface GitTree {
  /** Absolute: the root of the tree of recipes. */
  readonly root: string;
  /** Where that is in the repository: empty, or a path that ends with a slash. */
  readonly prefix: string;
  /** Runs git in the tree's root and gives what it printed. @throws ProblemError `git-failed` (environment) */
  run(args: readonly string[], input?: string): Promise<Buffer>;
}

/** What git's own exit said, for callers that can do without. */
export class GitError extends ProblemError {}

/**
 * @param env of the user; variables that would point git at another repository are left out
 * @throws ProblemError `no-git` (environment: there is no git), `not-a-repository` (input)
 */
export async function openGit(root: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<GitTree> {
  const program = findProgram('git', env);
  if (program === null) {
    throw new ProblemError(
      environmentProblem({
        code: 'no-git',
        text: 'The history of the tree is needed, and there is no program git in PATH.',
        hint: 'Install git.',
      }),
    );
  }
  const run = (args: readonly string[], input?: string): Promise<Buffer> =>
    runGit(program, args, { root, env: gitEnvironment(env), input, signal });
  let prefix: string;
  try {
    prefix = (await run(['rev-parse', '--show-prefix'])).toString('utf8').replace(/\n$/, '');
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const said = error.problems[0]?.text ?? '';
    throw new ProblemError(
      inputProblem({
        code: 'not-a-repository',
        text: `The history of the tree is needed, and git can not read it: ${said}`,
        file: root,
        hint: 'Work in a git clone of the tree.',
      }),
      { cause: error },
    );
  }
  return { root, prefix, run };
}

function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name));
  return {
    ...Object.fromEntries(kept),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    // Replaced objects are another history than the one everybody else sees.
    GIT_NO_REPLACE_OBJECTS: '1',
    // A partial clone would fetch what is missing, without a word.
    GIT_NO_LAZY_FETCH: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}

interface GitCall {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function runGit(program: string, args: readonly string[], call: GitCall): Promise<Buffer> {
  const child = start(program, ['--no-pager', '-c', 'core.quotePath=false', ...args], {
    env: call.env,
    cwd: call.root,
    input: call.input,
    signal: call.signal,
  });
  const [stdout, stderr, exit] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    child.exit,
  ]);
  call.signal?.throwIfAborted();
  if (exit.code === 0) return stdout;
  const said = stderr.toString('utf8').trim() || exit.startError?.message || `it ended with ${exit.code}`;
  throw new GitError(failed(args, said, call.root));
}

function failed(args: readonly string[], said: string, root: string): Problem {
  return environmentProblem({
    code: 'git-failed',
    text: `git ${args[0] ?? ''} said: ${said.slice(0, 1000)}`,
    file: root,
    hint: said.includes('dubious ownership')
      ? 'The folder belongs to another user: allow it with `git config --global --add safe.directory DIR`.'
      : undefined,
  });
}

async function collect(stream: Readable | null): Promise<Buffer> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of (stream ?? []) as AsyncIterable<Buffer>) pieces.push(piece);
  } catch {
    // The child was ended and its pipe with it: its exit says why.
  }
  return Buffer.concat(pieces);
}

/** The full id of a commit. @throws ProblemError `unknown-commit` (input) */
export async function resolveCommit(git: GitTree, name: string): Promise<string> {
  try {
    const text = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
    return text.toString('utf8').trim();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new ProblemError(
      inputProblem({
        code: 'unknown-commit',
        text: `git knows no commit ${JSON.stringify(name)}.`,
        hint: 'Name a branch, a tag or a commit; in a shallow clone `git fetch --unshallow` brings the rest.',
      }),
      { cause: error },
    );
  }
}

/** Contents of objects by their names (ids, or `<commit>:<path>`); null where there is none. Names without newline. */
export async function readObjects(
  git: GitTree,
  names: readonly string[],
): Promise<Map<string, Buffer | null>> {
  const found = new Map<string, Buffer | null>();
  if (names.length === 0) return found;
  const answer = await git.run(['cat-file', '--batch'], `${names.join('\n')}\n`);
  let at = 0;
  for (const name of names) {
    const end = answer.indexOf(0x0a, at);
    const head = answer.toString('utf8', at, end === -1 ? answer.length : end);
    at = end + 1;
    const [, type, digits] = /^[0-9a-f]+ ([a-z]+) ([0-9]+)$/.exec(head) ?? [];
    if (digits === undefined) {
      found.set(name, null);
      continue;
    }
    const size = Number(digits);
    found.set(name, type === 'blob' ? answer.subarray(at, at + size) : null);
    at += size + 1;
  }
  return found;
}
