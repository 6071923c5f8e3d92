/** The managed BuildKit: our own daemon with its own state, started when needed, gone when not. */
export {
  ensureManaged,
  type ManagedDaemon,
  type ManagedOptions,
  type ManagedStatus,
  managedStatus,
  stopManaged,
} from './managed/client.ts';
export { superviseDaemon } from './managed/launch.ts';
