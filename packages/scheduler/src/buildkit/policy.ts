/**
 * Source policies for trees that allow images from outside: what every build is denied, less exactly these images.
 *
 * One file for each set of images, since trees share a state folder. Unaware of where the set comes from.
 */
import { join } from 'node:path';
import { parseImage } from '@stx-make/core/graph/image';
import { sortedUnique } from '@stx-make/core/order';
import { removeDeadTemporaries, writeFileDurable } from '../files/index.ts';
import { shortName } from '../paths.ts';
import { SOURCE_POLICY } from './arguments.ts';

/** @param images as allowed by name; all must be image references */
export function policyText(images: readonly string[]): string {
  return policyAllowing(JSON.stringify(SOURCE_POLICY), images);
}

/** The policy of one build that takes its dependencies from a registry: that of `text`, and exactly these. */
export function policyAllowing(text: string, images: readonly string[]): string {
  const policy = JSON.parse(text) as { readonly rules: readonly unknown[] };
  const rules = sortedUnique(images).map((image) => ({
    action: 'ALLOW',
    selector: { identifier: identifierOf(image), match_type: 'REGEX' },
  }));
  return `${JSON.stringify({ ...policy, rules: [...policy.rules, ...rules] }, null, 2)}\n`;
}

/** BuildKit names an image in full, first by its tag, then with the digest it found behind the tag. */
function identifierOf(image: string): string {
  const name = parseImage(image);
  if (name === null) throw new Error(`${image} is no image reference`);
  const { domain, path, tag, digest } = name;
  const plain = escapeRegExp(`docker-image://${domain}/${path}`);
  if (digest === null) return `^${plain}:${escapeRegExp(tag ?? 'latest')}(@sha256:[0-9a-f]{64})?$`;
  return `^${plain}${tag === null ? '' : `(:${escapeRegExp(tag)})?`}@${escapeRegExp(digest)}$`;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Writes the policy for these images. @returns its path @throws ProblemError for what the disk can do */
export async function writePolicyFor(images: readonly string[], folder: string): Promise<string> {
  const text = policyText(images);
  const path = join(folder, `source-policy-${shortName(text)}.json`);
  removeDeadTemporaries(folder);
  writeFileDurable(path, text);
  return path;
}
