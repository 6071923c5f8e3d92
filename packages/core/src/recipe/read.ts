/**
 * A recipe folder's package.toml, read and checked: every field of shared/stagex/README.md, all problems at once.
 *
 * Unaware of Containerfile contents, other recipes and files on disk.
 */
import type { RecipeFolder } from '../graph/model.ts';
import type { RecipeFacts, SourceDraft } from './facts.ts';
import { Fields, FileProblems, type Placed } from './fields.ts';
import type { Recipe } from './model.ts';
import { platformFault } from './platform.ts';
import { expandSources, readSource } from './sources.ts';
import { parseToml } from './toml.ts';
import { RECIPE_VERSION, STAND_IN_VERSION } from './version.ts';

const PACKAGE_KEYS = [
  'name',
  'version',
  'version_from',
  'description',
  'license',
  'website',
  'platforms',
  'subpackages',
];

/** One part of an OCI repository name (distribution-spec, "name"): a target's name becomes one. */
const NAME_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/** Reads one folder. Codes: `folder-without-package-toml` (warning, skipped as upstream does),
 * `recipe-without-containerfile`, `toml-encoding`, `toml-syntax`, `missing-key`, `wrong-type`, `unknown-key` (warning),
 * `name-differs` (warning), `bad-name`, `bad-version`, `version-conflict`, `bad-version-from`, `bad-platform`,
 * `duplicate-entry`, and of sources `bad-hash`, `bad-git-sha`, `bad-placeholder`, `bad-file-name`, `no-file-name`,
 * `bad-mirror`, `no-mirror` (warning), `source-collision`. */
export function readRecipe(folder: RecipeFolder): RecipeFacts {
  const { stage, name, dir, packageToml, containerfile } = folder;
  if (packageToml === null) return withoutPackageToml(folder);
  const file = `${dir}/package.toml`;
  const problems = new FileProblems(file);
  checkFolderNames(folder, problems);
  if (containerfile === null) {
    problems.add('recipe-without-containerfile', null, `${dir} has a package.toml and no Containerfile`);
  }
  const { document, problems: syntax } = parseToml(packageToml, file);
  if (document === null) {
    return { ...NOTHING, gives: [`${stage}-${name}`], problems: [...problems.list, ...syntax] };
  }
  const top = new Fields(document, [], document.value, problems);
  top.onlyKnown(['package', 'sources'], '');
  top.require('package', 'package.toml', 'begin with [package] and a name');
  const head = readPackage(folder, top.table('package'), problems);
  const drafts = readSources(top.table('sources'), problems);
  const sources = head.versionFrom === null ? expandSources(drafts, head.recipe.version, problems) : [];
  return {
    recipe: problems.failed ? null : { ...head.recipe, sources },
    pending: head.versionFrom === null ? [] : drafts,
    gives: givenBy(stage, name, head.recipe.subpackages),
    places: {
      versionFrom: head.versionFrom?.place ?? null,
      gives: head.subpackages.length > 0 ? head.subpackages.map(({ place }) => place) : [null],
    },
    problems: problems.list,
  };
}

const NOTHING: RecipeFacts = {
  recipe: null,
  pending: [],
  gives: [],
  places: { versionFrom: null, gives: [] },
  problems: [],
};

/** Names of the targets a recipe gives. */
export function givenBy(stage: string, name: string, subpackages: readonly string[]): string[] {
  return subpackages.length > 0 ? subpackages.map((part) => `${stage}-${part}`) : [`${stage}-${name}`];
}

function withoutPackageToml({ dir, containerfile }: RecipeFolder): RecipeFacts {
  if (containerfile === null) return NOTHING;
  const problems = new FileProblems(`${dir}/Containerfile`);
  const text = `${dir} has a Containerfile and no package.toml; the folder is skipped`;
  problems.warn('folder-without-package-toml', null, text);
  return { ...NOTHING, problems: problems.list };
}

function checkFolderNames({ stage, name }: RecipeFolder, problems: FileProblems): void {
  for (const part of [stage, name]) {
    if (NAME_PART.test(part)) continue;
    const text = `folder name ${JSON.stringify(part)} can not be part of an image's name`;
    problems.add('bad-name', null, text, NAME_HINT);
  }
}

