/**
 * A distribution of ten thousand targets, of the shape of StageX: its graph some times over, where every copy takes
 * what is most needed from the first one (so that one target has nearly all others as its dependents), with files of
 * the size and kind of real ones (arguments, a source or two, a heredoc of shell, a patch here and there).
 *
 * For what depends on the number of targets; nothing here is meant to be built.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stagexShape, type TwinRecipe, type TwinTarget } from './generate.ts';

/** Needed by at least so many targets of one copy: shared by all copies. */
const SHARED_FROM = 100;
/** Every so many recipes one has a patch. */
const PATCHED = 5;

/** `copies` times the recipes of StageX. The first copy has their names, copy n has `-x<n>` behind each. */
export function largeShape(copies: number, shape: readonly TwinRecipe[] = stagexShape()): TwinRecipe[] {
  const needed = new Map<string, number>();
  for (const { targets } of shape) {
    for (const { deps } of Object.values(targets)) {
      for (const name of deps) needed.set(name, (needed.get(name) ?? 0) + 1);
    }
  }
  return Array.from({ length: copies }, (_, copy) => {
    const mark = copy === 0 ? '' : `-x${copy}`;
    const linked = (name: string): string =>
      (needed.get(name) ?? 0) >= SHARED_FROM ? name : `${name}${mark}`;
    return shape.map((recipe) => copyOf(recipe, mark, linked));
  }).flat();
}

function copyOf(recipe: TwinRecipe, mark: string, linked: (name: string) => string): TwinRecipe {
  const target = ({ deps, base }: TwinTarget): TwinTarget => ({
    deps: deps.map(linked),
    ...(base === undefined ? {} : { base: linked(base) }),
  });
  return {
    ...recipe,
    name: `${recipe.name}${mark}`,
    ...(recipe.version_from === undefined ? {} : { version_from: `${recipe.version_from}${mark}` }),
    ...(recipe.subpackages === undefined
      ? {}
      : { subpackages: recipe.subpackages.map((name) => `${name}${mark}`) }),
    targets: Object.fromEntries(
      Object.entries(recipe.targets).map(([name, value]) => [`${name}${mark}`, target(value)]),
    ),
  };
}

/** Writes them to `root` (as `packages/<stage>/<name>/`), which must not hold a tree yet. */
export function writeLarge(root: string, recipes: readonly TwinRecipe[]): void {
  for (const [index, recipe] of recipes.entries()) {
    const folder = join(root, 'packages', recipe.stage, recipe.name);
    const patched = index % PATCHED === 0;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.toml'), packageToml(recipe));
    writeFileSync(join(folder, 'Containerfile'), containerfile(recipe, patched));
    if (patched) writeFileSync(join(folder, 'fix-build.patch'), patchOf(recipe.name));
  }
}

/** What the recipe's only source holds: its hash is in package.toml. */
export function sourceOf(recipe: TwinRecipe): string {
  return `the source of ${recipe.stage}/${recipe.name}\n`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function packageToml(recipe: TwinRecipe): string {
  const { name, stage, version, version_from: from, platforms, subpackages } = recipe;
  const source = name.replaceAll(/[^a-z0-9]/g, '-');
  return `[package]
name = "${name}"
${version === undefined ? '' : `version = "${version}"\n`}${from === undefined ? '' : `version_from = "${from}"\n`}description = "What ${stage}/${name} would be in a distribution many times the size"
license = "0BSD"
website = "https://${source}.example.org/"
${platforms === undefined ? '' : `platforms = ${JSON.stringify(platforms)}\n`}${subpackages === undefined ? '' : `subpackages = ${JSON.stringify(subpackages)}\n`}
[sources.${source}]
hash = "${sha256(sourceOf(recipe))}"
format = "tar.xz"
file = "${version === undefined && from === undefined ? `${source}.{format}` : `${source}-{version}.{format}`}"
mirrors = [
  "https://${source}.example.org/releases/{file}",
  "https://mirror.example.net/pub/${source}/{file}",
]
`;
}

function containerfile(recipe: TwinRecipe, patched: boolean): string {
  return Object.entries(recipe.targets)
    .map(([name, target]) => buildStages(recipe, name, target, patched))
    .join('\n');
}

function buildStages(recipe: TwinRecipe, name: string, { deps, base }: TwinTarget, patched: boolean): string {
  const suffix = recipe.subpackages === undefined ? '' : `-${name}`;
  const versioned = recipe.version !== undefined || recipe.version_from !== undefined;
  const source = recipe.name.replaceAll(/[^a-z0-9]/g, '-');
  const file = versioned ? `${source}-\${VERSION}` : source;
  const from = base === undefined ? 'scratch' : `stagex/${base}`;
  const copies = deps.filter((needed) => needed !== base).map((needed) => `COPY --from=stagex/${needed} . /`);
  return `FROM ${from} AS build${suffix}
${versioned ? 'ARG VERSION\n' : ''}${copies.join('\n')}
ADD fetch/${file}.tar.xz .
WORKDIR /${file}
${patched ? 'COPY *.patch .\n' : ''}ENV SOURCE_DATE_EPOCH=1 \\
    KBUILD_BUILD_TIMESTAMP=1 \\
    CFLAGS="-O2 -pipe"
RUN --network=none <<-EOF
	set -eux
	${patched ? 'for each in *.patch; do patch -p1 < "$each"; done' : 'true'}
	./configure \\
		--build=x86_64-linux-musl \\
		--host=x86_64-linux-musl \\
		--prefix=/usr \\
		--mandir=/usr/share/man \\
		--disable-nls \\
		--disable-static
	make -j"$(nproc)"
	make check || true
	make DESTDIR=/rootfs install
	find /rootfs -name '*.la' -delete
EOF

FROM ${from} AS package${suffix}
COPY --from=build${suffix} /rootfs/ /
`;
}

function patchOf(name: string): string {
  const lines = Array.from({ length: 30 }, (_, index) => `+a line ${index} of ${name}`);
  return `--- a/configure\n+++ b/configure\n@@ -1,0 +1,${lines.length} @@\n${lines.join('\n')}\n`;
}

/** A Containerfile of these in the words that the builder in memory knows (test/property/mini-build.ts): what is built
 * is one small file. */
export function inMiniWords(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (/^(FROM |COPY --from=)/.test(line)) lines.push(line);
    else if (line.startsWith('RUN ')) lines.push('COPY package.toml /rootfs/usr/');
  }
  return lines.join('\n');
}
