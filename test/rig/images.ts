/**
 * Images made by hand, without BuildKit: for tests that need bytes BuildKit would never give.
 *
 * Shares no code with packages/ beyond types, so a mistake there can not hide behind the same one here.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface TarFile {
  readonly path: string;
  readonly content?: string;
  readonly mtime?: number;
  readonly mode?: number;
  readonly uid?: number;
  /** The type flag; `0` is a file. */
  readonly flag?: string;
  readonly link?: string;
  /** Records of a PAX header in front of it. */
  readonly pax?: Readonly<Record<string, string>>;
}

/** A ustar archive, with its end mark. */
export function tar(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.flatMap(entry), Buffer.alloc(1024)]);
}

function entry(file: TarFile): Buffer[] {
  const blocks: Buffer[] = [];
  if (file.pax !== undefined) {
    const records = Object.entries(file.pax)
      .map(([key, value]) => paxRecord(key, value))
      .join('');
    blocks.push(...member({ path: 'pax', flag: 'x', content: records }));
  }
  blocks.push(...member(file));
  return blocks;
}

function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(body);
  let length = bytes + 1;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return `${length}${body}`;
}

function member(file: TarFile): Buffer[] {
  const content = Buffer.from(file.content ?? '');
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number): void => {
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  header.write(file.path, 0, 100);
  octal(file.mode ?? 0o644, 100, 8);
  octal(file.uid ?? 0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(file.mtime ?? 1, 136, 12);
  header.write(file.flag ?? '0', 156, 'latin1');
  header.write(file.link ?? '', 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

export function sha(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export const KINDS = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export const ANNOTATIONS = { 'org.opencontainers.image.version': '1.0' } as const;

/** A layer as it lies in a pool and as the manifest names it. */
export interface FakeLayer {
  readonly bytes: Buffer;
  readonly diffId: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly mediaType?: string;
}

export function fakeLayer(files: readonly TarFile[], rewritten: string | null = '1'): FakeLayer {
  const raw = tar(files);
  const annotations =
    rewritten === null ? {} : { annotations: { 'buildkit/rewritten-timestamp': rewritten } };
  return { bytes: gzipSync(raw), diffId: sha(raw), ...annotations };
}

type Document = Record<string, unknown>;

/** What can be made wrong: each function says what to replace in a document before it is hashed; undefined takes
 * a field away. */
export interface Mutations {
  readonly config?: (config: Document) => Document;
  readonly manifest?: (manifest: Document) => Document;
  readonly index?: (index: Document) => Document;
}

export interface FakeImage {
  readonly index: string;
  readonly manifest: string;
  readonly config: string;
  /** All blobs by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** A linux/amd64 image in a nested index, as BuildKit exports it. */
export function fakeImage(layers: readonly FakeLayer[], mutate: Mutations = {}): FakeImage {
  const blobs = new Map<string, Buffer>();
  const put = (document: Document): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(document));
    blobs.set(sha(bytes), bytes);
    return { digest: sha(bytes), size: bytes.length };
  };
  for (const { bytes } of layers) blobs.set(sha(bytes), bytes);
  const config: Document = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const configBlob = put({ ...config, ...mutate.config?.(config) });
  const manifest: Document = {
    schemaVersion: 2,
    mediaType: KINDS.manifest,
    config: { mediaType: KINDS.config, ...configBlob },
    layers: layers.map(({ bytes, annotations, mediaType }) => ({
      mediaType: mediaType ?? KINDS.layer,
      digest: sha(bytes),
      size: bytes.length,
      ...(annotations === undefined ? {} : { annotations }),
    })),
    annotations: ANNOTATIONS,
  };
  const manifestBlob = put({ ...manifest, ...mutate.manifest?.(manifest) });
  const index: Document = {
    schemaVersion: 2,
    mediaType: KINDS.index,
    manifests: [
      { mediaType: KINDS.manifest, ...manifestBlob, platform: { architecture: 'amd64', os: 'linux' } },
    ],
  };
  return {
    index: put({ ...index, ...mutate.index?.(index) }).digest,
    manifest: manifestBlob.digest,
    config: configBlob.digest,
    blobs,
  };
}
