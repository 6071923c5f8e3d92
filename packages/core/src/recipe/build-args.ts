/**
 * The build args of a recipe: exactly those of shared/stagex/README.md ("What upstream passes to each build").
 *
 * Apart from targets.ts, so that a tree that was kept (graph/snapshot.ts) needs no reader of package.toml.
 */
import { byCodeUnit } from '../order.ts';
import type { Recipe } from './model.ts';
import { versionForms } from './version.ts';

/** Passed to every build. */
const FIXED_ARGS: Readonly<Record<string, string>> = {
  BUILDKIT_DOCKERFILE_CHECK: 'skip=FromPlatformFlagConstDisallowed;error=true',
  BUILDKIT_MULTI_PLATFORM: '1',
  SOURCE_DATE_EPOCH: '1',
};

/** Keys sorted by code unit. */
export function buildArgsOf({ version, sources }: Recipe): Record<string, string> {
  const args: [string, string][] = Object.entries(FIXED_ARGS);
  if (version !== null) {
    const forms = versionForms(version);
    args.push(
      ['VERSION', forms.version],
      ['VERSION_UNDER', forms.under],
      ['VERSION_DASH', forms.dash],
      ['VERSION_MAJOR', forms.major],
      ['VERSION_STRIP_SUFFIX', forms.stripSuffix],
    );
    // Upstream passes the word None for a version without a dot; no Containerfile reads it.
    if (forms.majorMinor !== null) args.push(['VERSION_MAJOR_MINOR', forms.majorMinor]);
  }
  for (const source of sources) {
    const prefix = source.name.toUpperCase();
    if (source.version !== null) {
      args.push([`${prefix}_VERSION`, source.version], [`${prefix}_SOURCE`, source.file]);
    }
    if (source.gitSha !== null) args.push([`${prefix}_GIT_SHA`, source.gitSha]);
  }
  return Object.fromEntries(args.sort(([a], [b]) => byCodeUnit(a, b)));
}
