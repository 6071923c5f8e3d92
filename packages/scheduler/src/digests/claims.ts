/**
 * What committed digests claim, and of what: a line says which image the recipe gives *as it was in the commit that
 * wrote the line*, from what that commit's own digests say its dependencies gave. Never the recipe as it is in the work
 * tree: that may be edited.
 *
 * Unaware of images and records.
 */
import { parseDigests } from '@stx-make/core/digests/file';
import { ANY_ENGINE } from '@stx-make/core/fingerprint/encode';
import type { GraphTarget, LoadedTree } from '@stx-make/core/graph/model';
import type { Digest, Output } from '@stx-make/core/oci/model';
import { sortedUnique } from '@stx-make/core/order';
import {
  blameLines,
  type GitTree,
  type LineCommit,
  loadTreeAt,
  type ObjectCache,
  readObjects,
  resolveCommit,
} from '../git/index.ts';
import { type Fingerprint, fingerprintTarget, type RecipeFiles } from '../plan/inputs.ts';
import { DIGESTS, fileOf, readCommitted } from './committed.ts';

/** One line of digests/, tied to a commit. */
export interface Claim {
  readonly target: string;
  readonly digest: Digest;
  /** Full id. */
  readonly commit: string;
}

/** Why a target's line, or the lack of one, claims nothing. */
export interface Unclaimed {
  readonly target: string;
  readonly code: 'uncommitted' | 'line-uncommitted' | 'history-cut' | 'unbound';
  readonly digest: Digest | null;
  readonly text: string;
}

/** A tree and its digests as a commit had them. */
export interface CommitTree {
  readonly commit: string;
  /** Null where the recipes of the commit have errors. */
  readonly tree: LoadedTree | null;
  readonly files: ReadonlyMap<string, RecipeFiles>;
  readonly digests: ReadonlyMap<string, Digest>;
}

export interface Claims {
  readonly claims: readonly Claim[];
  readonly unclaimed: readonly Unclaimed[];
  readonly commits: ReadonlyMap<string, CommitTree>;
}

export interface ClaimsRequest {
  readonly root: string;
  readonly platform: string;
  readonly allowedImages: ReadonlySet<string>;
  /** Target names. */
  readonly names: readonly string[];
  /** A commit whose digests are all taken as of its own recipes, whoever wrote the lines; null: by line. */
  readonly asOf: string | null;
}

/** @throws ProblemError: git, digests that can not be read, an unknown `asOf` */
export async function readClaims(git: GitTree, request: ClaimsRequest): Promise<Claims> {
  const { claims, unclaimed } =
    request.asOf === null
      ? await claimsByLine(git, request)
      : await claimsOfCommit(git, request, request.asOf);
  const cache: ObjectCache = new Map();
  const commits = new Map<string, CommitTree>();
  for (const commit of sortedUnique(claims.map((claim) => claim.commit))) {
    const { platform, allowedImages } = request;
    const { loaded, files } = await loadTreeAt(git, commit, { platform, allowedImages, cache });
    const digests = await digestsAt(git, commit);
    commits.set(commit, { commit, tree: loaded.tree, files, digests });
  }
  return { claims, unclaimed, commits };
}

type Listed = Pick<Claims, 'claims' | 'unclaimed'>;

async function claimsByLine(git: GitTree, { root, names }: ClaimsRequest): Promise<Listed> {
  const committed = readCommitted(root);
  const blames = new Map<string, ReadonlyMap<number, LineCommit>>();
  const claims: Claim[] = [];
  const unclaimed: Unclaimed[] = [];
  for (const target of names) {
    const line = committed.lines.get(target);
    if (line === undefined) {
      unclaimed.push(noLine(target));
      continue;
    }
    let blame = blames.get(line.stage);
    if (blame === undefined) {
      blame = await blameLines(git, fileOf(line.stage));
      blames.set(line.stage, blame);
    }
    const { digest } = line;
    const by = blame.get(line.line) ?? { kind: 'uncommitted' };
    switch (by.kind) {
      case 'commit':
        claims.push({ target, digest, commit: by.commit });
        break;
      case 'uncommitted': {
        const text = `its line in ${line.file} is in no commit yet, so it belongs to no state of its recipe`;
        unclaimed.push({ target, digest, code: 'line-uncommitted', text });
        break;
      }
      case 'cut-off': {
        const text = `this shallow clone does not hold the commit that wrote its line in ${line.file} (git fetch --unshallow)`;
        unclaimed.push({ target, digest, code: 'history-cut', text });
        break;
      }
      default:
        by satisfies never;
    }
  }
  return { claims, unclaimed };
}

