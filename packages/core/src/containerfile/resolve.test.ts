// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Containerfiles write variables like that.
import { expect, test } from 'vitest';
import { ProblemError } from '../errors.ts';
import type { ResolvedContainerfile, ResolveOptions } from './model.ts';
import { parseContainerfile } from './parse.ts';
import { resolveContainerfile } from './resolve.ts';

const resolve = (text: string, options: Partial<ResolveOptions> = {}): ResolvedContainerfile =>
  resolveContainerfile(parseContainerfile(new TextEncoder().encode(text), 'C'), {
    target: null,
    buildArgs: {},
    platform: 'linux/amd64',
    contexts: new Set(['fetch']),
    ...options,
  });

const references = (resolved: ResolvedContainerfile): string[] =>
  resolved.references.map(({ kind, image, line }) => `${kind} ${image}:${line}`);

const sources = (resolved: ResolvedContainerfile): string[] =>
  resolved.contextSources.map(({ instruction, pattern }) => `${instruction} ${pattern}`);

function problem(text: string, options: Partial<ResolveOptions> = {}): string {
  try {
    resolve(text, options);
    return 'none';
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problems
      .map(({ code, line, text: what, hint }) => `${code}:${line} ${what} ${hint ?? ''}`)
      .join();
  }
}

const TWO = `ARG BASE=stagex/core-x
FROM scratch AS build
COPY --from=stagex/core-musl . /
RUN --mount=from=docker.io/stagex/core-y,target=/y true
FROM stagex/unused AS unused
COPY --from=stagex/unused2 . /
RUN true
FROM $BASE AS package-a
COPY --from=BUILD /out /
FROM package-a AS package-b
`;

test('references of reachable stages only, once per place, in order', () => {
  const resolved = resolve(TWO);
  expect(references(resolved)).toEqual([
    'copy stagex/core-musl:3',
    'mount docker.io/stagex/core-y:4',
    'from stagex/core-x:8',
  ]);
  expect(resolved.unreachableReferences.map(({ image }) => image)).toEqual([
    'stagex/unused',
    'stagex/unused2',
  ]);
  expect(resolved.base).toEqual({ kind: 'from', image: 'stagex/core-x', line: 8, platform: null });
  expect(resolved.stages.map(({ name, reachable }) => `${name} ${reachable}`)).toEqual([
    'build true',
    'unused false',
    'package-a true',
    'package-b true',
  ]);
  expect(resolved.runs.map(({ line, reachable }) => [line, reachable])).toEqual([
    [4, true],
    [7, false],
  ]);
});

test('the target is found by name whatever its case; an unknown one lists the choices', () => {
  expect(references(resolve(TWO, { target: 'BUILD' }))).toHaveLength(2);
  expect(resolve(TWO, { target: 'build' }).base).toBeNull();
  expect(problem(TWO, { target: 'package-c' })).toBe(
    'unknown-build-stage:undefined target stage "package-c" could not be found build stages are build, unused, package-a, package-b',
  );
});

test('build args and platform decide the graph', () => {
  expect(references(resolve(TWO, { buildArgs: { BASE: 'build' } }))).not.toContain('from stagex/core-x:8');
  const text =
    'FROM stagex/a-$TARGETARCH$TARGETVARIANT\nFROM --platform=$BUILDPLATFORM stagex/$BUILDARCH\nCOPY --from=0 / /\n';
  const resolved = resolve(text, { platform: 'linux/arm', buildPlatform: 'linux/amd64' });
  expect(resolved.references).toEqual([
    { kind: 'from', image: 'stagex/a-armv7', line: 1, platform: null },
    { kind: 'from', image: 'stagex/amd64', line: 2, platform: 'linux/amd64' },
  ]);
});

test('the last of build arg, ENV and ARG wins as BuildKit has it', () => {
  const text =
    'ARG G=global\nFROM scratch AS one\nARG G\nENV E=env-${G}\nARG E=arg\nCOPY $G $E /\nFROM one\nCOPY $E /\n';
  expect(sources(resolve(text))).toEqual(['copy global', 'copy arg', 'copy env-global']);
  expect(sources(resolve(text, { buildArgs: { G: 'given', E: 'other' } }))).toEqual([
    'copy given',
    'copy other',
    'copy env-given',
  ]);
});

