/** Records in a registry: the public face of this folder. */
export type { Remote, RemoteNotes, RemoteOptions, RemoteRecord } from './model.ts';
export { openRemote, type RemoteSetting } from './open.ts';
export { remotePlace } from './place.ts';
export { recordTag } from './record.ts';
