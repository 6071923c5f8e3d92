/**
 * Images of the builder in memory: layers of plain files, written and read as OCI blobs by own code.
 *
 * Shares nothing with packages/, so a mistake there can not hide behind the same one here. Knows as much of tar
 * and OCI as it writes itself; unaware of Containerfiles and of where blobs lie.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { tar } from '../rig/images.ts';

/** A file of a root file system; a link's content is its target. */
export interface MiniFile {
  readonly content: string;
  readonly mode: '0644' | '0755' | 'link';
}

export interface Layer {
  readonly files: ReadonlyMap<string, MiniFile>;
  readonly digest: string;
  readonly size: number;
  readonly diffId: string;
  /** Only layers of this very build carry BuildKit's mark. */
  readonly bytes: Buffer;
}

/** One platform's image. */
export interface MiniImage {
  readonly platform: string;
  readonly layers: readonly Layer[];
  /** `ENV` lines in order. */
  readonly env: readonly string[];
  /** Digest of the config document. */
  readonly config: string;
  readonly manifest: string;
}

/** What a build gives: one image a platform, and every blob that is new. */
export interface MiniOutput {
  readonly images: readonly MiniImage[];
  readonly index: string;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

const KIND = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export function sha(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Layers made lately: a function of their files, and most of what a rebuild of everything costs. */
const made = new Map<string, Layer>();
const MOST = 4_000;

function remember(memory: Map<string, Layer>, key: string, layer: Layer): Layer {
  if (memory.size >= MOST) memory.clear();
  memory.set(key, layer);
  return layer;
}

/** @param compression another one stands for a builder with another compressor */
export function makeLayer(files: ReadonlyMap<string, MiniFile>, compression: number): Layer {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify([compression, sorted]);
  return made.get(key) ?? remember(made, key, packLayer(files, sorted, compression));
}

function packLayer(
  files: ReadonlyMap<string, MiniFile>,
  sorted: readonly [string, MiniFile][],
  compression: number,
): Layer {
  const raw = tar(
    sorted.map(([path, { content, mode }]) =>
      mode === 'link'
        ? { path, flag: '2', link: content }
        : { path, content, mode: Number.parseInt(mode, 8) },
    ),
  );
  const bytes = gzipSync(raw, { level: compression });
  return { files, digest: sha(bytes), size: bytes.length, diffId: sha(raw), bytes };
}

export interface ImageDraft {
  readonly platform: string;
  /** How many of the layers are the base image's. */
  readonly inherited: number;
  readonly layers: readonly Layer[];
  readonly env: readonly string[];
}

export function makeOutput(
  drafts: readonly ImageDraft[],
  annotations: Readonly<Record<string, string>>,
): MiniOutput {
  const blobs = new Map<string, Buffer>();
  const put = (document: unknown): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = sha(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const images: MiniImage[] = [];
  const manifests = drafts.map(({ platform, inherited, layers, env }) => {
    const [os, architecture] = platform.split('/');
    const config = put({
      architecture,
      os,
      config: { Env: env },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    });
    for (const layer of layers) blobs.set(layer.digest, layer.bytes);
    const manifest = put({
      schemaVersion: 2,
      mediaType: KIND.manifest,
      config: { mediaType: KIND.config, ...config },
      layers: layers.map(({ digest, size }, place) => ({
        mediaType: KIND.layer,
        digest,
        size,
        ...(place < inherited ? {} : { annotations: { 'buildkit/rewritten-timestamp': '1' } }),
      })),
      annotations,
    });
    images.push({ platform, layers, env, config: config.digest, manifest: manifest.digest });
    return { mediaType: KIND.manifest, ...manifest, platform: { architecture, os } };
  });
  const index = put({ schemaVersion: 2, mediaType: KIND.index, manifests });
  return { images, index: index.digest, blobs };
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** Reads an image back out of blobs: of an index the one for `platform`. */
export function readImage(read: (digest: string) => Buffer, digest: string, platform: string): MiniImage {
  const bytes = checked(read, digest);
  const document = JSON.parse(bytes.toString()) as {
    readonly manifests?: readonly Descriptor[];
    readonly layers?: readonly Descriptor[];
    readonly config?: Descriptor;
  };
  if (document.manifests !== undefined) {
    const found = document.manifests.find(
      (entry) => `${entry.platform?.os}/${entry.platform?.architecture}` === platform,
    );
    if (found === undefined) throw new Error(`no image for ${platform} in ${digest}`);
    return readImage(read, found.digest, platform);
  }
  const config = document.config?.digest ?? '';
  const {
    os,
    architecture,
    config: inner,
  } = JSON.parse(checked(read, config).toString()) as {
    readonly os: string;
    readonly architecture: string;
    readonly config: { readonly Env: readonly string[] };
  };
  const layers = (document.layers ?? []).map(({ digest: layer }) => {
    const packed = checked(read, layer);
    return unpacked.get(layer) ?? remember(unpacked, layer, unpackLayer(packed, layer));
  });
  return { platform: `${os}/${architecture}`, layers, env: inner.Env, config, manifest: digest };
}

function checked(read: (digest: string) => Buffer, digest: string): Buffer {
  const bytes = read(digest);
  if (sha(bytes) !== digest) throw new Error(`unexpected commit digest: ${digest}`);
  return bytes;
}

const unpacked = new Map<string, Layer>();

function unpackLayer(bytes: Buffer, digest: string): Layer {
  const raw = gunzipSync(bytes);
  const files = new Map<string, MiniFile>();
  for (let at = 0; raw[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      raw.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const content = raw.toString('utf8', at + 512, at + 512 + size);
    const mode = Number.parseInt(text(100, 8), 8) === 0o755 ? '0755' : '0644';
    files.set(
      text(0, 100),
      text(156, 1) === '2' ? { mode: 'link', content: text(157, 100) } : { mode, content },
    );
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return { files, digest, size: bytes.length, diffId: sha(raw), bytes };
}

/** What is seen of layers from above: the upper wins. */
export function flatten(layers: readonly Pick<Layer, 'files'>[]): Map<string, MiniFile> {
  const all = new Map<string, MiniFile>();
  for (const { files } of layers) for (const [path, file] of files) all.set(path, file);
  return all;
}
