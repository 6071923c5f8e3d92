/**
 * Rules on what is written in a Containerfile.
 */
import { duplicateCopies } from '../containerfile/duplicates.ts';
import { sourceKind } from '../containerfile/remote.ts';
import { meaningOf } from '../graph/image.ts';
import { GIVEN_CONTEXTS } from '../graph/reader.ts';
import type { Report, Rule, Surroundings } from './rule.ts';
import type { Subject } from './subject.ts';

export const containerfileRules: readonly Rule[] = [
  { code: 'run-network', check: runNetwork },
  { code: 'image-from-outside', check: imageFromOutside },
  { code: 'duplicate-copy', check: duplicateCopy },
  { code: 'syntax-directive', check: syntaxDirective },
  { code: 'unpinned-source', check: unpinnedAdd },
  { code: 'unpinned-source', check: unpinnedImage },
];

function runNetwork({ parsed }: Subject, report: Report): void {
  for (const { instructions } of parsed?.stages ?? []) {
    for (const instruction of instructions) {
      if (instruction.kind !== 'run' || instruction.network === 'none') continue;
      const how = instruction.network === 'host' ? "uses the host's network" : 'can reach the network';
      report('Containerfile', instruction.line, `RUN without --network=none ${how}`);
    }
  }
}

/** In every build stage, reachable or not: an unreachable one is one edit away from being built. For the platforms that
 * are built: `FROM build-$TARGETARCH` names a stage there and an image elsewhere. */
function imageFromOutside({ asked }: Subject, report: Report, { allowedImages }: Surroundings): void {
  const seen = new Set<string>();
  for (const { references, unreachableReferences } of asked) {
    for (const { image, line } of [...references, ...unreachableReferences]) {
      if (seen.has(`${line} ${image}`)) continue;
      seen.add(`${line} ${image}`);
      const meaning = meaningOf(image);
      if (meaning.kind === 'target' || allowedImages.has(image)) continue;
      if (meaning.kind === 'malformed') {
        report('Containerfile', line, `${JSON.stringify(image)} is no image reference`);
      } else if (!GIVEN_CONTEXTS.has(meaning.context) && !allowedImages.has(meaning.context)) {
        report('Containerfile', line, `${image} is an image from outside the tree`);
      }
    }
  }
}

function duplicateCopy({ parsed }: Subject, report: Report): void {
  if (parsed === null) return;
  for (const { from, line, firstLine } of duplicateCopies(parsed)) {
    report('Containerfile', line, `${from} is copied twice: line ${firstLine} does the same`);
  }
}

function syntaxDirective({ parsed }: Subject, report: Report): void {
  if (parsed?.syntax == null) return;
  const { image, line } = parsed.syntax;
  const text = `# syntax=${image} asks for another frontend, from a registry; stx-make ignores it, others follow it`;
  report('Containerfile', line, text);
}

/** An image that is allowed by name may be another one tomorrow, and nothing here would notice: no fingerprint sees what
 * is behind a tag. */
function unpinnedImage({ asked }: Subject, report: Report, { allowedImages }: Surroundings): void {
  const seen = new Set<string>();
  for (const { image, line } of asked.flatMap(({ references }) => references)) {
    const meaning = meaningOf(image);
    if (meaning.kind !== 'outside' && meaning.kind !== 'foreign-version') continue;
    if (!allowedImages.has(image) && !allowedImages.has(meaning.context)) continue;
    if (image.includes('@') || seen.has(`${line} ${image}`)) continue;
    seen.add(`${line} ${image}`);
    report('Containerfile', line, `${image} is allowed, but pinned by no digest`);
  }
}

/** As written: a variable hides no scheme in front of it. */
function unpinnedAdd({ parsed }: Subject, report: Report): void {
  for (const { instructions } of parsed?.stages ?? []) {
    for (const instruction of instructions) {
      if (instruction.kind !== 'add' || instruction.checksum !== '') continue;
      for (const source of instruction.sources) {
        const kind = sourceKind(source);
        if (kind === 'local') continue;
        // A commit's full id is a hash of what comes.
        if (kind === 'git' && /[#?&](?:[a-z]+=)*[0-9a-f]{40}(?:[0-9a-f]{24})?(?:[:&].*)?$/.test(source))
          continue;
        report('Containerfile', instruction.line, `ADD ${source} is pinned by no hash`);
      }
    }
  }
}
