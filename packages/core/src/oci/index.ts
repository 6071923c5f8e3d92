/** OCI documents, digests and archives: the public face of this folder. */
export * from './digest.ts';
export * from './documents.ts';
export * from './identity.ts';
export * from './layout.ts';
export type * from './model.ts';
export * from './platform.ts';
export * from './tar.ts';
