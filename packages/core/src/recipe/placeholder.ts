/**
 * Placeholders in `file` and `mirrors`: `{version}`, `{format}`, ... as upstream expands them, with Python's
 * str.format, where `{{` and `}}` are literal braces.
 *
 * Unaware of places in files.
 */
import { didYouMean, nearestNames } from './nearest.ts';
import { versionForms } from './version.ts';

/** What a template is expanded with. */
export interface PlaceholderValues {
  /** The source's own version, else the recipe's; null where there is neither. */
  readonly version: string | null;
  readonly format: string | null;
  /** The expanded file name, null where the template is the file name. */
  readonly file: string | null;
}

export type Expanded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string; readonly hint?: string | undefined };

const NAMES = [
  'version',
  'version_under',
  'version_dash',
  'version_major',
  'version_major_minor',
  'version_strip_suffix',
  'format',
  'file',
] as const;

type Name = (typeof NAMES)[number];

/** Replaces all placeholders. Not ok: an unknown one, a brace without its partner, or a value that the source
 * does not have. */
export function expand(template: string, values: PlaceholderValues): Expanded {
  let text = '';
  let at = 0;
  while (at < template.length) {
    const char = template.charAt(at);
    if (char !== '{' && char !== '}') {
      text += char;
      at++;
    } else if (template.charAt(at + 1) === char) {
      text += char;
      at += 2;
    } else {
      const end = char === '{' ? template.indexOf('}', at) : -1;
      if (end === -1) return { ok: false, reason: `a "${char}" without its partner`, hint: BRACES };
      const name = template.slice(at + 1, end);
      if (!isName(name)) return unknown(name);
      const value = valueFor(name, values);
      if (value === null)
        return { ok: false, reason: `{${name}} can not be filled: ${missing(name, values)}` };
      text += value;
      at = end + 1;
    }
  }
  return { ok: true, text };
}

const BRACES = 'a literal brace is written twice: {{ or }}';

function unknown(name: string): Expanded {
  const near = nearestNames(name, NAMES, 1).map((known) => `{${known}}`);
  const hint = didYouMean(near) ?? `known are ${NAMES.map((known) => `{${known}}`).join(' ')}; ${BRACES}`;
  return { ok: false, reason: `{${name}} is no placeholder`, hint };
}

function isName(text: string): text is Name {
  return (NAMES as readonly string[]).includes(text);
}

function valueFor(name: Name, { version, format, file }: PlaceholderValues): string | null {
  if (name === 'format') return format;
  if (name === 'file') return file;
  if (version === null) return null;
  const forms = versionForms(version);
  switch (name) {
    case 'version':
      return forms.version;
    case 'version_under':
      return forms.under;
    case 'version_dash':
      return forms.dash;
    case 'version_major':
      return forms.major;
    case 'version_major_minor':
      return forms.majorMinor;
    case 'version_strip_suffix':
      return forms.stripSuffix;
  }
}

/** Why `valueFor` gave null. */
function missing(name: Name, { version }: PlaceholderValues): string {
  if (name === 'format') return 'the source has no format';
  if (name === 'file') return 'the file name itself comes from here';
  if (version === null) return 'neither the source nor the package has a version';
  return `version ${version} has no dot`;
}
