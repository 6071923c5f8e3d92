/**
 * The rules of how the sources hang together, as tables and one function: layers, a home for every library,
 * a core without side effects, files that a person can read. Pure; what is read is in source.ts.
 */
import { posix } from 'node:path';
import type { Source } from './source.ts';

/** What a package may import of the others. cli -> scheduler -> core, never back. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  scheduler: ['core'],
  cli: ['scheduler', 'core'],
};

/** Each library and each powerful module of Node, and the one folder that knows it. Others ask that folder. */
const HOMES: Readonly<Record<string, string>> = {
  '@iarna/toml': 'packages/core/src/recipe',
  graphology: 'packages/core/src/graph',
  'graphology-dag': 'packages/core/src/graph',
  'graphology-types': 'packages/core/src/graph',
  'p-queue': 'packages/scheduler/src/run',
  execa: 'packages/scheduler/src/process',
  'node:child_process': 'packages/scheduler/src/process',
  'node:sqlite': 'packages/scheduler/src/state',
  '@viz-js/viz': 'packages/cli/src/page',
  chokidar: 'packages/cli/src/watch',
  ink: 'packages/cli/src/tui',
  react: 'packages/cli/src/tui',
  yaml: 'packages/cli/src/ci',
  'string-width': 'packages/cli/src/text',
};

/** What of Node the core may use: nothing that reads or changes the world. */
const CORE_MODULES = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:util']);

/** Globals that would make the core depend on when and where it runs. */
const CORE_GLOBALS =
  /^(process\.|console\.|performance\.|globalThis\.process|Date\.now$|new Date\(\)$|Math\.random$|crypto\.(getRandomValues|randomUUID|randomBytes|randomInt)$|(fetch|setTimeout|setInterval|setImmediate|queueMicrotask|randomUUID|randomBytes|randomInt)\(\)$)/;

/** Sorting by locale gives another order on another machine; core/src/order.ts is the order of everything. */
const LOCALE = /(^|\.)(localeCompare|toLocaleLowerCase|toLocaleUpperCase)$|^Intl\.Collator$/;

const MAX_LINES = 350;

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Tests and their helpers may use what is for development only, files and processes. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$|\/testing\/|^(test|bench|tools)\/|^[^/]+$/.test(path);
}

/** Every breach in one file, in the order of lines. */
export function violations(source: Source): Violation[] {
  const found: Violation[] = [];
  const report = (line: number, text: string): void => {
    found.push({ path: source.path, line, text });
  };
  for (const { specifier, line } of source.mentions) {
    const text =
      specifier === null ? 'a computed import: nobody can say what it loads' : breach(source.path, specifier);
    if (text !== undefined) report(line, text);
  }
  const pure = packageOf(source.path) === 'core' && !isTest(source.path);
  for (const { name, line } of source.uses) {
    if (pure && CORE_GLOBALS.test(name))
      report(line, `${name}: core has no clock, no chance and no process; take it as a parameter`);
    if (LOCALE.test(name)) report(line, `${name} depends on the locale; use core/src/order.ts`);
  }
  const lines = source.text.split('\n').length - 1;
  if (lines > MAX_LINES)
    report(MAX_LINES + 1, `${lines} lines; ${MAX_LINES} are the most that is read in one go`);
  if (!/^(#![^\n]*\n)?\s*\/[*/]/.test(source.text)) report(1, 'does not begin by saying what it is');
  // `process.env.X` is also a use of `process.env`: one breach a line and a rule is enough to go there.
  const seen = new Set<string>();
  const first = found.filter(({ line, text }) => {
    const key = `${line} ${text.replace(/^.*?: core has/, 'core has')}`;
    return !seen.has(key) && seen.add(key);
  });
  return first.sort((a, b) => a.line - b.line);
}

function breach(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relativeBreach(path, posix.join(posix.dirname(path), specifier));
  const own = /^@stx-make\/([^/]+)/.exec(specifier)?.[1];
  if (own !== undefined) return layerBreach(path, own);
  return libraryBreach(path, specifier);
}

/** A relative path stays in its package; tests may reach the rig in test/, and test/, bench/, tools/ anything. */
function relativeBreach(path: string, target: string): string | undefined {
  const from = packageOf(path);
  if (from === undefined) return undefined;
  const to = packageOf(target);
  if (to === from) {
    return !isTest(path) && isTest(target) ? `${target} is for tests only` : undefined;
  }
  if (to !== undefined) return `reaches into packages/${to} by path; import @stx-make/${to}`;
  return isTest(path) && target.startsWith('test/') ? undefined : `reaches out of its package to ${target}`;
}

function layerBreach(path: string, own: string): string | undefined {
  const from = packageOf(path);
  if (LAYERS[own] === undefined) return `@stx-make/${own} does not exist`;
  if (from === undefined || LAYERS[from]?.includes(own) === true) return undefined;
  return `packages/${from} must not know @stx-make/${own}: cli -> scheduler -> core, never back`;
}

function libraryBreach(path: string, specifier: string): string | undefined {
  const name = libraryName(specifier);
  const home = HOMES[name];
  // Tests may use the real thing beside ours, and parts of Node that are kept to one folder.
  if (isTest(path) && (home === undefined || name.startsWith('node:'))) return undefined;
  if (isTest(path) && packageOf(path) === undefined) return undefined;
  if (name.startsWith('node:')) {
    if (packageOf(path) === 'core' && !CORE_MODULES.has(name)) return `core must not know ${name}`;
    if (home === undefined || isIn(path, home)) return undefined;
    return `${name} is known in ${home} only`;
  }
  if (home === undefined) return `${name} has no home in HOMES (test/unit/structure/rules.ts)`;
  return isIn(path, home) ? undefined : `${name} is known in ${home} only`;
}

/** `@scope/name` or `name`; of Node's modules always with `node:`, where `fs/promises` is `node:fs`. */
export function libraryName(specifier: string): string {
  const parts = specifier.split('/');
  if (specifier.startsWith('@')) return parts.slice(0, 2).join('/');
  return parts[0] ?? specifier;
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

/** Libraries that have a home but that no package depends on any more, and the other way round. */
export function homeless(dependencies: readonly string[]): string[] {
  const homes = Object.keys(HOMES).filter((name) => !name.startsWith('node:'));
  const wanted = dependencies.filter((name) => !name.startsWith('@stx-make/') && !name.startsWith('@types/'));
  return [
    ...homes.filter((name) => !wanted.includes(name)).map((name) => `${name}: no package depends on it`),
    ...wanted.filter((name) => !homes.includes(name)).map((name) => `${name}: has no home in HOMES`),
  ].sort();
}
