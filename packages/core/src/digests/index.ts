/** Committed digests: read, write, compare. */
export * from './compare.ts';
export * from './file.ts';
