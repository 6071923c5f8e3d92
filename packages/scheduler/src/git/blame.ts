/**
 * Which commit last wrote each line of a file. Unaware of what the lines mean.
 */
import { GitError, type GitTree } from './command.ts';

/** The commit behind a line. */
export type LineCommit =
  | { readonly kind: 'commit'; readonly commit: string }
  /** Written in the work tree, in no commit yet. */
  | { readonly kind: 'uncommitted' }
  /** The history of a shallow clone ends before the commit that wrote it. */
  | { readonly kind: 'cut-off' };

/**
 * By line, from 1, for the file as it is in the work tree.
 * @param path relative to the tree's root
 * @throws ProblemError `git-failed`
 */
export async function blameLines(git: GitTree, path: string): Promise<ReadonlyMap<number, LineCommit>> {
  const shallow = await shallowCommits(git);
  let text: string;
  try {
    const args = ['-c', 'blame.ignoreRevsFile=', 'blame', '--root', '--porcelain', '--', path];
    text = (await git.run(args)).toString('utf8');
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // git blames no file that is in no commit; anything else would also have kept `ls-files` from answering.
    const known = await git.run(['ls-tree', 'HEAD', '--', path]).catch(() => Buffer.alloc(0));
    if (known.length > 0) throw error;
    return new Map();
  }
  const lines = new Map<number, LineCommit>();
  for (const row of text.split('\n')) {
    const [, commit, line] = /^([0-9a-f]{40,64}) [0-9]+ ([0-9]+)(?: [0-9]+)?$/.exec(row) ?? [];
    if (commit === undefined) continue;
    if (/^0+$/.test(commit)) lines.set(Number(line), { kind: 'uncommitted' });
    else if (shallow.has(commit)) lines.set(Number(line), { kind: 'cut-off' });
    else lines.set(Number(line), { kind: 'commit', commit });
  }
  return lines;
}

/** The commits at which a shallow clone ends: git shows them as if they had made everything that is in them. */
async function shallowCommits(git: GitTree): Promise<ReadonlySet<string>> {
  const isShallow = (await git.run(['rev-parse', '--is-shallow-repository'])).toString('utf8').trim();
  if (isShallow !== 'true') return new Set();
  // Only there a commit has no parents here and has some in itself.
  const roots = (await git.run(['rev-list', '--all', 'HEAD', '--max-parents=0'])).toString('utf8');
  return new Set(roots.split('\n').filter((commit) => commit !== ''));
}
