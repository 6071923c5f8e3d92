/**
 * Rules on package.toml: the licence and the sources.
 */
import { matchesContextSource } from '../containerfile/sources.ts';
import type { Report, Rule } from './rule.ts';
import type { Subject } from './subject.ts';

export const sourceRules: readonly Rule[] = [
  { code: 'folder-without-package-toml', check: withoutPackageToml },
  { code: 'missing-license', check: missingLicense },
  { code: 'unpinned-source', check: unpinnedSource },
  { code: 'http-mirror', check: httpMirror },
  { code: 'source-collision', check: sourceCollision },
  { code: 'unused-source', check: unusedSource },
];

function withoutPackageToml({ folder }: Subject, report: Report): void {
  if (folder.packageToml !== null || folder.containerfile === null) return;
  report('Containerfile', null, `${folder.dir} has no package.toml: nobody can build it`);
}

function missingLicense({ document }: Subject, report: Report): void {
  const head = document?.value['package'];
  if (document === null || typeof head !== 'object' || head === null) return;
  const license: unknown = Reflect.get(head, 'license');
  if (typeof license === 'string' && license.trim() !== '') return;
  const key = Object.hasOwn(head, 'license') ? ['package', 'license'] : ['package'];
  report('package.toml', document.place(key).line, 'the package names no license');
}

/** Loading the tree refuses it as well; here it has the policy's name. */
function unpinnedSource({ document }: Subject, report: Report): void {
  const sources = document?.value['sources'];
  if (document === null || typeof sources !== 'object' || sources === null) return;
  for (const [name, source] of Object.entries(sources)) {
    if (typeof source !== 'object' || source === null || Object.hasOwn(source, 'hash')) continue;
    report('package.toml', document.place(['sources', name]).line, `source \`${name}\` is pinned by no hash`);
  }
}

function httpMirror({ recipe }: Subject, report: Report): void {
  for (const { name, mirrors, line } of recipe?.sources ?? []) {
    if (mirrors.length === 0 || mirrors.some((mirror) => !/^http:\/\//i.test(mirror))) continue;
    report('package.toml', line, `source \`${name}\` has no mirror with https`);
  }
}

function sourceCollision({ facts, recipe }: Subject, report: Report): void {
  for (const { code, line, text } of facts.problems) {
    if (code === 'source-collision') report('package.toml', line ?? null, text);
  }
  const first = new Map<string, string>();
  for (const { name, file, line } of recipe?.sources ?? []) {
    const other = first.get(file);
    if (other === undefined) first.set(file, name);
    else report('package.toml', line, `sources \`${other}\` and \`${name}\` are one file, ${file}`);
  }
}

/**
 * A source that no build stage of any target can take: neither out of fetch/ in the context nor out of the context
 * named fetch. Where it can not be told, it is used.
 */
function unusedSource({ recipe, resolved, partial, parsed }: Subject, report: Report): void {
  if (recipe === null || partial || parsed === null) return;
  const named = namedContextFiles(parsed, resolved);
  for (const { name, file, line } of recipe.sources) {
    const taken = resolved.some(({ contextSources }) =>
      contextSources.some((source) => matchesContextSource(source, `fetch/${file}`)),
    );
    if (taken || named === 'any' || named.has(file)) continue;
    report('package.toml', line, `source \`${name}\` (${file}) is downloaded and used by no build stage`);
  }
}

/** The files taken by `COPY --from=fetch`; 'any' where a mount, a variable, a folder or a pattern may take all. */
function namedContextFiles(
  parsed: NonNullable<Subject['parsed']>,
  resolved: Subject['resolved'],
): ReadonlySet<string> | 'any' {
  const lines = new Set<number>();
  for (const { references, unreachableReferences } of resolved) {
    for (const { image, line, kind } of [...references, ...unreachableReferences]) {
      if (image !== 'fetch') continue;
      if (kind !== 'copy') return 'any';
      lines.add(line);
    }
  }
  const files = new Set<string>();
  for (const { instructions } of parsed.stages) {
    for (const instruction of instructions) {
      if (!lines.has(instruction.line)) continue;
      if (instruction.kind !== 'copy') return 'any';
      for (const source of instruction.sources) {
        const path = source.replace(/^(?:\.?\/)+/, '');
        if (path === '' || path === '.' || /[$*?[\\]/.test(path)) return 'any';
        files.add(path);
      }
    }
  }
  return files;
}
