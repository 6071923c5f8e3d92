/**
 * `lint`: our own policies over a tree, one finding a place. Pure; unaware of selections and of how findings are shown.
 */
import type { RecipeFolder } from '../graph/model.ts';
import { byCodeUnit } from '../order.ts';
import { containerfileRules } from './containerfile-rules.ts';
import { DEFAULT_LEVELS, type LintCode, type LintLevel } from './levels.ts';
import { reachRules } from './reach-rules.ts';
import type { Rule } from './rule.ts';
import { sourceRules } from './source-rules.ts';
import { subjectsOf } from './subject.ts';

export interface Finding {
  readonly code: LintCode;
  readonly level: Exclude<LintLevel, 'off'>;
  /** Relative to the tree's root. */
  readonly file: string;
  /** 1-based; null for the file as a whole. */
  readonly line: number | null;
  readonly text: string;
}

export interface LintOptions {
  /** What is built where a recipe names no platforms. */
  readonly platform: string;
  /** What differs from DEFAULT_LEVELS. */
  readonly levels: ReadonlyMap<LintCode, LintLevel>;
  readonly allowedImages: ReadonlySet<string>;
  /** Folders with a whole recipe in them, at a depth where no recipe is looked for; relative to the root. */
  readonly strays: readonly string[];
  /** Which folders' findings are wanted, by `dir`; undefined: all. Versions may come from any folder. */
  readonly only?: ReadonlySet<string> | undefined;
}

const RULES: readonly Rule[] = [...containerfileRules, ...sourceRules, ...reachRules];

/** All findings of rules that are not off, sorted by file, line, code and text. */
export function lint(folders: readonly RecipeFolder[], options: LintOptions): Finding[] {
  const { levels, allowedImages, only, strays } = options;
  const levelOf = (code: LintCode): LintLevel => levels.get(code) ?? DEFAULT_LEVELS[code];
  const findings: Finding[] = [];
  const add = (code: LintCode, file: string, line: number | null, text: string): void => {
    const level = levelOf(code);
    if (level !== 'off') findings.push({ code, level, file, line, text });
  };
  for (const subject of subjectsOf(folders, options.platform)) {
    const { dir } = subject.folder;
    if (only !== undefined && !only.has(dir)) continue;
    for (const { code, check } of RULES) {
      if (levelOf(code) === 'off') continue;
      check(subject, (file, line, text) => add(code, `${dir}/${file}`, line, text), { allowedImages });
    }
  }
  for (const dir of only === undefined ? strays : []) {
    const text = `${dir} is a recipe where none is looked for: nobody can build it`;
    add('unreachable-target', `${dir}/package.toml`, null, text);
  }
  return findings.sort(
    (a, b) =>
      byCodeUnit(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      byCodeUnit(a.code, b.code) ||
      byCodeUnit(a.text, b.text),
  );
}
