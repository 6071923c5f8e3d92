/** The store of outputs: the public face of this folder. */
export * from './diff.ts';
export * from './gc.ts';
export * from './ledger.ts';
export * from './output.ts';
export { type BadBlob, openPool, type Pool, type PoolListing } from './pool.ts';
export * from './publish.ts';
export { type Expectation, VerificationError, verifyDocuments, verifyOutput } from './verify.ts';
