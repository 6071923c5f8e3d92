/** From what people type to a target: unique, ambiguous, unknown. */
import { describe, expect, it } from 'vitest';
import { copies, loaded, packageToml } from './fixture.ts';
import { resolveName } from './names.ts';

const { graph } = await loaded({
  'core/rust': copies(),
  'core/zlib': copies(),
  'pallet/rust': copies(),
  'user/linux': [
    packageToml('linux', 'subpackages = ["linux-server", "linux-guest"]'),
    'FROM scratch AS package-linux-server\nFROM scratch AS package-linux-guest\n',
  ],
  'user/core-zlib': copies(),
  'core/llvm': [
    packageToml('llvm', 'subpackages = ["llvm", "clang"]'),
    'FROM scratch AS package-llvm\nFROM scratch AS package-clang\n',
  ],
});

describe('resolveName', () => {
  it.each([
    ['core-rust', 'core-rust'],
    ['core/rust', 'core-rust'],
    ['packages/core/rust', 'core-rust'],
    ['packages/core/rust/', 'core-rust'],
    ['stagex/core-rust', 'core-rust'],
    ['docker.io/stagex/core-rust:latest', 'core-rust'],
    ['zlib', 'core-zlib'],
    ['linux-guest', 'user-linux-guest'],
    ['user/linux-guest', 'user-linux-guest'],
    ['llvm', 'core-llvm'],
    ['core/llvm', 'core-llvm'],
    ['clang', 'core-clang'],
    // A whole name goes before a bare one.
    ['core-zlib', 'core-zlib'],
    ['user/core-zlib', 'user-core-zlib'],
  ])('%s is %s', (text, name) => {
    expect(resolveName(text, graph)).toEqual({ name, problem: null });
  });

  it.each([
    ['rust', '"rust" can be core-rust or pallet-rust'],
    ['linux', '"linux" can be user-linux-guest or user-linux-server'],
    ['user/linux', '"user/linux" can be user-linux-guest or user-linux-server'],
    ['user-linux', '"user-linux" can be user-linux-guest or user-linux-server'],
  ])('%s: the choices', (text, shown) => {
    expect(resolveName(text, graph).problem).toMatchObject({
      code: 'ambiguous-name',
      tag: 'input',
      text: shown,
    });
  });

  it.each([
    ['core-rsut', 'did you mean core-rust?'],
    ['zlbi', 'did you mean core-zlib?'],
    ['pallet-zlib', 'did you mean core-zlib?'],
    ['pallet/zlib', 'did you mean core-zlib?'],
    ['', undefined],
    ['no-such-thing-at-all', undefined],
  ])('%j is unknown', (text, hint) => {
    const { problem } = resolveName(text, graph);
    expect(problem?.code).toBe('unknown-target');
    expect(problem?.hint).toBe(hint);
  });
});
