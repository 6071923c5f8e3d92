/** The public face of scheduler. */
export * from './paths.ts';
