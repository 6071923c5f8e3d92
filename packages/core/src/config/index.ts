/** A tree's stx-make.toml: its settings, read and checked. */
export * from './model.ts';
export * from './read.ts';
