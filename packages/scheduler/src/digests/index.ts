/** Committed digests, local outputs, published images: the public face of this folder. */
export { type AdoptRequest, adopt, type PreseedRequest, preseed } from './adopt.ts';
export * from './digests.ts';
export type { TakenTarget, TakeReport, TakeResult } from './taken.ts';
export * from './verify.ts';
