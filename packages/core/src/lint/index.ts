/** Policies over a tree. */
export * from './levels.ts';
export { type Finding, type LintOptions, lint } from './lint.ts';
