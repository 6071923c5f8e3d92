/**
 * Texts in the database with a checksum before them. sqlite notices broken pages, not a changed byte inside a row; and
 * one digit of a digest that changed would be shown as the target's. A text whose seal is broken counts as not there.
 *
 * Against accidents only. No library's: a run with nothing to do must not wait for one to be loaded (zlib: 5 ms).
 */

/** 16 hex digits and a space. */
const SEAL = 17;

/** @param about what else of the row it goes with */
export function seal(text: string, ...about: readonly string[]): string {
  return `${checksum(about, Buffer.from(text))} ${text}`;
}

/** Null where something changed. */
export function unseal(sealed: string, ...about: readonly string[]): string | null {
  const text = sealed.slice(SEAL);
  return sealed.slice(0, SEAL) === `${checksum(about, Buffer.from(text))} ` ? text : null;
}

/** As unseal, of the bytes of a sealed text. */
export function unsealBytes(sealed: Uint8Array, ...about: readonly string[]): Uint8Array | null {
  // Bytes of their own, for the words to begin where the text does.
  const text = new Uint8Array(sealed.subarray(SEAL));
  const head = Buffer.from(sealed.subarray(0, SEAL)).toString('latin1');
  return head === `${checksum(about, text)} ` ? text : null;
}

/** As unseal, of what may have been written before there were seals. */
export function unsealOld(sealed: string, ...about: readonly string[]): string | null {
  return /^[0-9a-f]{16} /.test(sealed) ? unseal(sealed, ...about) : sealed;
}

/** As unsealOld, of JSON. */
export function unsealJson<T>(sealed: string, ...about: readonly string[]): T | null {
  const text = unsealOld(sealed, ...about);
  try {
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Two 32-bit hashes side by side, of the kind of FNV-1a but over words: any one changed word changes both. */
function checksum(about: readonly string[], text: Uint8Array): string {
  let a = 0x811c9dc5 | 0;
  let b = 0x9e3779b9 | 0;
  const take = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul((b << 7) ^ (b >>> 25) ^ word, 0x85ebca6b);
  };
  for (const bytes of [...about.map((part) => Buffer.from(part)), text]) {
    const whole = bytes.length >> 2;
    const { buffer, byteOffset } = byteOffsetIsWhole(bytes) ? bytes : new Uint8Array(bytes);
    const words = new Int32Array(buffer, byteOffset, whole);
    for (let at = 0; at < whole; at += 1) {
      const word = words[at] as number;
      a = Math.imul(a ^ word, 0x01000193);
      b = Math.imul((b << 7) ^ (b >>> 25) ^ word, 0x85ebca6b);
    }
    for (let at = whole << 2; at < bytes.length; at += 1) take(bytes[at] as number);
    // Where one ends and the next begins.
    take(bytes.length);
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

function byteOffsetIsWhole(bytes: Uint8Array): boolean {
  return (bytes.byteOffset & 3) === 0;
}
