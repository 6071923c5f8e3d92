/**
 * The licence texts of the libraries in a bundle, as one document. Found from the bundled files' paths; knows
 * nothing of the bundler.
 */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** `node_modules/<name>/` or `node_modules/@scope/<name>/`, the innermost one. */
const PACKAGE_FOLDER = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;
/** Libraries that hold others, compiled, and ship no file that says so. */
const INSIDE: Readonly<Record<string, string>> = {
  '@viz-js/viz':
    'Copyright (c) Michael Daines. Contains Graphviz (EPL-2.0, source: graphviz.org) and Expat (MIT, source: libexpat.github.io), compiled to WebAssembly.',
};
const LICENCE_FILE = /^(licen[sc]e|notice|copying)(\.(md|txt))?$/i;

/**
 * @param root where `inputs` are relative to.
 * @returns one block a library, sorted, each with name, version, licence and the full text.
 * @throws Error where a library says nothing of its licence: then it must not be shipped unseen.
 */
export async function licenceTexts(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = PACKAGE_FOLDER.exec(input)?.[1];
    if (folder !== undefined) folders.add(join(root, folder));
  }
  const blocks = await Promise.all([...folders].map(licenceOf));
  blocks.sort();
  return `stx-make contains these libraries:\n\n${blocks.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

async function licenceOf(folder: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest as { name?: string; version?: string; license?: string };
  // A package may have folders with package.json files of their own, which only say what kind of modules they hold.
  if (name === undefined || version === undefined) return await licenceOf(dirname(folder));
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} names no licence`);
  const inside = INSIDE[name];
  if (inside !== undefined) texts.push(inside);
  return `${name} ${version} (${license ?? 'see below'})\n\n${texts.join('\n\n').trim()}\n`;
}
