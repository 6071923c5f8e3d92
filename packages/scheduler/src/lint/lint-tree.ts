/**
 * `lint` over a tree on disk: reads every recipe folder, also those that are skipped and those of a tree that can not be
 * loaded, and asks core's rules.
 *
 * Unaware of how findings are shown.
 */
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allowedImagesOf } from '@stx-make/core/config/allowed';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import { loadTree } from '@stx-make/core/graph/load';
import type { RecipeFolder, TargetGraph } from '@stx-make/core/graph/model';
import { type Finding, lint } from '@stx-make/core/lint/index';
import { byCodeUnit } from '@stx-make/core/order';
import type { SessionOptions } from '../api.ts';
import { platformOf, readTreeConfig } from '../config.ts';
import { errnoOf, throwFileProblem } from '../files/problems.ts';
import { type FoundTree, findTree, isRecipe, recipeCandidates } from '../tree/find.ts';

export interface LintTreeOptions extends SessionOptions {
  /** What was named; empty: the whole tree. Folders without a package.toml can be named, too. */
  readonly terms: readonly string[];
  /** The targets that terms mean. @throws ProblemError */
  readonly select: (graph: TargetGraph, terms: readonly string[]) => readonly string[];
}

export interface LintReport {
  readonly root: string;
  readonly fellBack: boolean;
  readonly findings: readonly Finding[];
  /** Errors and warnings of loading the tree that no finding tells already. */
  readonly problems: readonly Problem[];
}

/** @throws ProblemError: no tree, wrong settings; a selection of a tree that can not be loaded */
export async function lintTree(options: LintTreeOptions): Promise<LintReport> {
  const found = findTree(options);
  const config = await readTreeConfig(found.root, options.env);
  const platform = platformOf(options, config);
  const allowedImages = allowedImagesOf(config);
  const folders = readFolders(found);
  const { tree, problems } = await loadTree(folders, { platform, allowedImages });
  const only =
    options.terms.length === 0 ? undefined : foldersOf(options, folders, tree?.graph ?? null, problems);
  const findings = lint(folders, {
    platform,
    levels: config.lint,
    allowedImages,
    strays: strays(found),
    only,
  });
  return {
    root: found.root,
    fellBack: found.fellBack,
    findings,
    problems: problems.filter((problem) => !isTold(problem, findings)),
  };
}

function readFolders({ root, base }: FoundTree): RecipeFolder[] {
  return recipeCandidates(root, base).flatMap(([stage, name]) => {
    const dir = base === '' ? `${stage}/${name}` : `${base}/${stage}/${name}`;
    if (!isRecipe(join(root, dir))) return [];
    const packageToml = readOrNull(join(root, dir, 'package.toml'));
    const containerfile = readOrNull(join(root, dir, 'Containerfile'));
    return [{ stage, name, dir, packageToml, containerfile }];
  });
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    return throwFileProblem(error, 'read the recipe', path);
  }
}

/** The folders of what was named. */
function foldersOf(
  { terms, select }: LintTreeOptions,
  folders: readonly RecipeFolder[],
  graph: TargetGraph | null,
  problems: readonly Problem[],
): ReadonlySet<string> {
  const skipped = new Map<string, string>();
  for (const { stage, name, dir, packageToml } of folders) {
    if (packageToml !== null) continue;
    for (const spelling of [`${stage}-${name}`, `${stage}/${name}`, dir]) skipped.set(spelling, dir);
  }
  const rest = terms.filter((term) => !skipped.has(term));
  if (rest.length > 0 && graph === null) {
    throw new ProblemError(problems.filter(({ level }) => level === 'error'));
  }
  const names = rest.length === 0 || graph === null ? [] : select(graph, rest);
  const dirs = names.map((name) => graph?.targets.get(name)?.recipe.dir ?? '');
  return new Set([...dirs, ...terms.flatMap((term) => skipped.get(term) ?? [])]);
}

/** Problems of loading that have a rule of their own. */
const TOLD_BY: Readonly<Record<string, Finding['code']>> = {
  'folder-without-package-toml': 'folder-without-package-toml',
  'image-from-outside': 'image-from-outside',
  'bad-image': 'image-from-outside',
  'source-collision': 'source-collision',
  'missing-key': 'unpinned-source',
};

/** Turned off or made a warning, a rule does not make a tree one that builds. */
function isTold(problem: Problem, findings: readonly Finding[]): boolean {
  const code = TOLD_BY[problem.code];
  return findings.some(
    (finding) =>
      finding.code === code &&
      finding.file === problem.file &&
      (problem.level === 'warning' || finding.level === 'error') &&
      (finding.line ?? undefined) === problem.line,
  );
}

/** Folders with a whole recipe at another depth than `<stage>/<name>/`, relative to the root, sorted. */
function strays({ root, base }: FoundTree): string[] {
  const found: string[] = [];
  const visit = (dir: string, depth: number): void => {
    const entries = entriesOf(join(root, dir));
    const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    if (depth !== 2 && files.has('package.toml') && files.has('Containerfile')) found.push(dir);
    for (const entry of entries) {
      // What make downloaded is no recipe, whatever it is.
      if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'fetch') continue;
      visit(`${dir}/${entry.name}`, depth + 1);
    }
  };
  if (base !== '') {
    for (const entry of entriesOf(join(root, base))) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) visit(`${base}/${entry.name}`, 1);
    }
  } else {
    for (const stage of new Set(recipeCandidates(root, base).map(([name]) => name))) visit(stage, 1);
  }
  return found.sort(byCodeUnit);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
