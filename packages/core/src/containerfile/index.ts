/** Reading Containerfiles as BuildKit reads them: `parseContainerfile`, then `resolveContainerfile`. */

export { type DuplicateCopy, duplicateCopies } from './duplicates.ts';
export { familiarImageName } from './image.ts';
export type * from './instructions.ts';
export type * from './model.ts';
export { parseContainerfile } from './parse.ts';
export { resolveContainerfile } from './resolve.ts';
export { matchesContextSource } from './sources.ts';
