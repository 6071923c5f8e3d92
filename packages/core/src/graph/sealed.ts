/**
 * Lines of text with their hash before them: what is kept on disk and was damaged there is seen to be, wherever it
 * was. The lines are cut apart when they are asked for: most are not.
 */
import { digestOf } from '../oci/digest.ts';

/** Of this form itself; another one is as if nothing were kept. */
const FORM = '2';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `<form> <digest of what follows>\n<length of each line in bytes>\n<lines>`. */
export function seal(lines: readonly string[]): string {
  const lengths = lines.map((line) => encoder.encode(line).length);
  const text = `${JSON.stringify(lengths)}\n${lines.join('\n')}`;
  return `${FORM} ${digestOf(text)}\n${text}`;
}

export interface Sealed {
  readonly count: number;
  line(place: number): string;
}

const NEWLINE = 10;

/** Null where it is not as it was sealed. */
export function unseal(bytes: Uint8Array): Sealed | null {
  const end = bytes.indexOf(NEWLINE);
  const rest = bytes.subarray(end + 1);
  if (end <= 0 || `${FORM} ${digestOf(rest)}` !== decoder.decode(bytes.subarray(0, end))) return null;
  const first = rest.indexOf(NEWLINE);
  const lengths = JSON.parse(decoder.decode(rest.subarray(0, first))) as number[];
  const starts = new Float64Array(lengths.length);
  let at = first + 1;
  for (const [place, length] of lengths.entries()) {
    starts[place] = at;
    at += length + 1;
  }
  return {
    count: lengths.length,
    line: (place) => {
      const start = starts[place] ?? at;
      return decoder.decode(rest.subarray(start, start + (lengths[place] ?? 0)));
    },
  };
}
