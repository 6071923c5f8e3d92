/** Lengths and times of day as people type them. Pure. */

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

/** `5h`, `90m`, `1h30m`, `45s`, `2d` as ms; null where it is nothing like that. */
export function timeSpan(text: string): number | null {
  if (!/^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(text) || text === '') return null;
  let ms = 0;
  for (const [, number = '0', unit = 's'] of text.matchAll(/(\d+)([dhms])/g)) {
    ms += Number(number) * (UNITS[unit] ?? 0);
  }
  return ms;
}

/** When the clock here next shows `HH:MM`, ms since the epoch; null where it is no time of day. */
export function nextTimeOfDay(text: string, now: Date): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return null;
  const then = new Date(now);
  then.setHours(Number(hours), Number(minutes), 0, 0);
  if (then.getTime() <= now.getTime()) then.setDate(then.getDate() + 1);
  return then.getTime();
}
