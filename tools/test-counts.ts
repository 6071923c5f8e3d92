/**
 * Counts tests: reads vitest's JSON report and makes the closing line. Pure; knows nothing of processes.
 */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** What is used of the report (the format of Jest's `--json`). */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * @param text the report, undefined where vitest wrote none.
 * @param ok whether vitest ended with 0.
 * @returns counted from the single tests, not from the report's own sums. A file that could not be loaded is
 *   one failure, and so is a vitest that failed although every test passed (an error outside of the tests).
 */
export function countsOfReport(text: string | undefined, ok: boolean): Counts {
  if (text === undefined) return { ...NONE, failed: 1 };
  const report: Report = JSON.parse(text);
  let { passed, failed, skipped } = NONE;
  for (const file of report.testResults) {
    const before = failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') passed += 1;
      else if (status === 'failed') failed += 1;
      else skipped += 1;
    }
    if (file.status === 'failed' && failed === before) failed += 1;
  }
  if (!ok && failed === 0) failed = 1;
  return { passed, failed, skipped };
}

/** `N passed, N failed`, and `, N skipped` where there are any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A run in which nothing ran has not shown anything: that is a failure. */
export function exitCodeOf({ passed, failed }: Counts): number {
  return failed === 0 && passed > 0 ? 0 : 1;
}
