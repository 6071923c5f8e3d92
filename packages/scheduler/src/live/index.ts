/** Runs under way: made known, found, watched, asked. */
export { type Attachment, attachTo, liveRuns, type RunEnd } from './client.ts';
export type { RunFacts } from './protocol.ts';
export { type LiveHandlers, type LiveRun, openLiveRun } from './server.ts';
