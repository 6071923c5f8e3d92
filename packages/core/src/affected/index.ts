/** What a change to a tree affects. */
export * from './compare.ts';
export * from './outlook.ts';
