/**
 * `plan --commands`: a self-contained sh script that builds a target and all it needs with buildctl alone.
 *
 * The calls are those of a run, from the same function; what a run does around them (staging, taking the
 * digest) is spelled out in sh. On a fresh daemon the script gives the same digests.
 */
import { join } from 'node:path';
import type { GraphTarget } from '@stx-make/core/graph/model';
import type { Digest } from '@stx-make/core/oci/model';
import { buildctlArguments } from '../buildkit/arguments.ts';
import type { BuildRequest } from '../buildkit/model.ts';
import { policyText } from '../buildkit/policy.ts';
import { contextTime, timeOf } from '../context/times.ts';
import { closureOf, type Workspace } from '../workspace.ts';

/** Stands for "$WORK" in arguments until they are quoted. Private-use characters mean nothing elsewhere. */
const WORK = '\ue000';
/** `\ue001<target>\ue002` stands for that target's manifest digest. */
const digestMark = (target: string): string => `\ue001${target}\ue002`;

/** @param target must be in the graph */
export function planCommands(workspace: Workspace, target: string): string {
  const order = closureOf(workspace.tree, [target]);
  return [
    prologue(workspace, target),
    ...order.map((each) => buildOne(workspace, each)),
    epilogue(target),
  ].join('\n');
}

function prologue(workspace: Workspace, target: string): string {
  return `#!/bin/sh
# Builds ${target} and everything it needs, in order, with buildctl alone.
# Usage: sh SCRIPT [WORK]   WORK: a folder for contexts and outputs (default: a new one under TMPDIR).
# BUILDKIT_HOST names the daemon, BUILDCTL the client. Prints the manifest digest of each target.
set -eu
umask 022
: "\${BUILDCTL:=buildctl}"
TREE=${quote(workspace.root)}
SOURCES=${quote(join(workspace.state.sources, 'sha256'))}
WORK=\${1:-$(mktemp -d)}
export TZ=UTC LC_ALL=C
mkdir -p "$WORK/pool/blobs/sha256" "$WORK/digests"
WORK=$(cd "$WORK" && pwd)
printf '%s' '{"imageLayoutVersion":"1.0.0"}' > "$WORK/pool/oci-layout"
printf '%s' '{"schemaVersion":2,"manifests":[]}' > "$WORK/pool/index.json"
cat > "$WORK/policy.json" <<'POLICY'
${policyText(workspace.config.allowedImages).trimEnd()}
POLICY

# taken TARGET: the digest of what was just exported. The metadata names the index, the index the manifest.
taken() {
  index=$(sed -n 's/.*"containerimage.digest": *"sha256:\\([0-9a-f]*\\)".*/\\1/p' "$WORK/$1/metadata.json")
  manifest=$(grep -o '"digest": *"sha256:[0-9a-f]*"' "$WORK/pool/blobs/sha256/$index" | sed 's/.*"\\(sha256:[0-9a-f]*\\)"/\\1/')
  case $manifest in *"
"*) manifest=sha256:$index ;; esac
  printf '%s' "$manifest" > "$WORK/digests/$1"
  printf '%s %s\\n' "$manifest" "$1"
}
`;
}

function buildOne(workspace: Workspace, target: GraphTarget): string {
  const context = `${WORK}/${target.name}/context`;
  const request: BuildRequest = {
    target: target.name,
    recipe: target.recipe.id,
    platforms: target.platforms,
    buildTarget: target.buildTarget,
    buildArgs: target.buildArgs,
    version: target.recipe.version ?? 'latest',
    tag: target.tag,
    contextDir: context,
    fetchDir: `${context}/fetch`,
    dependencies: [...target.contextNames].map(([name, dependency]) => ({
      name,
      digest: digestMark(dependency) as Digest,
    })),
    pool: `${WORK}/pool`,
    cache: 'cache',
    limits: {},
  };
  const args = buildctlArguments(request, {
    connection: [],
    into: {
      folder: `${WORK}/${target.name}/export`,
      metadataFile: `${WORK}/${target.name}/metadata.json`,
    },
    policyFile: `${WORK}/policy.json`,
  });
  return [
    `# ${target.name}`,
    ...staging(workspace, target),
    `mkdir -p "$WORK/${target.name}/export"`,
    `ln -sfn "$WORK/pool/blobs" "$WORK/${target.name}/export/blobs"`,
    `"$BUILDCTL" ${wrap(args.filter((arg, index) => !isProgress(args, arg, index)).map(quote))}`,
    `taken ${target.name}`,
    '',
  ].join('\n');
}

/** A run reads raw progress; a person wants to see it. It does not change what is built. */
function isProgress(args: readonly string[], arg: string, index: number): boolean {
  return arg === '--progress' || args[index - 1] === '--progress';
}

/** The context as a run stages it: copies with git's modes, one time for all recipe files, one a source. */
function staging(workspace: Workspace, target: GraphTarget): string[] {
  const context = `${WORK}/${target.name}/context`;
  const files = [...workspace.filesOf(target.recipe.id).values()];
  const folders = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1)));
  const lines = [`rm -rf ${quote(context)}`];
  lines.push(`mkdir -p ${[...folders, 'fetch'].map((folder) => quote(`${context}/${folder}`)).join(' ')}`);
  for (const { path, mode } of files) {
    const from = `"$TREE"/${quote(`${target.recipe.dir}/${path}`)}`;
    const to = quote(`${context}/${path}`);
    lines.push(mode === 'link' ? `cp -P ${from} ${to}` : `install -m ${mode} ${from} ${to}`);
  }
  lines.push(`find ${quote(context)} -exec touch -h -d @${contextTime(files)} {} +`);
  for (const { file, sha256 } of target.recipe.sources) {
    const to = quote(`${context}/fetch/${file}`);
    lines.push(`install -m 0644 "$SOURCES/${sha256}" ${to} # stx-make fetch ${target.name} brings it`);
    lines.push(`touch -d @${timeOf(sha256)} ${to}`);
  }
  if (target.recipe.sources.length > 0) {
    lines.push(`touch -d @${contextTime(files)} ${quote(`${context}/fetch`)}`);
  }
  return lines;
}

function epilogue(target: string): string {
  return `echo "outputs are in $WORK/pool; ${target} is $(cat "$WORK/digests/${target}")"\n`;
}

/** For sh: single quotes, with the marks replaced by what they stand for. */
function quote(text: string): string {
  const parts = text.split(/(\ue000|\ue001[^\ue002]*\ue002)/).filter((part) => part !== '');
  const quoted = parts.map((part) => {
    if (part === WORK) return '"$WORK"';
    if (part.startsWith('\ue001')) return `"$(cat "$WORK/digests/${part.slice(1, -1)}")"`;
    return /^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`;
  });
  return quoted.length === 0 ? "''" : quoted.join('');
}

/** One option with its value a line. */
function wrap(words: readonly string[]): string {
  let text = '';
  for (const [index, word] of words.entries())
    text += index > 0 && word.startsWith('--') ? ` \\\n  ${word}` : `${index > 0 ? ' ' : ''}${word}`;
  return text;
}
