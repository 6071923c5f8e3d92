/**
 * Which ADD and COPY sources are remote: `https://...`, `git@host:path`, `ssh://...`, `git://...`.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/dfgitutil and util/gitutil.
 */

const PROTOCOL = /^([a-zA-Z0-9]+):\/\//;
const SCP_STYLE = /^([a-zA-Z0-9-_]+)@([a-zA-Z0-9-.]+):(.*?)(?:\?(.*?))?(?:#(.*))?$/;

export type SourceKind = 'local' | 'http' | 'git';

/** What BuildKit takes `source` for, after expansion. `github.com/x/y` is a local path here. */
export function sourceKind(source: string): SourceKind {
  if (source.startsWith('./') || source.startsWith('../') || source.startsWith('github.com/')) return 'local';
  const protocol = PROTOCOL.exec(source)?.[1]?.toLowerCase();
  switch (protocol) {
    case undefined:
      return SCP_STYLE.test(source) ? 'git' : 'local';
    case 'ssh':
    case 'git':
      return URL.canParse(source) ? 'git' : 'local';
    case 'http':
    case 'https':
      if (URL.canParse(source) && new URL(source).pathname.endsWith('.git')) return 'git';
      // BuildKit compares the scheme as written: HTTP://host/file is a path.
      return /^https?:\/\//.test(source) ? 'http' : 'local';
    default:
      return 'local';
  }
}
