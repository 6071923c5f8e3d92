/** Fingerprints: their canonical form, their hash, their differences. */
export * from './difference.ts';
export * from './encode.ts';
