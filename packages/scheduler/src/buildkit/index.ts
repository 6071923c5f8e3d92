/** BuildKit: asking daemons, building, explaining failures. */
export * from './address.ts';
export * from './arguments.ts';
export * from './build.ts';
export * from './failure.ts';
export * from './model.ts';
export * from './progress.ts';
export * from './text.ts';
export * from './worker.ts';
