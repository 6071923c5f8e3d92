/** Images in a registry, by digest: the public face of this folder. */
export * from './client.ts';
export * from './place.ts';
export type { Pushing, SentBlob } from './push.ts';
