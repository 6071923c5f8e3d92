/** The managed BuildKit: our own daemon with its own state, started when needed, gone when not. */
export { ensureManaged, type ManagedOptions } from './managed/client.ts';
export { superviseDaemon } from './managed/launch.ts';
export type { ManagedDaemon } from './managed/lease.ts';
export { type ManagedStatus, managedStatus, stopManaged } from './managed/status.ts';
