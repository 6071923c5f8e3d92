/**
 * The variables of FROM: those BuildKit defines and the ARGs before the first FROM. ARGs within a stage take
 * their defaults from here too.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/dockerfile2llb/{convert,platform}.go.
 */

import { familiarImageName } from './image.ts';
import type { ParsedContainerfile } from './instructions.ts';
import { expandWord } from './lex.ts';
import type { ResolveOptions } from './model.ts';
import { formatPlatform, type Platform } from './platform.ts';
import { PlacedError, placed } from './text.ts';

const EPOCH = 'SOURCE_DATE_EPOCH';

export interface GlobalArgs {
  readonly globals: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
}

/** @throws PlacedError where a default can not be expanded or the epoch is none */
export function globalArgs(
  parsed: ParsedContainerfile,
  input: { readonly build: Platform; readonly target: Platform; readonly options: ResolveOptions },
): GlobalArgs {
  const { build, target, options } = input;
  const buildArgs = new Map(Object.entries(options.buildArgs));
  const globals = new Map<string, string>();
  const stage = (options.target ?? '') || (parsed.stages.at(-1)?.from.name ?? '') || 'default';
  for (const [name, value] of [
    ['BUILDPLATFORM', formatPlatform(build, false)],
    ['BUILDOS', build.os],
    ['BUILDOSVERSION', build.osVersion],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant],
    ['TARGETPLATFORM', formatPlatform(target, true)],
    ['TARGETOS', target.os],
    ['TARGETOSVERSION', target.osVersion],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant],
    ['TARGETSTAGE', stage],
  ] as const) {
    globals.set(name, buildArgs.get(name) ?? value);
  }
  for (const { pairs, line } of parsed.metaArgs) {
    for (const { key, value } of pairs) {
      const given = buildArgs.get(key);
      if (given !== undefined) globals.set(key, given);
      else if (value !== null) {
        const expand = (): string => expandWord(value, globals, { escapeToken: parsed.escapeToken }).text;
        globals.set(key, placed(line, 'containerfile-variable', expand));
      }
    }
  }
  const isStage = (name: string): boolean =>
    parsed.stages.some(({ from }) => from.name === name.toLowerCase());
  normalizeEpoch(
    globals,
    buildArgs,
    (name) => name === 'context' || options.contexts.has(familiarImageName(name) ?? '') || isStage(name),
  );
  return { globals, buildArgs };
}

/** BuildKit reads the epoch and writes it back: `01` becomes `1`, an empty one is as if not given. Its other
 * forms (`context`, a named context, a stage that is one remote ADD) need the context or the network: they
 * stay as written. */
function normalizeEpoch(
  globals: Map<string, string>,
  buildArgs: Map<string, string>,
  isKnown: (name: string) => boolean,
): void {
  const epoch = buildArgs.get(EPOCH) ?? (globals.get(EPOCH) || undefined);
  if (epoch === undefined) return;
  const isNumber = /^[+-]?[0-9]{1,18}$/.test(epoch);
  if (!isNumber && epoch !== '' && !isKnown(epoch)) {
    throw new PlacedError(`invalid ${EPOCH}: ${epoch}`, 1, 'containerfile-variable');
  }
  const normal = isNumber ? String(Number(epoch)) : epoch;
  for (const args of [globals, buildArgs]) {
    if (!args.has(EPOCH)) continue;
    if (normal === '') args.delete(EPOCH);
    else args.set(EPOCH, normal);
  }
}
