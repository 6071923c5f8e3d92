/**
 * The peer: a Makefile for a shape twin that does what upstream's generated one does, with buildctl in place of
 * `docker build` (the same BuildKit, the same options; the layout streamed as a tar and unpacked).
 *
 * Knows upstream's rules (shared facts), nothing of stx-make.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TwinRecipe } from '../test/twins/generate.ts';

/** Writes `root/Makefile` for the twin that was generated at `root`. */
export function writeMakefile(root: string, recipes: readonly TwinRecipe[]): void {
  const versions = new Map<string, string | undefined>(
    recipes.flatMap(({ stage, targets, version }) =>
      Object.keys(targets).map((name) => [`${stage}-${name}`, version] as const),
    ),
  );
  const rules: string[] = [];
  const all: string[] = [];
  for (const recipe of recipes) {
    const version = recipe.version ?? (recipe.version_from && versions.get(recipe.version_from));
    for (const [name, { deps }] of Object.entries(recipe.targets)) {
      const target = `${recipe.stage}-${name}`;
      all.push(`out/${target}/index.json`);
      rules.push(ruleOf(recipe, target, name, deps, version));
    }
  }
  const text = `MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh
.PHONY: all
all: ${all.join(' ')}

${rules.join('\n')}`;
  writeFileSync(join(root, 'Makefile'), text);
}

function ruleOf(
  recipe: TwinRecipe,
  target: string,
  name: string,
  deps: readonly string[],
  version: string | undefined,
): string {
  const folder = `packages/${recipe.stage}/${recipe.name}`;
  const files = ['Containerfile', 'package.toml', 'payload'].map((file) => `${folder}/${file}`);
  const needed = deps.map((dependency) => `out/${dependency}/index.json`);
  const platform = recipe.platforms?.join(',') ?? 'linux/amd64';
  const tag = version ?? 'latest';
  const options = [
    '--opt filename=Containerfile',
    '--opt cmdline=',
    `--opt platform=${platform}`,
    ...(recipe.subpackages === undefined ? [] : [`--opt target=package-${name}`]),
    '--opt ulimit=nofile=2048:16384',
    '--opt build-arg:SOURCE_DATE_EPOCH=1',
    '--opt build-arg:BUILDKIT_MULTI_PLATFORM=1',
    "--opt 'build-arg:BUILDKIT_DOCKERFILE_CHECK=skip=FromPlatformFlagConstDisallowed;error=true'",
    ...(version === undefined ? [] : argsOf(version)),
    `--local context=${folder} --local dockerfile=${folder}`,
  ];
  const output = [
    'type=oci',
    'tar=true',
    'dest=-',
    `name=stagex/${target}:${tag}`,
    'rewrite-timestamp=true',
    'force-compression=true',
    `annotation.containerd.io/distribution.source.docker.io=stagex/${target}`,
    `annotation.org.opencontainers.image.version=${tag}`,
    'annotation.org.opencontainers.image.created=1970-01-01T00:00:01Z',
  ].join(',');
  // buildctl wants the manifest's digest of a dependency, so each target leaves it beside its index.
  return `out/${target}/index.json: ${[...files, ...needed].join(' ')}
\t@rm -rf out/${target} && mkdir -p out/${target} && set -- && \\
\tfor d in ${deps.join(' ')}; do read -r m < out/$$d/.manifest; set -- "$$@" --oci-layout $$d=out/$$d --opt context:stagex/$$d=oci-layout://$$d@$$m; done && \\
\tbuildctl build --progress plain --frontend dockerfile.v0 ${options.join(' ')} "$$@" --output '${output}' 2>out/${target}.log | tar -C out/${target} -mx && \\
\ti=$$(sed -n 's/.*"digest": *"sha256:\\([0-9a-f]*\\)".*/\\1/p' out/${target}/index.json) && \\
\tsed -n 's/.*"digest": *"\\(sha256:[0-9a-f]*\\)".*/\\1/p' out/${target}/blobs/sha256/$$i > out/${target}/.manifest && echo >> out/${target}/.manifest
`;
}

function argsOf(version: string): string[] {
  const parts = version.split('.');
  const args: Record<string, string> = {
    VERSION: version,
    VERSION_UNDER: version.replaceAll('.', '_'),
    VERSION_DASH: version.replaceAll('.', '-'),
    VERSION_MAJOR: parts[0] ?? version,
    VERSION_STRIP_SUFFIX: version.split('-', 1)[0] ?? version,
  };
  if (parts.length > 1) args['VERSION_MAJOR_MINOR'] = parts.slice(0, 2).join('.');
  return Object.entries(args).map(([name, value]) => `--opt 'build-arg:${name}=${value}'`);
}
