/** Images of targets: what is in them, and loading them into engines. */
export { contentOf, type ImageContent } from './content.ts';
export { ENGINES, type EngineName } from './engines.ts';
export { type ImportReport, type ImportRequest, importImages } from './import.ts';
export { type ImageEntry, MergedFiles } from './merge.ts';
