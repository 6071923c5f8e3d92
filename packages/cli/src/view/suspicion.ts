/**
 * Which running builds look wrong: much slower than usual, or stalled. From what the events tell; no clock of its own.
 */
import { elapsed } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { stepText } from '../text/step.ts';
import type { TargetView } from './model.ts';

/** A build is called slow when it takes so many times its usual time, and at least so long, ms. */
const SLOW_TIMES = 3;
const SLOW_LEAST_MS = 10 * 60_000;
/** Without a usual time: a build that has been in one step for so long, ms. */
const STALLED_MS = 60 * 60_000;
/** A step that has used next to no CPU for so long may wait for ever, ms. */
const IDLE_MS = 10 * 60_000;

/** What is to be said of a running target; null where nothing is. @param now ms since the run began */
export function suspicion(target: TargetView, now: number): string | null {
  if (target.since === null) return null;
  const { name, expected: usual, usage } = target;
  const spent = now - target.since;
  const step = target.steps.at(-1);
  const idle = usage === null || usage.idleSince === null ? 0 : now - usage.idleSince;
  // Only a RUN is a process of its own: copying and exporting are BuildKit's work.
  if (idle >= IDLE_MS && step !== undefined && / RUN /.test(step.name)) {
    return `${name} may be stalled: it has used no CPU for ${elapsed(idle)}, in ${stepText(step.name)}`;
  }
  if (usual !== null && spent >= Math.max(SLOW_LEAST_MS, usual * SLOW_TIMES)) {
    return `${name} is slow: ${elapsed(spent)}, usually ${elapsed(usual)}`;
  }
  const inStep = now - (step?.since ?? target.since);
  if (usual === null && inStep >= STALLED_MS) {
    return `${name} may be stalled: ${elapsed(inStep)} in ${sanitizeLine(step?.name ?? 'its first step')}`;
  }
  return null;
}
