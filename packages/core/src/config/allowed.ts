/**
 * The images a tree allows, in every spelling in which a Containerfile's reference is compared with them.
 */
import { parseImage } from '../graph/image.ts';
import type { Config } from './model.ts';

/** As written in stx-make.toml, and as Docker shortens it: `docker.io/library/debian:12` is `debian:12`, too. */
export function allowedImagesOf({ allowedImages }: Pick<Config, 'allowedImages'>): ReadonlySet<string> {
  const spellings = new Set<string>();
  for (const image of allowedImages) {
    spellings.add(image);
    const short = parseImage(image)?.context;
    if (short !== undefined) spellings.add(short);
  }
  return spellings;
}
