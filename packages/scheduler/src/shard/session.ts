/**
 * The names under which the shards of one session find each other, and the session's own where nobody gave one.
 *
 * Pure.
 */
import { digestOf, hexOf } from '@stx-make/core/oci/digest';

export interface SessionKey {
  /** See ShardOptions. */
  readonly session: string;
  readonly count: number;
  /** Of the tree: two platforms built by one CI run are two sessions. */
  readonly platform: string;
}

/** Tags in the remote, all of one session alike. Tags may be 128 characters of a small alphabet; a session's name may be
 * anything. */
export function tagsOf({ session, count, platform }: SessionKey) {
  const key = hexOf(digestOf(JSON.stringify([session, count, platform]))).slice(0, 20);
  return {
    plan: `shards-${key}`,
    status: (shard: number): string => `shard-${key}-${shard}`,
    result: (shard: number): string => `result-${key}-${shard}`,
  };
}

/** Where CI systems say which run this is: two variables, where one alone is not unique among repeated tries. */
const RUNS: readonly (readonly string[])[] = [
  // GitHub Actions, Forgejo Actions, Gitea Actions
  ['GITHUB_REPOSITORY', 'GITHUB_WORKFLOW', 'GITHUB_RUN_ID', 'GITHUB_RUN_ATTEMPT'],
  ['CI_PROJECT_PATH', 'CI_PIPELINE_ID'],
  ['WOODPECKER_REPO', 'CI_PIPELINE_NUMBER'],
  ['BUILDKITE_BUILD_ID'],
  ['BUILD_TAG'],
];

/** The session's name from the CI system's variables; null where there is none. */
export function sessionOfCi(env: Readonly<Record<string, string | undefined>>): string | null {
  for (const names of RUNS) {
    const values = names.map((name) => env[name] ?? '');
    if (values.every((value) => value !== '')) return values.join(' ');
  }
  return null;
}
