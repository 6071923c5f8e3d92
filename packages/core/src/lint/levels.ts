/**
 * How grave a finding is. Unaware of rules.
 */

/** `off`: the rule is not asked. Only `error` makes `lint` fail. */
export type LintLevel = 'error' | 'warning' | 'off';

export const LINT_LEVELS: readonly LintLevel[] = ['error', 'warning', 'off'];

/** Every rule's code and what it counts as unless the tree's stx-make.toml says otherwise. Errors are what a build would
 * refuse, or what makes it depend on something that is pinned nowhere. */
export const DEFAULT_LEVELS = {
  'duplicate-copy': 'warning',
  'folder-without-package-toml': 'warning',
  'http-mirror': 'warning',
  'image-from-outside': 'error',
  'missing-license': 'warning',
  'run-network': 'warning',
  'source-collision': 'error',
  'syntax-directive': 'error',
  'unpinned-source': 'error',
  'unreachable-stage': 'warning',
  'unreachable-target': 'warning',
  'unused-source': 'warning',
} as const satisfies Readonly<Record<string, LintLevel>>;

export type LintCode = keyof typeof DEFAULT_LEVELS;

export const LINT_CODES = Object.keys(DEFAULT_LEVELS) as readonly LintCode[];

/** Whether a text is a rule's code. */
export function isLintCode(text: string): text is LintCode {
  return Object.hasOwn(DEFAULT_LEVELS, text);
}
