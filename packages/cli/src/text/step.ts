/**
 * A step as BuildKit names it, short enough for a row: `[linux/amd64 build 4/6] RUN --network=none make` is
 * `[build 4/6] RUN make`. For views; failures and logs keep the whole name. Unaware of colours.
 */
import { sanitizeLine } from './sanitize.ts';

/** The platform is the target's own in nearly every tree, and a RUN's flags say nothing of what it does. */
const PLATFORM = /^\[[a-z0-9]+\/[a-z0-9/]+ /;
const FLAGS = /^(\[[^\]]*\] )?(RUN|COPY|ADD|FROM)((?: --[a-z-]+(?:=\S*)?)+) /;

export function stepText(name: string): string {
  return sanitizeLine(name)
    .replace(PLATFORM, '[')
    .replace(FLAGS, (_all, place: string | undefined, word: string) => `${place ?? ''}${word} `);
}
