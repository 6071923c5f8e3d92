/**
 * What a failed build means: who has to act, where in the Containerfile, why in one line, and whether another
 * try is worth it (BUILDKIT.md 4 and 7). Pure; tested on recorded outputs of real daemons.
 */
import type { Failure } from '@stx-make/core/events';
import type { BuildResult } from './model.ts';
import type { ProgressSummary, StepError } from './progress.ts';
import { harmlessName, shortened } from './text.ts';

export type Retry = Extract<BuildResult, { status: 'failed' }>['retry'];

export interface Diagnosis {
  readonly failure: Omit<Failure, 'logFile'>;
  readonly retry: Retry;
}

/** How buildctl ended. */
export interface BuildctlEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const CAUSE_LENGTH = 400;

interface Rule {
  readonly pattern: RegExp;
  readonly kind: Failure['kind'];
  readonly retry: Retry;
  readonly cause: (found: RegExpMatchArray, message: string) => string;
  readonly hint?: string;
}

const asSaid = (_found: RegExpMatchArray, message: string) => message;

/** Looked at in order, against the `error:` line; the first that matches counts. A step's own exit code is
 * looked at before them: what a step prints must not look like trouble of BuildKit's. */
const RULES: readonly Rule[] = [
  {
    pattern: /source "([^"]+)" denied by policy/,
    kind: 'input',
    retry: 'no',
    cause: (found) =>
      `${found[1] ?? 'a source'} comes from outside: neither a target of this tree nor a source of the recipe`,
    hint: 'Take it from a target of the tree (stagex/<stage>-<name>), or list it under [sources] in package.toml.',
  },
  {
    pattern: /no space left on device|ResourceExhausted|disk quota exceeded/i,
    kind: 'infrastructure',
    retry: 'elsewhere',
    cause: asSaid,
    hint: "Free space on BuildKit's disk, or prune its cache (buildctl prune --all works on a full disk).",
  },
  {
    pattern: /unexpected commit digest (sha256:[0-9a-f]{64}), expected (sha256:[0-9a-f]{64})/,
    kind: 'integrity',
    // The daemon goes on failing for about a second after the blob was repaired (BUILDKIT.md 4).
    retry: 'here',
    cause: (found) => `blob ${found[2]} of a dependency has other bytes: ${found[1]}`,
    hint: 'The store holds a damaged blob; building the dependency again repairs it.',
  },
  {
    pattern: /content (sha256:[0-9a-f]{64}): not found/,
    kind: 'integrity',
    retry: 'no',
    cause: (found) => `blob ${found[1]} of a dependency is missing in the store`,
    hint: 'Building the dependency again puts it back.',
  },
  {
    pattern: /failed to calculate checksum of ref \S+: "?([^"]+)"?: not found/,
    kind: 'build',
    retry: 'no',
    cause: (found) => `${found[1]} is not there to be copied`,
    hint: 'It is neither a file of the recipe folder nor a source under fetch/, nor does the stage it is copied from hold it.',
  },
  {
    pattern: /no match for platform/,
    kind: 'input',
    retry: 'no',
    cause: asSaid,
    hint: 'A dependency was built for another platform only.',
  },
  {
    pattern:
      /dockerfile parse error|target stage .* could not be found|failed to parse|unsupported frontend capability/,
    kind: 'input',
    retry: 'no',
    cause: asSaid,
  },
  {
    pattern: /(push|pull) access denied|insufficient_scope|401 Unauthorized|403 Forbidden/,
    kind: 'infrastructure',
    retry: 'no',
    cause: asSaid,
    hint: 'The registry does not let the worker in: `docker login` on this machine gives it a login.',
  },
  {
    // Of the registry the worker takes from and pushes to, not of the worker.
    pattern: /failed to push |failed to do request: |unexpected status.* \/v2\//,
    kind: 'infrastructure',
    retry: 'here',
    cause: asSaid,
    hint: 'The worker must reach the registry under the name in --remote; see docs/remote.md.',
  },
  {
    // The connection itself: the daemon is gone, going, or not to be reached.
    pattern:
      /connection refused|connection reset|broken pipe|code = Unavailable|Unavailable: |error reading from server|no such file or directory"?$|failed to list workers|failed to dial|use of closed network connection|daemon is shutting down|no route to host|i\/o timeout|tls: |x509: /i,
    kind: 'infrastructure',
    retry: 'elsewhere',
    cause: asSaid,
  },
  {
    pattern:
      /inconsistent graph state|no active session|transport is closing|unexpected EOF|\bEOF$|^Canceled: |context canceled|context deadline exceeded|DeadlineExceeded|failed to get session|no such job|lease .*not found/i,
    kind: 'infrastructure',
    retry: 'here',
    cause: asSaid,
  },
];

