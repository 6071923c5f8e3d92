/** Child processes: start, end, find. */
export * from './find.ts';
export * from './run.ts';
export * from './tree.ts';
