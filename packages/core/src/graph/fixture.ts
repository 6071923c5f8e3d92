/**
 * Trees for tests, written as text. Not part of the program.
 */
import { type LoadOptions, type LoadResult, loadTree } from './load.ts';
import type { LoadedTree, RecipeFolder } from './model.ts';

/** `<stage>/<name>` -> [package.toml, Containerfile]; null where there is none. A string alone is the
 * Containerfile, beside a package.toml with name and version 1.0. */
export type TreeText = Readonly<Record<string, string | readonly [string | null, string | null]>>;

export function folders(tree: TreeText): RecipeFolder[] {
  return Object.entries(tree).map(([id, text]) => {
    const [stage = '', name = ''] = id.split('/');
    const [toml, containerfile] = typeof text === 'string' ? [packageToml(name), text] : text;
    return {
      stage,
      name,
      dir: `packages/${id}`,
      packageToml: toml === null ? null : Buffer.from(toml),
      containerfile: containerfile === null ? null : Buffer.from(containerfile),
    };
  });
}

export function packageToml(name: string, rest = ''): string {
  return `[package]\nname = "${name}"\nversion = "1.0"\n${rest}`;
}

/** A Containerfile that copies from these targets, one a line, from line 2 on. */
export function copies(...targets: readonly string[]): string {
  return `FROM scratch\n${targets.map((target) => `COPY --from=stagex/${target} . /\n`).join('')}`;
}

export function load(tree: TreeText, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  return loadTree(folders(tree), { platform: 'linux/amd64', ...options });
}

/** The tree of a text that has no errors. */
export async function loaded(tree: TreeText, options: Partial<LoadOptions> = {}): Promise<LoadedTree> {
  const result = await load(tree, options);
  if (result.tree === null) throw new Error(JSON.stringify(result.problems, null, 2));
  return result.tree;
}
