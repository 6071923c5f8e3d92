/** The history of a tree, out of git: the public face of this folder. */
export * from './blame.ts';
export * from './command.ts';
export * from './tree-at.ts';
