/** Durable files: the public face of this folder. */
export * from './durable.ts';
export * from './hash.ts';
export * from './parallel.ts';
export * from './problems.ts';
export * from './together.ts';
