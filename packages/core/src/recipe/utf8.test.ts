/** Decoding bytes strictly, and finding lines and columns. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, Lines, placeAt } from './utf8.ts';

const bytes = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))));

describe('decodeUtf8', () => {
  it('drops a byte order mark', () => {
    expect(decodeUtf8(bytes(0xef, 0xbb, 0xbf, 'a'))).toEqual({ ok: true, text: 'a' });
  });

  it.each([
    ['a lone continuation byte', bytes('ab\nc', 0x80), { line: 2, column: 2 }, 0x80],
    ['an overlong form', bytes('é', 0xc0, 0xaf), { line: 1, column: 2 }, 0xc0],
    ['an overlong form of three', bytes(0xe0, 0x80, 0x80), { line: 1, column: 1 }, 0xe0],
    ['a surrogate', bytes('😀', 0xed, 0xa0, 0x80), { line: 1, column: 2 }, 0xed],
    ['above U+10FFFF', bytes('x', 0xf4, 0x90, 0x80, 0x80), { line: 1, column: 2 }, 0xf4],
    ['a sequence cut off by the end', bytes('x\n', 0xe2, 0x82), { line: 2, column: 1 }, 0xe2],
    ['latin-1', bytes('name = "caf', 0xe9, '"'), { line: 1, column: 12 }, 0xe9],
  ])('tells the place of %s', (_, input, place, byte) => {
    expect(decodeUtf8(input)).toEqual({ ok: false, place, byte });
  });

  it('takes exactly what TextDecoder takes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (input) => {
        let text: string | null = null;
        try {
          text = new TextDecoder('utf-8', { fatal: true }).decode(input);
        } catch {
          // stays null
        }
        const decoded = decodeUtf8(input);
        expect(decoded.ok ? decoded.text : null).toBe(text);
        if (!decoded.ok) expect(Buffer.from(input).includes(decoded.byte)).toBe(true);
      }),
    );
  });
});

describe('Lines', () => {
  it('counts characters, not UTF-16 units', () => {
    expect(placeAt('a\n😀é x', 5)).toEqual({ line: 2, column: 3 });
  });

  it('agrees with counting by hand', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', 'é')), fc.nat(40), (chars, at) => {
        const text = chars.join('');
        const before = text.slice(0, at).split('\n');
        expect(new Lines(text).place(at)).toEqual({
          line: before.length,
          column: (before.at(-1) ?? '').length + 1,
        });
      }),
    );
  });
});