const NAME_HINT = 'use lower-case letters and digits, with single . or _ or any number of - between them';

interface Head {
  readonly recipe: Recipe;
  readonly versionFrom: Placed<string> | null;
  readonly subpackages: readonly Placed<string>[];
}

function readPackage(
  { stage, name, dir }: RecipeFolder,
  fields: Fields | null,
  problems: FileProblems,
): Head {
  fields?.onlyKnown(PACKAGE_KEYS, ' in [package]');
  fields?.require('name', '[package]');
  const ownName = fields?.string('name') ?? null;
  if (ownName !== null && ownName.value !== name) {
    const text = `the name ${JSON.stringify(ownName.value)} differs from the folder's, ${name}, which counts`;
    problems.warn('name-differs', ownName.place, text);
  }
  const { version, versionFrom } = readVersions(fields, problems);
  const platforms = distinct('platforms', fields?.strings('platforms') ?? [], problems);
  for (const { value, place } of platforms) {
    const fault = platformFault(value);
    if (fault !== null) problems.add('bad-platform', place, fault.text, fault.hint);
  }
  const subpackages = distinct('subpackages', fields?.strings('subpackages') ?? [], problems);
  for (const { value, place } of subpackages) {
    if (NAME_PART.test(value)) continue;
    const text = `subpackage ${JSON.stringify(value)} can not be part of an image's name`;
    problems.add('bad-name', place, text, NAME_HINT);
  }
  return {
    recipe: {
      id: `${stage}/${name}`,
      stage,
      name,
      dir,
      version,
      versionFrom: versionFrom?.value ?? null,
      description: fields?.string('description')?.value ?? null,
      license: fields?.string('license')?.value ?? null,
      website: fields?.string('website')?.value ?? null,
      platforms: platforms.map(({ value }) => value),
      subpackages: subpackages.map(({ value }) => value),
      sources: [],
    },
    versionFrom,
    subpackages,
  };
}

/** The version or where it comes from; a wrong version is replaced by the stand-in. */
function readVersions(
  fields: Fields | null,
  problems: FileProblems,
): { readonly version: string | null; readonly versionFrom: Placed<string> | null } {
  const version = fields?.string('version') ?? null;
  const versionFrom = fields?.string('version_from') ?? null;
  if (fields?.has('version') && fields.has('version_from')) {
    const text = `both \`version\` (line ${fields.place('version').line}) and \`version_from\` are given`;
    problems.add('version-conflict', fields.place('version_from'), text, 'keep one of them');
  }
  const good = version !== null && RECIPE_VERSION.test(version.value);
  if (version !== null && !good) {
    const text = `${JSON.stringify(version.value)} is no version: it becomes an image's tag`;
    problems.add('bad-version', version.place, text, 'use at most 128 letters, digits, _, . and -');
  }
  if (versionFrom !== null && !/^[a-z0-9][a-z0-9._-]*-[a-z0-9][a-z0-9._-]*$/.test(versionFrom.value)) {
    const text = `${JSON.stringify(versionFrom.value)} names no target`;
    problems.add('bad-version-from', versionFrom.place, text, 'write <stage>-<name>, e.g. core-python');
  }
  if (good) return { version: version.value, versionFrom: null };
  return { version: fields?.has('version') ? STAND_IN_VERSION : null, versionFrom };
}

/** Reports `duplicate-entry` and drops the later ones. */
function distinct(key: string, entries: readonly Placed<string>[], problems: FileProblems): Placed<string>[] {
  const first = new Map<string, Placed<string>>();
  for (const entry of entries) {
    const known = first.get(entry.value);
    if (known === undefined) first.set(entry.value, entry);
    else {
      const text = `${JSON.stringify(entry.value)} is twice in \`${key}\` (first in line ${known.place.line})`;
      problems.add('duplicate-entry', entry.place, text);
    }
  }
  return [...first.values()];
}

function readSources(fields: Fields | null, problems: FileProblems): SourceDraft[] {
  const drafts: SourceDraft[] = [];
  for (const name of fields?.keys() ?? []) {
    const source = fields?.table(name);
    if (!source) continue;
    const draft = readSource(name, source, problems);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}
