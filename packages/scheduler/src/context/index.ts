/** Build contexts: the public face of this folder. */
export * from './list.ts';
export * from './stage.ts';
export * from './times.ts';
