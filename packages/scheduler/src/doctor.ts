/**
 * Everything a build needs of this machine, looked at one by one. Starts the managed BuildKit where that is used;
 * changes nothing else.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { type Problem, ProblemError } from '@stx-make/core/errors';
import type { WorkerOptions } from './api.ts';
import { inspectWorkers, type WorkerReport } from './buildkit/index.ts';
import { freeSpace } from './files/index.ts';
import { statePaths } from './paths.ts';
import { findBuildKit, findProgram } from './process/index.ts';
import { openDatabase } from './state/database.ts';

export type { WorkerReport };

export interface DoctorCheck {
  readonly code: string;
  readonly ok: boolean;
  readonly text: string;
  readonly hint: string | null;
}

export interface DoctorOptions {
  readonly stateRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly workers: WorkerOptions;
  readonly stop: AbortSignal;
}

const GIB = 1024 ** 3;

/** Less than this and even a small tree can end in the middle of a build. A full StageX build wants 500 GB. */
const LEAST_FREE = 5 * GIB;

export async function doctor(options: DoctorOptions): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [checkNode(), ...checkPrograms(options), ...checkState(options.stateRoot)];
  checks.push(...(await checkWorkers(options)));
  return checks;
}

function checkNode(): DoctorCheck {
  return passed('node', `Node.js ${process.version}`);
}

function checkPrograms({ env, workers }: DoctorOptions): DoctorCheck[] {
  const checks: DoctorCheck[] = [];
  try {
    const { buildctl, buildkitd } = findBuildKit(env);
    checks.push(passed('buildctl', `buildctl: ${buildctl}`));
    if (workers.addresses.length > 0) return checks;
    checks.push(
      buildkitd === null
        ? failed(
            'buildkitd',
            'buildkitd was not found; the managed BuildKit needs it',
            'Use ./run of a clone, which compiles it, or name a running BuildKit with --worker.',
          )
        : passed('buildkitd', `buildkitd: ${buildkitd}`),
    );
  } catch (error) {
    return [failure('buildctl', error)];
  }
  const runc = findProgram('runc', env);
  checks.push(
    runc === null
      ? failed(
          'runc',
          'runc was not found; BuildKit runs every step with it',
          "Install the package runc. Debian 12's crun 1.8.1 does not do (it fails every RUN).",
        )
      : passed('runc', `runc: ${runc}`),
  );
  return checks;
}

function checkState(root: string): DoctorCheck[] {
  const checks: DoctorCheck[] = [];
  try {
    mkdirSync(root, { recursive: true });
    accessSync(root, constants.W_OK);
    const { database, warnings } = openDatabase(statePaths(root).database, Date.now);
    database.close();
    checks.push(passed('state', `state folder ${root}`), ...warnings.map(warned));
    const { free, total } = freeSpace(root);
    const text = `${gib(free)} of ${gib(total)} GiB free for outputs, sources and the managed BuildKit`;
    const hint =
      'Free some, name another folder with --state DIR, or run stx-make gc. A full StageX build wants 500 GB.';
    checks.push(free < LEAST_FREE ? failed('space', text, hint) : passed('space', text));
  } catch (error) {
    checks.push(failure('state', error));
  }
  return checks;
}

async function checkWorkers(options: DoctorOptions): Promise<DoctorCheck[]> {
  try {
    return (await inspectFor(options)).flatMap(checksOf);
  } catch (error) {
    return [failure('workers', error)];
  }
}

/** Each worker by itself, as `workers` shows them.
 * @throws ProblemError where buildctl is missing, an address is none, the managed one can not be started */
export async function inspectFor({
  stateRoot,
  env,
  workers,
  stop,
}: DoctorOptions): Promise<readonly WorkerReport[]> {
  return await inspectWorkers({
    addresses: workers.addresses,
    jobs: workers.jobs,
    settings: workers.settings,
    limits: {},
    state: statePaths(stateRoot),
    env,
    signal: stop,
  });
}

function checksOf({ name, problems, facts }: WorkerReport): DoctorCheck[] {
  // What the canary has to say is said below.
  const rest = problems.filter(({ code }) => !code.startsWith('canary-') || code === 'canary-failed');
  const told = rest.map((problem) =>
    problem.level === 'error' ? failed(problem.code, problem.text, problem.hint ?? null) : warned(problem),
  );
  if (facts === null) return told;
  const { engine, version, jobs, platforms, disk } = facts;
  const go = engine.goRelease === null ? 'an unknown Go release' : engine.goRelease;
  const room = disk === null ? '' : `, ${gib(disk.free)} of ${gib(disk.total)} GiB free`;
  return [
    passed(
      'worker',
      `${name}: BuildKit ${version} compiled by ${go}, ${jobs} jobs, ${platforms.join(' ')}${room}`,
    ),
    engine.matchesPublished
      ? passed(
          'canary',
          `${name}: the canary image has the known digest ${engine.canary}: published digests can be reached`,
        )
      : failed(
          'canary',
          `${name}: the canary image has another digest, ${engine.canary}: digests from this builder will not equal the published ones`,
          'Use BuildKit v0.32.2 compiled by Go 1.25 or 1.26 (./run compiles it), as root.',
        ),
    platforms.includes('linux/386')
      ? passed('platform-386', `${name}: can build for linux/386, as StageX's bootstrap does`)
      : warned386(name),
    ...told,
  ];
}

function warned386(name: string): DoctorCheck {
  return {
    code: 'platform-386',
    ok: true,
    text: `${name}: can not build for linux/386; StageX's bootstrap-stage0 to stage2 need another worker`,
    hint: 'Name an amd64 worker too, with --worker.',
  };
}

function passed(code: string, text: string): DoctorCheck {
  return { code, ok: true, text, hint: null };
}

function failed(code: string, text: string, hint: string | null): DoctorCheck {
  return { code, ok: false, text, hint };
}

/** Something to know that keeps nobody from building. */
function warned({ code, text, hint }: Problem): DoctorCheck {
  return { code, ok: true, text: `warning: ${text}`, hint: hint ?? null };
}

function failure(code: string, error: unknown): DoctorCheck {
  if (!(error instanceof ProblemError)) throw error;
  const texts = error.problems.map(({ text }) => text);
  return failed(code, texts.join('\n'), error.problems.find(({ hint }) => hint !== undefined)?.hint ?? null);
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
