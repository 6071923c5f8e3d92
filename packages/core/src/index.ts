/**
 * The public face of core: pure functions and data types, no child processes, terminal or clock.
 */

export type * from './containerfile/model.ts';
export * from './errors.ts';
export * from './events.ts';
export type * from './graph/model.ts';
export * from './oci/digest.ts';
export type * from './oci/model.ts';
export * from './order.ts';
export type * from './recipe/model.ts';
