/**
 * Globs over target names: `*` and `?` (no slash), `[a-z]`, `[!a-z]`, `{a,b}`.
 */

export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text);
}

/** A pattern for the whole name; null where a bracket or brace has no partner or a range runs backwards. */
export function globPattern(glob: string): RegExp | null {
  let source = '';
  let braces = 0;
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end === -1) return null;
      const set = glob.slice(at + 1, end);
      const negated = /^[!^]/.test(set);
      source += `[${negated ? '^/' : ''}${(negated ? set.slice(1) : set).replace(/[\\\]^]/g, '\\$&')}]`;
      at = end;
    } else if (char === '{') {
      braces++;
      source += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      source += ')';
    } else if (char === ',' && braces > 0) source += '|';
    else source += char.replace(/[\\^$.|+()[\]{}*?/]/, '\\$&');
  }
  if (braces > 0) return null;
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch {
    return null;
  }
}
