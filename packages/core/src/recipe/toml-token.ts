/**
 * What single tokens of TOML mean: escapes in strings, dates and times.
 */

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r' };

/** A basic string's text between its quotes, with its escapes replaced; they are known to be well-formed. */
export function unescaped(inner: string): string {
  return inner.replace(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs,
    (_, short?: string, long?: string, char?: string) => {
      const hex = short ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return ESCAPES[char ?? ''] ?? char ?? '';
    },
  );
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](?=\d))?/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?/;
const OFFSET = /^(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339 as TOML takes it: a date, a time, or both with or without an offset, that the calendar has. */
export function isRealTime(token: string): boolean {
  const date = DATE.exec(token);
  if (date !== null && !isRealDate(Number(date[1]), Number(date[2]), Number(date[3]))) return false;
  const rest = token.slice(date?.[0].length ?? 0);
  if (rest === '') return true;
  const time = TIME.exec(rest);
  if (time === null || Number(time[1]) > 23 || Number(time[2]) > 59 || Number(time[3]) > 60) return false;
  const zone = rest.slice(time[0].length);
  return zone === '' || (date !== null && OFFSET.test(zone));
}

function isRealDate(year: number, month: number, day: number): boolean {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}