test('what comes from the context: files, globs, mounts; not URLs, heredocs or other stages', () => {
  const resolved = resolve(`FROM scratch AS a
ARG V=1.2
COPY ./x/../y *.c /
ADD fetch/p-$V.tar https://h/z git@h:r /
COPY <<EOF /h
body
EOF
COPY --from=fetch q /
COPY --parents d/*/e /
RUN --mount=source=m*,target=/m --mount=type=cache,target=/c true
COPY / /all
`);
  expect(sources(resolved)).toEqual([
    'copy y',
    'copy *.c',
    'add fetch/p-1.2.tar',
    'copy d',
    'mount m\\*',
    'copy .',
  ]);
  expect(resolved.remoteAdds).toEqual([
    { url: 'https://h/z', line: 4 },
    { url: 'git@h:r', line: 4 },
  ]);
  expect(resolved.args).toEqual(['V']);
});

test('under an image from outside, a variable it may set takes the whole context', () => {
  const text =
    'FROM stagex/a\nARG V=1\nENV W=$U\nCOPY $V /\nCOPY $U /\nCOPY $W /\nCOPY ${U:?no} /\nCOPY b /\n';
  expect(sources(resolve(text))).toEqual(['copy 1', 'copy .', 'copy .', 'copy .', 'copy b']);
  expect(problem('FROM scratch\nCOPY ${U:?no} /\n')).toContain('containerfile-value:2');
});

test('ONBUILD triggers of a base stage count where they run, at the line they are written', () => {
  const text = 'FROM scratch AS a\nONBUILD COPY --from=stagex/x / /\nONBUILD COPY f /\nFROM a\nRUN true\n';
  const resolved = resolve(text);
  expect(references(resolved)).toEqual(['copy stagex/x:2']);
  expect(sources(resolved)).toEqual(['copy f']);
  expect(resolved.onbuild).toEqual([]);
  expect(resolve(text, { target: 'a' }).onbuild).toEqual([
    { expression: 'COPY --from=stagex/x / /', line: 2 },
    { expression: 'COPY f /', line: 3 },
  ]);
  expect(references(resolve(text, { target: 'a' }))).toEqual([]);
});

test('a named context replaces the stage of its name', () => {
  const resolved = resolve('FROM stagex/a AS Fetch\nRUN true\nCOPY x /\nFROM fetch\n');
  expect(references(resolved)).toEqual(['from fetch:1']);
  expect(sources(resolved)).toEqual([]);
  expect(resolved.stages[0]).toMatchObject({ reachable: true, replacedByContext: true });
  expect(resolved.runs).toMatchObject([{ line: 2, reachable: false }]);
});

test('FROM its own name is an image', () => {
  expect(references(resolve('FROM stagex AS stagex\n'))).toEqual(['from stagex:1']);
});

test.each([
  ['FROM stagex/A\n', 'must be lowercase'],
  ['FROM scratch AS a-\n', 'invalid reference format'],
  ['FROM $X\n', 'should not be blank'],
  ['FROM --platform=$X scratch\n', 'empty platform'],
  ['FROM scratch AS a\nCOPY --from=a / /\n', 'circular dependency'],
  ['FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /\n', 'circular dependency'],
  ['FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nFROM a\n', 'needs to be defined before'],
  ['FROM scratch\nCOPY --from=7 / /\n', 'invalid stage index 7'],
  ['FROM scratch\nARG A=x\nCOPY --from=$A / /\n', 'variable expansion is not supported for --from'],
  ['ARG A=${B:?no}\nFROM scratch\n', 'containerfile-variable:1'],
  ['FROM scratch\nCOPY https://h/x /\n', "can't be a URL"],
  ['FROM scratch\nSTOPSIGNAL foo\n', 'invalid signal'],
  ['FROM scratch\nEXPOSE x\n', 'invalid containerPort'],
  ['FROM scratch\nRUN --mount=target=/ true\n', 'invalid mount target'],
])('%j is refused', (text, reason) => {
  expect(problem(text)).toContain(reason);
});

test('thousands of stages in a row', () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `FROM s${i} AS s${i + 1}\nCOPY --from=s${i} / /\n`,
  ).join('');
  expect(resolve(`FROM scratch AS s0\n${lines}`).stages).toHaveLength(20_001);
});
