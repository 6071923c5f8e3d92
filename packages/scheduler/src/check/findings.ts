/**
 * BuildKit's lint as it prints it, read back into findings (BuildKit v0.32.2 frontend/subrequests/lint: `WARNING: Rule -
 * URL`, a line of detail, `file:line`, an excerpt between rulers).
 */

/** What one warning says. */
export interface CheckFinding {
  /** BuildKit's name of the rule, e.g. `StageNameCasing`. */
  readonly rule: string;
  readonly text: string;
  /** Where BuildKit explains the rule; null where it gives none. */
  readonly url: string | null;
  /** Of the Containerfile, 1-based; null where BuildKit names none. */
  readonly line: number | null;
}

/** @param text what buildctl printed */
export function parseFindings(text: string): CheckFinding[] {
  const findings: CheckFinding[] = [];
  // A line of an excerpt begins with spaces and its number, so the word alone at a line's start is a new warning.
  for (const block of `\n${text}`.split(/\n(?=WARNING: )/)) {
    const [, rule, url] = /^WARNING: (\S+)(?: - (\S+))?/.exec(block) ?? [];
    if (rule === undefined) continue;
    const rows = block.split('\n').slice(1);
    const place = rows.findIndex((row, index) => /:\d+$/.test(row) && /^-{3,}$/.test(rows[index + 1] ?? ''));
    const detail = place === -1 ? rows : rows.slice(0, place);
    const line = place === -1 ? null : Number(/:(\d+)$/.exec(rows[place] ?? '')?.[1]);
    findings.push({ rule, text: detail.join(' ').trim(), url: url ?? null, line });
  }
  return findings;
}
