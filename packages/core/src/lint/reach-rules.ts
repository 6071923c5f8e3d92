/**
 * Rules on build stages that no target reaches. A stage counts as reached when any target of the recipe, built for
 * any platform, reaches it.
 */
import type { BuildStage } from '../containerfile/model.ts';
import { meaningOf } from '../graph/image.ts';
import type { Report, Rule } from './rule.ts';
import type { Subject } from './subject.ts';

export const reachRules: readonly Rule[] = [
  { code: 'unreachable-target', check: unreachableTarget },
  { code: 'unreachable-stage', check: unreachableStage },
];

/** Stages that look like a package, `package` or `package-x`, and are in no image of any target: what they would
 * give can not be had under any name. */
function unreachableTarget(subject: Subject, report: Report): void {
  const { recipe } = subject;
  for (const { stage } of unreached(subject)) {
    if (recipe === null || !isPackage(stage)) continue;
    const part = stage.name?.slice('package-'.length) ?? '';
    const text =
      recipe.subpackages.length > 0 && part !== ''
        ? `no target gives build stage \`${stage.name}\`: ${part} is not in \`subpackages\``
        : `no target gives build stage \`${stage.name}\`: the last build stage is another one`;
    report('Containerfile', stage.line, text);
  }
}

function unreachableStage(subject: Subject, report: Report): void {
  for (const { stage, edges } of unreached(subject)) {
    if (isPackage(stage) || edges.length === 0) continue;
    const what = stage.name === null ? 'this build stage' : `build stage \`${stage.name}\``;
    report('Containerfile', stage.line, `no target reaches ${what}, which needs ${edges.join(', ')}`);
  }
}

function isPackage({ name }: BuildStage): boolean {
  return name !== null && /^package(-.+)?$/.test(name);
}

interface Unreached {
  readonly stage: BuildStage;
  /** Targets that it names, in the order of lines, each once. */
  readonly edges: readonly string[];
}

function unreached({ recipe, resolved, partial }: Subject): Unreached[] {
  const [first] = resolved;
  if (recipe === null || partial || first === undefined) return [];
  return first.stages.flatMap((stage, index) => {
    if (resolved.some(({ stages }) => stages[index]?.reachable === true)) return [];
    const end = first.stages[index + 1]?.line ?? Number.POSITIVE_INFINITY;
    const edges = new Set<string>();
    for (const { image, line } of first.unreachableReferences) {
      const meaning = meaningOf(image);
      if (line >= stage.line && line < end && meaning.kind === 'target') edges.add(meaning.target);
    }
    return [{ stage, edges: [...edges] }];
  });
}
