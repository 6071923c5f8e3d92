/**
 * What can be built nowhere, found before anything is started: targets whose steps no worker can run.
 *
 * Pure. Unaware of records: it is told which targets will be built.
 */
import { environmentProblem, type Problem } from '@stx-make/core/errors';
import type { GraphTarget } from '@stx-make/core/graph/model';
import { canonicalPlatform, platformsOf } from '@stx-make/core/graph/platforms';
import type { Target } from '@stx-make/core/recipe/model';

/** A worker as far as it matters here. */
export interface AbleWorker {
  readonly name: string;
  readonly platforms: readonly string[];
}

/** A target that no worker can build, and the platforms that no single one can run together. */
export interface Homeless {
  readonly target: string;
  readonly platforms: readonly string[];
}

export function homelessOf(
  order: readonly GraphTarget[],
  targets: ReadonlyMap<string, Target>,
  workers: readonly AbleWorker[],
): Homeless[] {
  const able = workers.map(({ platforms }) => new Set(platforms.map(canonicalPlatform)));
  return order.flatMap((target) => {
    const { must } = platformsOf(target, targets);
    const somewhere = able.some((has) => must.every((platform) => has.has(platform)));
    if (must.length === 0 || somewhere) return [];
    const nowhere = must.filter((platform) => !able.some((has) => has.has(platform)));
    return [{ target: target.name, platforms: nowhere.length > 0 ? nowhere : must }];
  });
}

const NAMED = 5;

/** One problem for each platform or set of platforms, with whom it concerns and what there is instead. */
export function homelessProblems(homeless: readonly Homeless[], workers: readonly AbleWorker[]): Problem[] {
  const groups = new Map<string, string[]>();
  for (const { target, platforms } of homeless) {
    const key = platforms.join(' and ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [target]);
    else group.push(target);
  }
  const there = workers.map(({ name, platforms }) => `${name} (${platforms.join(' ')})`).join(', ');
  return [...groups].map(([platforms, targets]) => {
    const shown = targets.slice(0, NAMED).join(', ');
    const more = targets.length > NAMED ? ` and ${targets.length - NAMED} more` : '';
    const who = targets.length === 1 ? `${shown} runs` : `${shown}${more} run`;
    return environmentProblem({
      code: 'no-worker-for-platform',
      text: `${who} steps for ${platforms}, which no worker can: ${there}.`,
      hint: `Name a worker for ${platforms} with --worker; with --keep-going all that does not need it is built.`,
    });
  });
}
