/**
 * Bundles the sources into packages/cli/dist: what `./run` executes and `npm pack` ships. Node runs .ts
 * itself but not .tsx, and one small set of files starts faster than hundreds.
 *
 *   dist/stx-make.js            the starter: checks Node's version, keeps compiled code
 *   dist/chunks/<name>-<hash>.js  everything else; what a command does not need it does not load
 *   dist/compiled/              code that Node compiled, kept by the starter; not shipped
 *   dist/LICENSES.txt           the licences of the libraries inside
 *
 * Chunks carry the hash of their content, and the starter is put in place last, by a rename: a stx-make that
 * has been running for hours still finds the chunks of its own build. Knows nothing of what it bundles.
 *
 * usage: node tools/bundle.ts [--clean]   --clean: nothing but this build is left in dist (for npm pack)
 */
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as util from 'node:util';
import { build, type Metafile, type Plugin } from 'esbuild';
import { licenceTexts } from './licences.ts';
import { bundlePage } from './page.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = join(ROOT, 'packages', 'cli');
const DIST = join(CLI, 'dist');

/** Chunks of earlier builds are kept this long: the longest known run, a full StageX build, takes 42 hours. */
const KEEP_CHUNKS_MS = 4 * 24 * 60 * 60 * 1000;

/** CommonJS libraries `require` Node's modules, which an ES module can not; this answers them. */
const builtinsForCommonJs: Plugin = {
  name: 'builtins-for-commonjs',
  setup(api) {
    api.onResolve({ filter: /.*/ }, (args) =>
      args.kind === 'require-call' && isBuiltin(args.path)
        ? { path: args.path, namespace: 'builtin-for-commonjs', sideEffects: false }
        : undefined,
    );
    api.onLoad({ filter: /.*/, namespace: 'builtin-for-commonjs' }, (args) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(args.path)});`,
      loader: 'js',
    }));
  },
};

/** Modules whose `import` is dear: it evaluates every getter of theirs, which loads some forty more. */
const LEAN: ReadonlyMap<string, object> = new Map<string, object>([
  ['node:crypto', crypto],
  ['node:fs', fs],
  // Has a getter for WebSocket, which loads all of undici: 100 ms of every run that builds (measured).
  ['node:http', http],
  ['node:util', util],
]);
/** Loaded by the first call of one of its functions: 8 ms, and a `world` with nothing to do hashes nothing. */
const LATE = 'node:crypto';

/** The modules of LEAN without their `import`, each name that is used got by itself: saves 10 ms of a `world` with
 * nothing to do (measured), and node:crypto's 8. */
const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  setup(api) {
    api.onResolve({ filter: /^(node:)?(crypto|fs|http|util)$/ }, ({ path, kind }) =>
      kind === 'import-statement'
        ? { path: path.startsWith('node:') ? path : `node:${path}`, namespace: 'lean', sideEffects: false }
        : undefined,
    );
    api.onLoad({ filter: /.*/, namespace: 'lean' }, ({ path }) => {
      const module = `process.getBuiltinModule(${JSON.stringify(path)})`;
      const lines = Object.keys(LEAN.get(path) ?? {}).map((name) => {
        if (name === 'default') return `export default /* @__PURE__ */ (() => ${module})();`;
        return path === LATE && /^[a-z]/.test(name)
          ? `export const ${name} = (...args) => ${module}.${name}(...args);`
          : `export const ${name} = /* @__PURE__ */ (() => ${module}.${name})();`;
      });
      return { contents: lines.join('\n'), loader: 'js' };
    });
  },
};

/** What every command loads: all that main.ts imports. */
const ALWAYS = ['commands/table.ts', 'process/start.ts', 'services-real.ts'];
/** What most commands need, gathered in early.ts. */
const EARLY = 'early.ts';
/** Commands that need nothing of it and answer without. */
const BEFORE_EARLY = /\/(early|version|commands\/(help|completion))\.ts$/;

/**
 * Fewer, larger chunks. esbuild makes a chunk of what the same entries need, and each dynamic import is an entry: some
 * thirty chunks for one `world`, at 1 to 2 ms each. So what is imported dynamically is made to import what is there
 * already by then: all of ALWAYS becomes one chunk, and all of EARLY another.
 */
const gather: Plugin = {
  name: 'gather',
  setup(api) {
    const dynamic = new Set<string>();
    const source = (name: string): string => `import ${JSON.stringify(join(CLI, 'src', name))};\n`;
    api.onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, ...args }) => {
      if (kind !== 'dynamic-import' || pluginData === gather) return undefined;
      const found = await api.resolve(path, { ...args, kind, pluginData: gather });
      if (found.namespace === 'file' && found.path.startsWith(ROOT)) dynamic.add(found.path);
      return found;
    });
    // A module that is also imported plainly may have been loaded before its dynamic import is seen, so by name.
    api.onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.tsx?$/ }, async ({ path }) => {
      if (!dynamic.has(path)) return undefined;
      const names = BEFORE_EARLY.test(path) ? ALWAYS : [...ALWAYS, EARLY];
      const contents = names.map(source).join('') + (await readFile(path, 'utf8'));
      return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
  },
};

interface Patch {
  /** The file, as the end of its path. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const PATCHES: readonly Patch[] = [
  // Ink turns developer tools on where DEV=true is set, which users set for things of their own.
  { file: '/node_modules/ink/build/ink.js', from: "process.env['DEV'] === 'true'", to: 'false' },
  { file: '/node_modules/ink/build/reconciler.js', from: "process.env['DEV'] === 'true'", to: 'false' },
  // The first segmenter of a process costs 24 ms (measured), a quarter of a `world` with nothing to do, and
  // plain ASCII never asks it anything.
  {
    file: '/node_modules/string-width/index.js',
    from: 'const segmenter = new Intl.Segmenter();',
    to: 'let made;\nconst segmenter = {segment: text => (made ??= new Intl.Segmenter()).segment(text)};',
  },
];

/** Changes in libraries, for reasons of ours alone. One that no longer fits its library stops the build. */
const patches: Plugin = {
  name: 'patches',
  setup(api) {
    api.onLoad(
      { filter: /\/node_modules\/(ink\/build\/(ink|reconciler)|string-width\/index)\.js$/ },
      async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const { from, to } of PATCHES.filter(({ file }) => path.endsWith(file))) {
          if (!contents.includes(from)) throw new Error(`${path} no longer has ${from}: look at PATCHES`);
          contents = contents.replaceAll(from, to);
        }
        return { contents, loader: 'js' };
      },
    );
  },
};

/**
 * The starter must also be understood by a Node that is too old to run the rest. Compiled code is kept beside
 * the chunks, which saves 7 % of a `plan` (measured: 108 to 101 ms); where that folder can not be written Node
 * goes on without, and it never is one that others may write to.
 */
function starter(main: string): string {
  return `#!/usr/bin/env node
// Starts stx-make where Node is new enough. Written by tools/bundle.ts.
import * as nodeModule from 'node:module';
import * as url from 'node:url';
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('error: stx-make needs Node 24 or newer, this is ' + process.versions.node + ': install a newer one\\n');
  process.exit(3);
}
nodeModule.enableCompileCache(url.fileURLToPath(new URL('./compiled', import.meta.url)));
await import('./chunks/${main}');
`;
}

/** A hash of the sources that decide what is read out of a recipe: all of core. */
async function readingCode(): Promise<string> {
  const folder = join(ROOT, 'packages', 'core', 'src');
  const files = (await readdir(folder, { recursive: true }))
    .filter((name) => /(?<!\.test)\.ts$/.test(name))
    .sort();
  const hash = crypto.createHash('sha256');
  for (const name of files) hash.update(`${name}\n`).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

async function bundle(outdir: string): Promise<Metafile> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: { main: 'packages/cli/src/main.ts' },
    outdir,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Node knows these; as `new RegExp` they would be compiled at start (30 ms), as literals when first used.
    supported: { 'regexp-unicode-property-escapes': true, 'regexp-set-notation': true },
    jsx: 'automatic',
    // Names and lines stay as written: a stack trace in a bug report must be readable without maps.
    minifySyntax: true,
    legalComments: 'none',
    define: {
      'process.env.NODE_ENV': '"production"',
      // What was read out of recipes by other code than this is read again (scheduler/tree/snapshot.ts).
      __STX_MAKE_BUILD__: JSON.stringify(await readingCode()),
      // What runs in the browser, for `report` and `graph --format html`.
      __STX_MAKE_PAGE__: JSON.stringify(await bundlePage()),
    },
    plugins: [gather, leanBuiltins, builtinsForCommonJs, patches],
    metafile: true,
    logLevel: 'warning',
  });
  if (result.warnings.length > 0) throw new Error('the bundle has warnings; see above');
  return result.metafile;
}

/** Moves what is new into place, the starter last, and drops what is old. Returns the chunks of this build. */
async function install(from: string, main: string, licences: string, clean: boolean): Promise<string[]> {
  const chunks = join(DIST, 'chunks');
  const names = (await readdir(from)).filter((name) => name.endsWith('.js'));
  await mkdir(chunks, { recursive: true });
  for (const name of names) await rename(join(from, name), join(chunks, name));
  await replaceFile(join(DIST, 'LICENSES.txt'), licences, 0o644);
  await replaceFile(join(DIST, 'stx-make.js'), starter(main), 0o755);
  // Compiled from chunks that may be gone; the next start fills it again.
  await rm(join(DIST, 'compiled'), { recursive: true, force: true });
  const now = new Date();
  for (const name of await readdir(chunks)) {
    const path = join(chunks, name);
    if (names.includes(name)) await utimes(path, now, now);
    else if (clean || (await stat(path)).mtimeMs < now.getTime() - KEEP_CHUNKS_MS) await rm(path);
  }
  return names;
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(path), `tmp.${basename(path)}`);
  await writeFile(temporary, text, { mode });
  await chmod(temporary, mode);
  await rename(temporary, path);
}

/** Folders that a killed one left, too; ./run lets one bundler run at a time. */
async function removeWork(): Promise<void> {
  const names = await readdir(DIST);
  const left = names.filter((name) => name.startsWith('tmp.'));
  await Promise.all(left.map((name) => rm(join(DIST, name), { recursive: true, force: true })));
}

await mkdir(DIST, { recursive: true });
await removeWork();
const work = join(DIST, `tmp.${process.pid}`);
try {
  const metafile = await bundle(work);
  const main = Object.keys(metafile.outputs).find((path) =>
    metafile.outputs[path]?.entryPoint?.endsWith('main.ts'),
  );
  if (main === undefined) throw new Error('the bundle has no entry');
  const licences = await licenceTexts(ROOT, Object.keys(metafile.inputs));
  await install(work, basename(main), licences, process.argv.includes('--clean'));
} catch (error) {
  // What esbuild found wrong in the sources is printed already.
  if (!(error instanceof Error && 'errors' in error)) throw error;
  process.exitCode = 1;
} finally {
  await removeWork();
}