/** The reason of a failed build. `last` is buildctl's exit; the summary is all it said. */
export function diagnose(summary: ProgressSummary, end: BuildctlEnd): Diagnosis {
  const message = errorLine(summary.plain);
  const failed = failedStep(summary.errors, message);
  const line = excerptLine(summary.plain);
  const exitCode =
    failed === null ? stepExitCode(message) : (stepExitCode(failed.error) ?? stepExitCode(message));
  const place = {
    step: failed?.name ?? null,
    exitCode,
    file: line === null ? null : 'Containerfile',
    line,
    tail: failed?.tail ?? [],
  };
  if (exitCode !== null) {
    return { failure: { kind: 'build', ...place, ...exitCause(exitCode, place.tail) }, retry: 'no' };
  }
  const lint = message.match(/lint violation found for rules: (.*)/);
  if (lint !== null) {
    const first = summary.warnings[0];
    const at = first?.line ?? null;
    const cause = first === undefined ? message : first.text;
    return {
      failure: {
        kind: 'build',
        ...place,
        file: at === null ? null : 'Containerfile',
        line: at,
        cause: cut(cause),
      },
      retry: 'no',
    };
  }
  // The client's disk, not the daemon's: another worker would not help.
  if (/failed to send write|failed to copy: .*(ENOSPC|no space left)/i.test(message)) {
    const hint = 'Free space where the state folder lies.';
    return { failure: { kind: 'infrastructure', ...place, cause: cut(message), hint }, retry: 'no' };
  }
  const texts = [message, ...summary.errors.map((error) => error.error)].filter((text) => text !== '');
  for (const text of texts) {
    for (const rule of RULES) {
      const found = text.match(rule.pattern);
      if (found === null) continue;
      const failure: Diagnosis['failure'] = {
        kind: rule.kind,
        ...place,
        cause: cut(rule.cause(found, text)),
        ...(rule.hint === undefined ? {} : { hint: rule.hint }),
      };
      return { failure, retry: rule.retry };
    }
  }
  if (message === '' && failed === null) return silentEnd(summary, end);
  const cause = cut(message === '' ? (failed?.error ?? '') : message);
  return { failure: { kind: 'build', ...place, cause }, retry: 'no' };
}

/** Nothing was said: buildctl itself was ended, or could not begin. */
function silentEnd(summary: ProgressSummary, end: BuildctlEnd): Diagnosis {
  const how = end.signal === null ? `exit code ${end.code ?? '?'}` : `signal ${end.signal}`;
  const said = summary.plain.filter((line) => !line.startsWith('time=')).at(-1);
  return {
    failure: {
      kind: 'infrastructure',
      step: null,
      exitCode: null,
      file: null,
      line: null,
      cause: cut(`buildctl ended by ${how}${said === undefined ? ' without a word' : `: ${said}`}`),
      tail: [],
    },
    retry: 'here',
  };
}

/** The text after the last `error: `, without the words every error begins with. */
function errorLine(plain: readonly string[]): string {
  const at = plain.findLastIndex((line) => line.startsWith('error: '));
  if (at < 0) return '';
  // A message can hold newlines; everything after belongs to it.
  const text = plain.slice(at).join('\n').slice('error: '.length);
  return text.replace(/^failed to solve: /, '').trim();
}

/** Several steps fail when one did: the others are cancelled. The one whose error is buildctl's counts. */
function failedStep(errors: readonly StepError[], message: string): StepError | null {
  const own = errors.filter((error) => !/context canceled/i.test(error.error));
  const named = own.find(
    (error) => message !== '' && (message.includes(error.error) || error.error.includes(message)),
  );
  return named ?? own[0] ?? null;
}

/** The exit code of a RUN. A cancelled one also tells 137, which is no code of its own. */
function stepExitCode(message: string): number | null {
  if (/context canceled/i.test(message)) return null;
  const found = message.match(/did not complete successfully: exit code: (\d+)/);
  return found === null ? null : Number(found[1]);
}

/** The instruction's first line, of the excerpt that buildctl prints: `Containerfile:12`, a rule, lines with
 * `>>>` beside the instruction. */
function excerptLine(plain: readonly string[]): number | null {
  for (const [index, line] of plain.entries()) {
    const found = line.match(/^Containerfile:(\d+)$/);
    if (found !== null && plain[index + 1]?.startsWith('-----') === true) return Number(found[1]);
  }
  return null;
}

/** Words by which compilers, linkers, shells and interpreters begin or mark what went wrong. */
const TELLING =
  /\b(error|fatal|undefined reference|cannot|can't|could not|not found|no such file|no space left|permission denied|panic|traceback|segmentation fault|failed|unable to|out of memory)\b/i;
/** Of make and the like: true, but only the echo of an earlier line. */
const ECHO = /^(g?make(\[\d+\])?|ninja): |^\s*\^|returned non-zero exit status|command not successful/i;

function exitCause(exitCode: number, tail: readonly string[]): { cause: string; hint?: string } {
  const lines = tail.filter((line) => line.trim() !== '');
  const telling = lines.findLast((line) => TELLING.test(line) && !ECHO.test(line)) ?? lines.at(-1);
  const said = telling === undefined ? '' : `: ${telling.trim()}`;
  if (exitCode === 137) {
    return {
      cause: cut(`killed (exit code 137)${said}`),
      hint: 'Something sent SIGKILL: usually memory ran out. Lower -j or raise the limit.',
    };
  }
  const full = lines.some((line) => /no space left on device/i.test(line));
  return {
    cause: cut(`exit code ${exitCode}${said}`),
    ...(full
      ? { hint: "The disk was full while it ran: free space on BuildKit's disk and build again." }
      : {}),
  };
}

function cut(text: string): string {
  return shortened(harmlessName(text), CAUSE_LENGTH);
}