async function claimsOfCommit(git: GitTree, { names }: ClaimsRequest, asOf: string): Promise<Listed> {
  const commit = await resolveCommit(git, asOf);
  const digests = await digestsAt(git, commit);
  const claims: Claim[] = [];
  const unclaimed: Unclaimed[] = [];
  for (const target of names) {
    const digest = digests.get(target);
    if (digest === undefined) unclaimed.push(noLine(target));
    else claims.push({ target, digest, commit });
  }
  return { claims, unclaimed };
}

function noLine(target: string): Unclaimed {
  return { target, digest: null, code: 'uncommitted', text: 'no digest of it is committed' };
}

/** All readable lines of a commit's digests. Errors in them are history: a line that can not be read claims nothing. */
async function digestsAt(git: GitTree, commit: string): Promise<Map<string, Digest>> {
  const listing = await git.run(['ls-tree', '-z', '--name-only', commit, '--', `${DIGESTS}/`]);
  const files = listing
    .toString('utf8')
    .split('\0')
    .filter((path) => path.endsWith('.txt') && !path.includes('\n'));
  const names = new Map(files.map((path) => [`${commit}:${git.prefix}${path}`, path]));
  const digests = new Map<string, Digest>();
  for (const [name, bytes] of await readObjects(git, [...names.keys()])) {
    const path = names.get(name) ?? '';
    const stage = path.slice(`${DIGESTS}/`.length, -'.txt'.length);
    for (const line of parseDigests(bytes?.toString('utf8') ?? '', stage, path).lines.values()) {
      digests.set(line.target, line.digest);
    }
  }
  return digests;
}

/** A target as the commit of its claim had it. */
export interface ClaimedTarget {
  readonly claim: Claim;
  readonly target: GraphTarget;
  readonly files: RecipeFiles;
  /** By dependency: what it gave, as the same commit says. */
  readonly needs: ReadonlyMap<string, Digest>;
}

/** What a claim is about; a text where it can not be told. */
export function locateClaim(claim: Claim, commits: Claims['commits']): ClaimedTarget | string {
  const at = commits.get(claim.commit);
  if (at === undefined) throw new Error(`${claim.commit} was not read`);
  const short = claim.commit.slice(0, 12);
  if (at.tree === null) return `the recipes of commit ${short}, which wrote its digest, have errors`;
  const target = at.tree.graph.targets.get(claim.target);
  const files = target === undefined ? undefined : at.files.get(target.recipe.id);
  if (target === undefined || files === undefined) {
    return `commit ${short}, which wrote its digest, has no recipe of it`;
  }
  if (target.platforms.length > 1) {
    return 'it is built for several platforms, and the digest of only one of them is committed';
  }
  const needs = new Map<string, Digest>();
  for (const dependency of target.dependencies) {
    const digest = at.digests.get(dependency);
    if (digest === undefined) {
      return `commit ${short}, which wrote its digest, has none of ${dependency}, which it needs`;
    }
    needs.set(dependency, digest);
  }
  return { claim, target, files, needs };
}

/** The fingerprint a claim is the answer to: of any engine, for who built it is not known. */
export function fingerprintClaim(
  { target, files }: ClaimedTarget,
  outputOf: (dependency: string) => Output,
): Fingerprint {
  return fingerprintTarget(target, files, outputOf, ANY_ENGINE);
}
