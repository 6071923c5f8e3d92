/** Sources: fetch, adopt, import, export, list. The public face of this folder. */
export * from './bundle/export.ts';
export { BUNDLE_SCHEMA, type BundleManifest, type BundleSource } from './bundle/format.ts';
export * from './bundle/import.ts';
export { ensureSources, SourceFetcher } from './fetch/fetcher.ts';
export * from './fetch/options.ts';
export * from './local/adopt.ts';
export * from './local/materialise.ts';
export * from './local/status.ts';
export * from './model.ts';
export { memorySourceLedger, SourceStore, sourcePath, stampOf } from './store/store.ts';
export { byContent, type FetchPlace, fetchPlaces, wantedOf } from './wanted.ts';
