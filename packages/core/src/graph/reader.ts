/**
 * Phase one of loading: what follows from one recipe folder alone, behind an interface, so that it can come
 * from bytes or from facts kept under the hashes of the bytes.
 *
 * Unaware of other recipes.
 */
import { parseContainerfile, resolveContainerfile } from '../containerfile/index.ts';
import type { ResolvedContainerfile } from '../containerfile/model.ts';
import { type Problem, ProblemError } from '../errors.ts';
import type { RecipeFacts } from '../recipe/facts.ts';
import { readRecipe } from '../recipe/read.ts';
import type { RecipeFolder } from './model.ts';

/** What a Containerfile is resolved for. */
export interface ResolveRequest {
  readonly target: string | null;
  readonly platform: string;
  /** The recipe's, after `version_from`: it and package.toml alone decide `buildArgs`. */
  readonly version: string | null;
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** Plain JSON. */
export interface ResolveFacts {
  readonly resolved: ResolvedContainerfile | null;
  readonly problems: readonly Problem[];
}

/** One recipe folder. Both answers depend on nothing but the folder's two files and the arguments. */
export interface RecipeReader {
  readonly stage: string;
  readonly name: string;
  readonly dir: string;
  facts(): RecipeFacts;
  /** Not called for a folder without Containerfile. */
  resolve(request: ResolveRequest): ResolveFacts;
  /** All that is asked of it for now was asked: what it holds may be let go. */
  settle(): void;
}

/** The named contexts every build gets, whatever its Containerfile says. */
export const GIVEN_CONTEXTS: ReadonlySet<string> = new Set(['fetch']);

/** Reads from bytes. */
export function folderReader(folder: RecipeFolder): RecipeReader {
  const { stage, name, dir, containerfile } = folder;
  let parsed: Parsed | undefined;
  return {
    stage,
    name,
    dir,
    settle: () => {
      parsed = undefined;
    },
    facts: () => readRecipe(folder),
    resolve: (request) => {
      parsed ??= parse(containerfile, `${dir}/Containerfile`);
      return parsed.ok ? resolve(parsed.value, request) : { resolved: null, problems: parsed.problems };
    },
  };
}

type Parsed =
  | { readonly ok: true; readonly value: ReturnType<typeof parseContainerfile> }
  | { readonly ok: false; readonly problems: readonly Problem[] };

function parse(bytes: Uint8Array | null, file: string): Parsed {
  if (bytes === null) return { ok: false, problems: [] };
  try {
    return { ok: true, value: parseContainerfile(bytes, file) };
  } catch (error) {
    return { ok: false, problems: problemsOf(error) };
  }
}

function resolve(
  parsed: ReturnType<typeof parseContainerfile>,
  { target, platform, buildArgs }: ResolveRequest,
): ResolveFacts {
  try {
    const resolved = resolveContainerfile(parsed, { target, platform, buildArgs, contexts: GIVEN_CONTEXTS });
    return { resolved, problems: [] };
  } catch (error) {
    return { resolved: null, problems: problemsOf(error) };
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ProblemError) return error.problems;
  throw error;
}
