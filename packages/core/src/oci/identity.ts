/**
 * What of an output others can see, as one digest, and where two outputs differ, as data.
 *
 * A COPY from an image sees its files; a FROM sees everything. Unaware of blobs: the ladder ends at the diff
 * ids, the files below them are for whoever has the bytes.
 */
import { digestOf } from './digest.ts';
import type { Descriptor, Digest, ImageOutput, Output } from './model.ts';

/** What a COPY or mount sees of an image: its layers uncompressed. Neither config nor compressor counts. */
export function rootfsIdentity(image: Pick<ImageOutput, 'diffIds'>): Digest {
  return digestOf(`stx-make rootfs 1\n${image.diffIds.join('\n')}`);
}

/** What a FROM sees of an image: its config (whole) and its layers as they are compressed, for both go into the
 * dependent's image. Annotations of the manifest do not. */
export function imageIdentity(image: Pick<ImageOutput, 'config' | 'layers'>): Digest {
  const layers = image.layers.map((layer) => `${layer.mediaType} ${layer.digest}`);
  return digestOf(`stx-make image 1\n${image.config.digest}\n${layers.join('\n')}`);
}

/** The steps of the ladder, from the top. */
export type Rung = 'index' | 'platforms' | 'manifest' | 'config' | 'layers' | 'layer' | 'diff-id';

/** One step at which two outputs differ. */
export interface RungDifference {
  readonly rung: Rung;
  /** Digests, or what was counted (`layers`, `platforms`). */
  readonly before: string;
  readonly after: string;
}

/** Where two outputs differ: every differing step of the first differing image, from the top. */
export interface OutputDifference {
  /** The image's; null where the images themselves are other ones. */
  readonly platform: string | null;
  readonly rungs: readonly RungDifference[];
  /** The lowest differing step: the cause. `layer` without `diff-id` is another compressor, not another
   * content; `manifest` alone is another annotation or media type. */
  readonly cause: Rung;
  /** The first layer with another content or compressor, 0 is the bottom. */
  readonly layer: { readonly place: number; readonly before: Descriptor; readonly after: Descriptor } | null;
}

/** Null where they are equal. */
export function firstDifference(before: Output, after: Output): OutputDifference | null {
  const top = step('index', before.index.digest, after.index.digest);
  const platforms = step('platforms', platformsOf(before), platformsOf(after));
  if (platforms.length > 0) {
    return { platform: null, rungs: [...top, ...platforms], cause: 'platforms', layer: null };
  }
  for (const [place, a] of before.images.entries()) {
    const b = after.images[place];
    if (b === undefined) continue;
    const difference = imageDifference(a, b);
    if (difference !== null) return { ...difference, rungs: [...top, ...difference.rungs] };
  }
  return top.length === 0 ? null : { platform: null, rungs: top, cause: 'index', layer: null };
}

function platformsOf(output: Output): string {
  return output.images.map((image) => image.platform).join(',');
}

function step(rung: Rung, before: string, after: string): RungDifference[] {
  return before === after ? [] : [{ rung, before, after }];
}

function imageDifference(before: ImageOutput, after: ImageOutput): OutputDifference | null {
  const rungs = [
    ...step('manifest', before.manifest.digest, after.manifest.digest),
    ...step('config', before.config.digest, after.config.digest),
    ...step('layers', String(before.layers.length), String(after.layers.length)),
  ];
  // A layer with another content is the cause even where a lower one only has another compressor.
  const content = before.layers.findIndex(
    (_, place) => place < after.layers.length && before.diffIds[place] !== after.diffIds[place],
  );
  const compressed = before.layers.findIndex(
    (layer, place) => place < after.layers.length && layer.digest !== after.layers[place]?.digest,
  );
  const place = content !== -1 ? content : compressed;
  const a = before.layers[place];
  const b = after.layers[place];
  let layer: OutputDifference['layer'] = null;
  if (a !== undefined && b !== undefined) {
    layer = { place, before: a, after: b };
    rungs.push(...step('layer', a.digest, b.digest));
    rungs.push(...step('diff-id', before.diffIds[place] ?? 'none', after.diffIds[place] ?? 'none'));
  }
  const cause = rungs.at(-1);
  return cause === undefined ? null : { platform: before.platform, rungs, cause: cause.rung, layer };
}

/** The ladder in one line: `manifest 12ab… -> 34cd…, config ..., layer 2 ..., diff id ...`. */
export function describeDifference(difference: OutputDifference): string {
  const short = (text: string): string => text.replace(/^sha256:([0-9a-f]{12})[0-9a-f]+$/, '$1');
  const steps = difference.rungs.map(({ rung, before, after }) => {
    const place = rung === 'layer' && difference.layer !== null ? ` ${difference.layer.place + 1}` : '';
    return `${rung}${place} ${short(before)} -> ${short(after)}`;
  });
  const note = difference.cause === 'layer' ? ' (same content, another compressor)' : '';
  const platform = difference.platform === null ? '' : `${difference.platform}: `;
  return `${platform}${steps.join(', ')}${note}`;
}
