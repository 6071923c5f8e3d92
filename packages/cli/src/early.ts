/**
 * What `world` loads when there is nothing to do, as one module: tools/bundle.ts makes one file of all it needs, and
 * one file loads faster than thirty (a chunk costs 1 to 2 ms, measured). What builds is not in it.
 */
export { openSession, run } from '@stx-make/scheduler/session';
export { build, world } from './commands/build.ts';
