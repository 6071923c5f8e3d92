/**
 * `resolveContainerfile`: what a Containerfile needs, for one target, platform and set of build args.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/dockerfile2llb/convert.go (toDispatchState). What only an image
 * from outside could tell is not known here: its ENV (words that ask for it count as taking the whole
 * context) and its ONBUILD triggers.
 */

import { inputProblem, ProblemError } from '../errors.ts';
import { byCodeUnit } from '../order.ts';
import { checkOptionsFault } from './directives.ts';
import { dispatchSteps, type Gathered } from './dispatch.ts';
import { StageEnvironment } from './environment.ts';
import { globalArgs } from './globals.ts';
import type { ParsedContainerfile } from './instructions.ts';
import { isExternal, SCRATCH, StageLinker, type StageNode } from './link.ts';
import type { BuildStage, ImageReference, ResolvedContainerfile, ResolveOptions, RunFact } from './model.ts';
import { normalizePlatform, parsePlatform } from './platform.ts';
import { PlacedError, ReadingError } from './text.ts';

/**
 * Resolves names, variables and reachability as BuildKit does before it builds.
 *
 * @throws ProblemError with one problem: `unknown-build-stage` (no stage of the target's name),
 * `containerfile-variable` (an expansion fails in FROM or an ARG before it), `containerfile-stage` (a name,
 * number or order of stages is wrong) or `containerfile-value` (in a stage that is built a word can not be
 * expanded or has a value that is refused), or `bad-platform` for the options' platforms.
 */
export function resolveContainerfile(
  parsed: ParsedContainerfile,
  options: ResolveOptions,
): ResolvedContainerfile {
  try {
    return resolve(parsed, options);
  } catch (error) {
    if (!(error instanceof PlacedError)) throw error;
    const { line, message } = error;
    throw new ProblemError(
      inputProblem({ code: error.code ?? 'containerfile-stage', file: parsed.file, line, text: message }),
    );
  }
}

function resolve(parsed: ParsedContainerfile, options: ResolveOptions): ResolvedContainerfile {
  refuseBadCheck(parsed, options);
  const build = platformOption(options.buildPlatform ?? options.platform);
  const target = platformOption(options.platform);
  const { globals, buildArgs } = globalArgs(parsed, { build, target, options });
  const linker = new StageLinker(parsed, { globals, build, target, contexts: options.contexts });
  const written = linker.nodes.slice(0, parsed.stages.length);
  const targetNode = findTarget(linker, written, options.target, parsed.file);
  const reachable = linker.reach(targetNode);

  const gathered: Gathered = { contextSources: [], remoteAdds: [], args: new Set() };
  for (const { pairs } of parsed.metaArgs) for (const { key } of pairs) gathered.args.add(key);
  const environments = new Map<StageNode, StageEnvironment>();
  const isReady = (node: StageNode): boolean =>
    node.from === null || node.context !== null || environments.has(node);
  for (const node of written) {
    if (!reachable.has(node) || node.context !== null) continue;
    const environment = startOf(node, environments, parsed);
    // Before its steps: with BuildKit a stage may copy from itself, as far as it got, by an ONBUILD trigger.
    environments.set(node, environment);
    dispatchSteps(node.steps, { environment, buildArgs, globals, isReady }, gathered);
  }
  return {
    stages: written.map((node, index) => buildStage(node, index, reachable)),
    references: referencesOf(written.filter((node) => reachable.has(node))),
    base: baseOf(targetNode),
    unreachableReferences: referencesOf(written.filter((node) => !reachable.has(node))),
    contextSources: gathered.contextSources,
    runs: runFacts(written, environments),
    remoteAdds: gathered.remoteAdds,
    syntax: parsed.syntax,
    onbuild: targetNode.context === null ? onbuildOf(targetNode) : [],
    args: [...gathered.args].sort(byCodeUnit),
  };
}

/** BuildKit reads `# check=` only where its options are not given from outside. */
function refuseBadCheck({ check }: ParsedContainerfile, { buildArgs }: ResolveOptions): void {
  if (check === null || Object.hasOwn(buildArgs, 'BUILDKIT_DOCKERFILE_CHECK')) return;
  const fault = checkOptionsFault(check.value);
  if (fault !== null) throw new PlacedError(`failed to parse check options: ${fault}`, check.line);
}

function platformOption(text: string): ReturnType<typeof parsePlatform> {
  try {
    return normalizePlatform(parsePlatform(text, null));
  } catch (error) {
    if (!(error instanceof ReadingError)) throw error;
    throw new ProblemError(inputProblem({ code: 'bad-platform', text: error.message }));
  }
}

function findTarget(
  linker: StageLinker,
  written: readonly StageNode[],
  target: string | null,
  file: string,
): StageNode {
  const node = target === null || target === '' ? written.at(-1) : linker.find(target);
  if (node !== undefined) return node;
  const names = linker.names();
  throw new ProblemError(
    inputProblem({
      code: 'unknown-build-stage',
      file,
      text: `target stage ${JSON.stringify(target)} could not be found`,
      hint: names.length === 0 ? 'no build stage has a name' : `build stages are ${names.join(', ')}`,
    }),
  );
}

function startOf(
  node: StageNode,
  environments: ReadonlyMap<StageNode, StageEnvironment>,
  { escapeToken }: ParsedContainerfile,
): StageEnvironment {
  if (node.base !== null) {
    return environments.get(node.base)?.inherit() ?? StageEnvironment.ofImage(escapeToken);
  }
  return node.image === SCRATCH
    ? StageEnvironment.ofScratch(escapeToken)
    : StageEnvironment.ofImage(escapeToken);
}

function buildStage(node: StageNode, index: number, reachable: ReadonlySet<StageNode>): BuildStage {
  return {
    index,
    name: node.from?.name ?? null,
    line: node.line,
    base: node.image,
    platform: node.platform,
    reachable: reachable.has(node),
    replacedByContext: node.context !== null,
  };
}

/** A stage that a named context replaces runs nothing, yet BuildKit looks up every image its instructions
 * name: they count. */
function referencesOf(nodes: readonly StageNode[]): ImageReference[] {
  const references: ImageReference[] = [];
  for (const node of nodes) {
    const start = startReference(node);
    if (start !== null) references.push(start);
    for (const { instruction, sources, line } of node.steps) {
      const kind = instruction.kind === 'run' ? 'mount' : 'copy';
      for (const source of sources) {
        if (source.from !== null || source.base !== null || source.image === SCRATCH) continue;
        references.push({ kind, image: source.image, line, platform: null });
      }
    }
  }
  return references;
}

function startReference(node: StageNode): ImageReference | null {
  if (!isExternal(node)) return null;
  return { kind: 'from', image: node.context ?? node.image, line: node.line, platform: node.platform };
}

function baseOf(target: StageNode): ImageReference | null {
  let node = target;
  while (node.base !== null) node = node.base;
  return startReference(node);
}

function runFacts(written: readonly StageNode[], built: ReadonlyMap<StageNode, StageEnvironment>): RunFact[] {
  return written.flatMap((node) =>
    node.steps.flatMap(({ instruction, line }) =>
      instruction.kind === 'run'
        ? [{ line, network: instruction.network, security: instruction.security, reachable: built.has(node) }]
        : [],
    ),
  );
}

function onbuildOf(node: StageNode): { expression: string; line: number }[] {
  return node.steps.flatMap(({ instruction, line }) =>
    instruction.kind === 'onbuild' ? [{ expression: instruction.expression, line }] : [],
  );
}
