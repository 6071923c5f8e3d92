/**
 * Lists of wanted sources, folded by content and checked for file names that collide. Pure.
 */
import { inputProblem, type Problem } from '@stx-make/core/errors';
import { byCodeUnit } from '@stx-make/core/order';
import type { Target } from '@stx-make/core/recipe/model';
import type { WantedContent, WantedSource } from './model.ts';

const HEX = /^[0-9a-f]{64}$/;

/** The sources of some targets, in their order. */
export function wantedOf(targets: Iterable<Pick<Target, 'name' | 'recipe'>>): WantedSource[] {
  const wanted: WantedSource[] = [];
  for (const { name: target, recipe } of targets) {
    const { id, stage, name } = recipe;
    for (const source of recipe.sources) wanted.push({ target, recipe: id, stage, name, source });
  }
  return wanted;
}

/** Folds by sha256; sorted by sha256. Mirrors of all users of a content count: they name the same bytes. */
export function byContent(wanted: readonly WantedSource[]): WantedContent[] {
  const groups = new Map<string, WantedSource[]>();
  for (const item of wanted) {
    const { sha256 } = item.source;
    // The hash becomes a path; core only lets such ones through.
    if (!HEX.test(sha256)) throw new Error(`not a sha256: ${JSON.stringify(sha256)}`);
    const group = groups.get(sha256);
    if (group === undefined) groups.set(sha256, [item]);
    else group.push(item);
  }
  const contents: WantedContent[] = [];
  for (const [sha256, group] of groups) {
    const [first, ...rest] = group.sort(compareUsers);
    if (first === undefined) continue;
    const mirrors = [...new Set(group.flatMap((user) => user.source.mirrors))];
    contents.push({ sha256, file: first.source.file, users: [first, ...rest], mirrors });
  }
  return contents.sort((a, b) => byCodeUnit(a.sha256, b.sha256));
}

function compareUsers(a: WantedSource, b: WantedSource): number {
  return (
    byCodeUnit(a.recipe, b.recipe) ||
    byCodeUnit(a.source.file, b.source.file) ||
    byCodeUnit(a.target, b.target)
  );
}

/** One place under `fetch/` and what belongs there. */
export interface FetchPlace {
  readonly stage: string;
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
}

/** Where everything belongs under `fetch/`, sorted, and the names that two contents of one recipe claim. */
export function fetchPlaces(wanted: readonly WantedSource[]): {
  readonly places: readonly FetchPlace[];
  readonly problems: readonly Problem[];
} {
  const places = new Map<string, FetchPlace>();
  const problems: Problem[] = [];
  for (const { stage, name, recipe, source } of wanted) {
    const key = `${stage}/${name}/${source.file}`;
    const other = places.get(key);
    if (other === undefined) {
      places.set(key, { stage, name, file: source.file, sha256: source.sha256 });
    } else if (other.sha256 !== source.sha256) {
      problems.push(
        inputProblem({
          code: 'source-file-collision',
          text: `Two sources of ${recipe} are both called ${source.file}, with the hashes ${other.sha256} and ${source.sha256}.`,
          line: source.line,
          hint: 'Give one of them a `file` of its own in package.toml.',
        }),
      );
    }
  }
  const sorted = [...places].sort(([a], [b]) => byCodeUnit(a, b)).map(([, place]) => place);
  return { places: sorted, problems };
}
