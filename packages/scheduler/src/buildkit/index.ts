/** BuildKit: workers and their engines, builds, failures explained, the managed daemon. */
export * from './address.ts';
export * from './arguments.ts';
export * from './build.ts';
export * from './canary.ts';
export * from './connect.ts';
export * from './failure.ts';
export * from './inspect.ts';
export * from './managed.ts';
export * from './model.ts';
export * from './progress.ts';
export * from './text.ts';
export * from './worker.ts';
export * from './worker-set.ts';
