/** The counting of `./run test`, on reports as vitest writes them. */
import { describe, expect, it } from 'vitest';
import { closingLine, countsOfReport, exitCodeOf, NONE } from '../../../tools/test-counts.ts';

function report(files: { status: string; tests: string[] }[]): string {
  return JSON.stringify({
    testResults: files.map(({ status, tests }) => ({
      status,
      assertionResults: tests.map((test) => ({ status: test })),
    })),
  });
}

describe('counts', () => {
  it('counts every test once', () => {
    const text = report([
      { status: 'passed', tests: ['passed', 'passed', 'skipped', 'todo'] },
      { status: 'failed', tests: ['passed', 'failed'] },
    ]);
    expect(countsOfReport(text, false)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it('takes a file that does not load as a failure', () => {
    const text = report([
      { status: 'failed', tests: [] },
      { status: 'failed', tests: ['passed'] },
    ]);
    expect(countsOfReport(text, false)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });

  it('takes a vitest that fails after all tests passed, or writes nothing, as a failure', () => {
    expect(countsOfReport(report([{ status: 'passed', tests: ['passed'] }]), false).failed).toBe(1);
    expect(countsOfReport(undefined, true).failed).toBe(1);
  });

  it('does not pass when nothing ran', () => {
    expect(exitCodeOf(NONE)).toBe(1);
    expect(exitCodeOf({ passed: 0, failed: 0, skipped: 7 })).toBe(1);
    expect(exitCodeOf({ passed: 1, failed: 0, skipped: 0 })).toBe(0);
    expect(exitCodeOf({ passed: 9, failed: 1, skipped: 0 })).toBe(1);
  });

  it('closes with the plain line', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(closingLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});
