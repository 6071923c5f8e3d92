/**
 * What became of each wanted source, told for people and scripts. Pure but for sizes, which the store knows.
 */
import {
  environmentProblem,
  inputProblem,
  integrityProblem,
  type Problem,
  type ProblemError,
} from '@stx-make/core/errors';
import { sortedUnique } from '@stx-make/core/order';
import type { FetchedSource, FetchReport, MirrorFailure, SourceOutcome, WantedContent } from '../model.ts';
import type { SourceStore } from '../store/store.ts';
import type { Downloaded } from './download.ts';

export type Result = Downloaded | { readonly outcome: 'present' | 'adopted' | 'missing' };

/** Contents without a result were interrupted. */
export async function makeReport(
  contents: readonly WantedContent[],
  results: ReadonlyMap<string, Result>,
  fatal: readonly ProblemError[],
  storeWarnings: readonly Problem[],
  interrupted: boolean,
  store: SourceStore,
): Promise<FetchReport> {
  const sources: FetchedSource[] = [];
  const problems: Problem[] = distinct(fatal.flatMap((error) => error.problems));
  const warnings: Problem[] = [...storeWarnings];
  for (const content of contents) {
    const source = await describe(content, results.get(content.sha256), store);
    sources.push(source);
    if (source.outcome === 'failed') problems.push(failedProblem(content, source.failures));
    else if (source.outcome === 'missing') problems.push(missingProblem(content));
    else warnings.push(...wrongBytes(content, source.failures));
  }
  const count = (outcome: SourceOutcome): number =>
    sources.filter((source) => source.outcome === outcome).length;
  const counts = {
    wanted: sources.length,
    present: count('present'),
    adopted: count('adopted'),
    downloaded: count('downloaded'),
    failed: count('failed'),
    missing: count('missing'),
    interrupted: count('interrupted'),
  };
  return {
    ok: counts.failed + counts.missing + counts.interrupted === 0,
    interrupted,
    sources,
    counts,
    received: sources.reduce((sum, source) => sum + source.received, 0),
    problems,
    warnings,
  };
}

async function describe(
  content: WantedContent,
  result: Result | undefined,
  store: SourceStore,
): Promise<FetchedSource> {
  const { sha256, file, users } = content;
  const downloaded = result !== undefined && 'failures' in result ? result : null;
  return {
    sha256,
    file,
    targets: sortedUnique(users.map((user) => user.target)),
    recipes: sortedUnique(users.map((user) => user.recipe)),
    outcome: result?.outcome ?? 'interrupted',
    size: (await store.glance(sha256))?.size ?? null,
    url: downloaded?.url ?? null,
    received: downloaded?.received ?? 0,
    failures: downloaded?.failures ?? [],
  };
}

/** One problem for a source that no mirror gave, with the last reason of each mirror. */
function failedProblem(content: WantedContent, failures: readonly MirrorFailure[]): Problem {
  const what = naming(content);
  if (failures.length === 0) {
    return inputProblem({
      code: 'source-without-mirror',
      text: `${what} is not here and has no mirror.`,
      line: content.users[0].source.line,
      file: `${content.users[0].recipe}/package.toml`,
      hint: importHint(content),
    });
  }
  const byUrl = new Map<string, MirrorFailure[]>();
  for (const failure of failures) byUrl.set(failure.url, [...(byUrl.get(failure.url) ?? []), failure]);
  const lines = [...byUrl].map(([url, list]) => {
    // That a host was not asked any more says less than what it did before.
    const last = list.findLast((failure) => failure.kind !== 'host-down') ?? list.at(-1);
    const tries = list.length === 1 ? '' : ` (${list.length} tries)`;
    return `\n  ${url}: ${last?.text ?? ''}${tries}`;
  });
  const wrong = failures.some((failure) => failure.kind === 'wrong-hash');
  const text = `${what} failed on ${byUrl.size === 1 ? 'its mirror' : `all its ${byUrl.size} mirrors`}:${lines.join('')}`;
  return wrong
    ? integrityProblem({
        code: 'source-wrong-hash',
        text: `${text}\n  wanted: sha256 ${content.sha256}`,
        hint: `Do not change the hash before you know why it differs. ${importHint(content)}`,
      })
    : environmentProblem({ code: 'source-not-fetched', text, hint: importHint(content) });
}

function missingProblem(content: WantedContent): Problem {
  return environmentProblem({
    code: 'source-missing',
    text: `${naming(content)} is not here, and with --offline it is not downloaded.`,
    hint: importHint(content),
  });
}

/** Mirrors that gave other bytes where another one was right. */
function wrongBytes(content: WantedContent, failures: readonly MirrorFailure[]): Problem[] {
  return failures
    .filter((failure) => failure.got !== undefined)
    .map((failure) =>
      integrityProblem({
        code: 'mirror-wrong-hash',
        level: 'warning',
        text: `${failure.url} gives other bytes for ${content.file}: sha256 ${failure.got}, wanted ${content.sha256}. Another mirror was right.`,
      }),
    );
}

function naming(content: WantedContent): string {
  const recipes = sortedUnique(content.users.map((user) => user.recipe));
  return `${content.file} (${recipes.join(', ')}; sha256 ${content.sha256})`;
}

function importHint(content: WantedContent): string {
  return `If you have the file, under any name: stx-make sources import FILE (fetch/${content.users[0].recipe}/${content.file} is looked at too).`;
}

function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
