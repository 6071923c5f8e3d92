/** The canonical form: injective, sorted, version marked, readable back; every field counts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { compareFacts, explainChange } from './difference.ts';
import { decodeFacts, encodeFacts, type FingerprintInputs, factsOf, fingerprintOf } from './encode.ts';

const base: FingerprintInputs = {
  target: 'core-zlib',
  version: '1.3.1',
  buildTarget: null,
  platforms: ['linux/amd64'],
  containerfile: digestOf('FROM scratch\n'),
  files: [{ path: 'a.patch', mode: '0644', digest: digestOf('a') }],
  sources: [{ file: 'zlib.tar.gz', sha256: 'a'.repeat(64) }],
  buildArgs: { VERSION: '1.3.1' },
  engine: 'e1',
  dependencies: [{ target: 'core-musl', sees: 'rootfs', identity: digestOf('m') }],
};

const hash = (inputs: FingerprintInputs) => fingerprintOf(encodeFacts(factsOf(inputs)));

describe('fingerprint', () => {
  test('every field changes it', () => {
    const variants: FingerprintInputs[] = [
      base,
      { ...base, target: 'core-zlib2' },
      { ...base, version: 'latest' },
      { ...base, buildTarget: 'package-a' },
      { ...base, platforms: ['linux/386'] },
      { ...base, platforms: ['linux/amd64', 'linux/386'] },
      { ...base, platforms: ['linux/386', 'linux/amd64'] },
      { ...base, containerfile: digestOf('x') },
      { ...base, files: [] },
      { ...base, files: [{ path: 'a.patch', mode: '0755', digest: digestOf('a') }] },
      { ...base, files: [{ path: 'a.patch', mode: '0644', digest: digestOf('b') }] },
      { ...base, files: [{ path: 'b.patch', mode: '0644', digest: digestOf('a') }] },
      { ...base, sources: [] },
      { ...base, sources: [{ file: 'z.tar.gz', sha256: 'a'.repeat(64) }] },
      { ...base, sources: [{ file: 'zlib.tar.gz', sha256: 'b'.repeat(64) }] },
      { ...base, buildArgs: {} },
      { ...base, buildArgs: { VERSION: '1.3.2' } },
      { ...base, engine: 'e2' },
      { ...base, dependencies: [] },
      { ...base, dependencies: [{ target: 'core-musl', sees: 'image', identity: digestOf('m') }] },
      { ...base, dependencies: [{ target: 'core-musl', sees: 'rootfs', identity: digestOf('n') }] },
      { ...base, dependencies: [{ target: 'core-muzl', sees: 'rootfs', identity: digestOf('m') }] },
    ];
    expect(new Set(variants.map(hash)).size).toBe(variants.length);
  });

  test('the order in which things were found does not change it', () => {
    const file = fc.record({
      path: fc.string({ minLength: 1 }),
      mode: fc.constantFrom('0644' as const, '0755' as const),
      digest: fc.string().map(digestOf),
    });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (f) => f.path }), (files) => {
        expect(hash({ ...base, files: files.toReversed() })).toBe(hash({ ...base, files }));
      }),
    );
  });

  test('is read back as it was written, and refuses damage', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (buildArgs) => {
        const facts = factsOf({ ...base, buildArgs });
        expect(decodeFacts(encodeFacts(facts))).toEqual(facts);
      }),
    );
    const text = encodeFacts(factsOf(base));
    expect(decodeFacts(text.slice(0, -5))).toBeNull();
    expect(decodeFacts(text.replace('fingerprint 1', 'fingerprint 2'))).toBeNull();
  });

  test('a known value stays: records of earlier releases must keep answering', () => {
    expect(hash(base)).toMatchInlineSnapshot(
      `"sha256:ddd803604069099ee174f58426d4197558bdb8dcfb99a8abf7649ee5203810ba"`,
    );
  });
});

describe('compareFacts', () => {
  test('says what was added, dropped and changed, with kinds', () => {
    const before = factsOf(base);
    const after = factsOf({
      ...base,
      files: [{ path: 'b.patch', mode: '0644', digest: digestOf('a') }],
      buildArgs: { VERSION: '2' },
    });
    const reasons = compareFacts(before, after).map(explainChange);
    expect(reasons.map((reason) => reason.code)).toEqual(['arg-changed', 'file-dropped', 'file-added']);
    expect(reasons[0]?.text).toBe('arg VERSION changed from 1.3.1 to 2');
  });

  test('equal facts give nothing', () => {
    expect(compareFacts(factsOf(base), factsOf(base))).toEqual([]);
  });
});
