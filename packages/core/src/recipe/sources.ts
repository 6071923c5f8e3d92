/**
 * `[sources.*]`: reading, checking, and filling their placeholders.
 *
 * File names must be equal to those upstream's src/fetch.py makes: they are what a Containerfile ADDs.
 */
import type { SourceDraft } from './facts.ts';
import type { Fields, FileProblems, Placed } from './fields.ts';
import type { Source } from './model.ts';
import { expand, type PlaceholderValues } from './placeholder.ts';
import { SOURCE_VERSION, STAND_IN_VERSION } from './version.ts';

const KEYS = ['hash', 'version', 'format', 'file', 'mirrors', 'git_sha'];

/** One `[sources.<name>]`; null where it is too broken to use. */
export function readSource(name: string, fields: Fields, problems: FileProblems): SourceDraft | null {
  const what = `source \`${name}\``;
  fields.onlyKnown(KEYS, ` in [sources.${name}]`);
  fields.require('hash', what, 'every source is pinned by its sha256');
  if (!/^[A-Za-z0-9_-]+$/.test(name)) {
    problems.add('bad-name', fields.place(), `${what}: a name is made of letters, digits, _ and -`);
  }
  const hash = fields.string('hash');
  if (hash !== null) checkHash(hash, problems);
  const version = readVersion(fields, problems);
  const gitSha = fields.string('git_sha');
  if (gitSha !== null && !/^[0-9A-Fa-f]{4,64}$/.test(gitSha.value)) {
    problems.add('bad-git-sha', gitSha.place, `${JSON.stringify(gitSha.value)} is no git commit`);
  }
  const file = fields.string('file');
  const mirrors = fields.strings('mirrors');
  if (mirrors.length === 0) {
    const place = fields.place(fields.has('mirrors') ? 'mirrors' : undefined);
    if (file === null) problems.add('no-file-name', place, `${what} has neither a file name nor a mirror`);
    else problems.warn('no-mirror', place, `${what} has no mirror; it can only be imported`);
  }
  if (hash === null) return null;
  return {
    name,
    version,
    sha256: hash.value,
    format: fields.string('format')?.value ?? null,
    gitSha: gitSha?.value ?? null,
    file,
    mirrors,
    place: fields.place(),
  };
}

function readVersion(fields: Fields, problems: FileProblems): string | null {
  if (!fields.has('version')) return null;
  const version = fields.string('version');
  if (version === null) return STAND_IN_VERSION;
  if (SOURCE_VERSION.test(version.value)) return version.value;
  const text = `${JSON.stringify(version.value)} is no version: it is empty or has space or control characters`;
  problems.add('bad-version', version.place, text);
  return STAND_IN_VERSION;
}

function checkHash({ value, place }: Placed<string>, problems: FileProblems): void {
  if (/^[0-9a-f]{64}$/.test(value)) return;
  const hint = /^(sha256:)?[0-9A-Fa-f]{64}$/.test(value)
    ? 'write it as plain lower-case digits'
    : `it has ${value.length} characters`;
  problems.add('bad-hash', place, `${JSON.stringify(value)} is no sha256 of 64 lower-case hex digits`, hint);
}

/** Fills the placeholders and checks file names and mirrors. `version`: the recipe's, for sources without
 * their own. Sources with an error are left out. */
export function expandSources(
  drafts: readonly SourceDraft[],
  version: string | null,
  problems: FileProblems,
): Source[] {
  const sources: Source[] = [];
  const byFile = new Map<string, Source>();
  for (const draft of drafts) {
    const source = expandSource(draft, version, problems);
    if (source === null) continue;
    const other = byFile.get(source.file);
    // The same bytes under the same name twice do no harm; lint tells.
    if (other !== undefined && other.sha256 !== source.sha256) {
      problems.add(
        'source-collision',
        draft.file?.place ?? draft.place,
        `sources \`${other.name}\` (line ${other.line}) and \`${source.name}\` give one file name, ${source.file}, with different hashes`,
      );
      continue;
    }
    byFile.set(source.file, source);
    sources.push(source);
  }
  checkArgNames(sources, problems, drafts);
  return sources;
}

function expandSource(draft: SourceDraft, version: string | null, problems: FileProblems): Source | null {
  const [first] = draft.mirrors;
  const template = draft.file ?? (first && { value: lastPathPart(first.value), place: first.place });
  if (template === undefined) return null;
  const values = { version: draft.version ?? version, format: draft.format, file: null };
  const file = fill(template, values, problems);
  if (file === null) return null;
  const fault = fileNameFault(file);
  if (fault !== null) {
    const hint = draft.file === null ? 'give the source a `file`' : undefined;
    problems.add('bad-file-name', template.place, `${JSON.stringify(file)} is no file name: ${fault}`, hint);
    return null;
  }
  const mirrors: string[] = [];
  for (const mirror of draft.mirrors) {
    const url = fill(mirror, { ...values, file }, problems);
    if (url === null) continue;
    checkMirror({ value: url, place: mirror.place }, problems);
    mirrors.push(url);
  }
  const { name, sha256, format, gitSha, place } = draft;
  return { name, version: draft.version, sha256, format, file, mirrors, gitSha, line: place.line };
}

function fill(template: Placed<string>, values: PlaceholderValues, problems: FileProblems): string | null {
  const expanded = expand(template.value, values);
  if (expanded.ok) return expanded.text;
  const text = `${JSON.stringify(template.value)}: ${expanded.reason}`;
  problems.add('bad-placeholder', template.place, text, expanded.hint);
  return null;
}

/** As Python's urlsplit(...).path.split("/")[-1], which upstream uses: before placeholders are filled, without
 * query and fragment. */
function lastPathPart(mirror: string): string {
  const path = mirror.split(/[?#]/, 1)[0] ?? '';
  const rest = path.replace(/^[A-Za-z][A-Za-z0-9+.-]*:/, '').replace(/^\/\/[^/]*/, '');
  return rest.split('/').at(-1) ?? '';
}

/** Why a text can not be one path segment under fetch/, or null. */
function fileNameFault(file: string): string | null {
  if (file === '') return 'it is empty';
  if (file === '.' || file === '..') return 'it names a folder';
  if (file.includes('/')) return 'it has a slash';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(file)) return 'it has a control character';
  // NAME_MAX of Linux's file systems.
  return Buffer.byteLength(file) > 255 ? 'it is longer than 255 bytes' : null;
}

function checkMirror({ value, place }: Placed<string>, problems: FileProblems): void {
  const shown = JSON.stringify(value);
  const url = /\s/.test(value) ? null : URL.parse(value);
  if (url === null) problems.add('bad-mirror', place, `${shown} is no URL`);
  else if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const hint = 'mirrors are http:// or https:// URLs';
    problems.add('bad-mirror', place, `${shown}: nothing here can download from ${url.protocol}//`, hint);
  }
}

/** Names of build args are the sources' names in upper case: two sources must not claim one. */
function checkArgNames(
  sources: readonly Source[],
  problems: FileProblems,
  drafts: readonly SourceDraft[],
): void {
  const byArg = new Map<string, string>();
  for (const { name, version, gitSha } of sources) {
    if (version === null && gitSha === null) continue;
    const prefix = name.toUpperCase();
    const other = byArg.get(prefix);
    if (other === undefined) byArg.set(prefix, name);
    else {
      const place = drafts.find((draft) => draft.name === name)?.place ?? null;
      const text = `sources \`${other}\` and \`${name}\` give the same build args, ${prefix}_...`;
      problems.add('source-collision', place, text);
    }
  }
}
