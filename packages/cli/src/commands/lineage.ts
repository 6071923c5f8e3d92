/**
 * `lineage`: the way from the seed to a target, hop by hop: a longest chain of builds, each made with the one before,
 * with the digest each has for the tree as it is now.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@stx-make/core/errors';
import type { TargetGraph } from '@stx-make/core/graph/model';
import { byCodeUnit } from '@stx-make/core/order';
import type { Session } from '@stx-make/scheduler/api';
import type { Handler } from '../args/model.ts';
import { bytes, count } from '../text/format.ts';
import { sanitizeLine } from '../text/sanitize.ts';
import { type PlanValues, planOptionsOf, withSession } from './session.ts';

interface Hop {
  readonly target: string;
  readonly version: string | null;
  /** Of the record that answers for the tree as it is; null where it would be built. */
  readonly digest: string | null;
  /** Of all blobs. */
  readonly bytes: number | null;
  /** Where it says that it needs the hop before; null for the first. */
  readonly needs: { readonly kind: string; readonly file: string; readonly line: number } | null;
}

export const lineage: Handler<PlanValues> = (context, { args, options, line }) =>
  withSession(context, async (session) => {
    const { output, services } = context;
    const { graph } = session.tree;
    const asked = await services.graph();
    const [target = ''] = asked.resolve(graph, args);
    const names = await asked.lineage(graph, target);
    const plan = await services.makePlan(
      session,
      await planOptionsOf(context, session, options, [target], line),
    );
    const digests = new Map(plan.targets.map(({ name, digest }) => [name, digest]));
    const past = await services.past(session.state.root);
    const hops = names.map((name, i): Hop => {
      const digest = digests.get(name) ?? null;
      const edge = graph.targets.get(name)?.edges.find(({ to }) => to === names[i - 1]);
      return {
        target: name,
        version: graph.targets.get(name)?.recipe.version ?? null,
        digest,
        bytes: digest === null ? null : (past?.sizeOf(name, digest) ?? null),
        needs: edge === undefined ? null : { kind: edge.kind, file: edge.file, line: edge.line },
      };
    });
    past?.close();
    const seeds = asked
      .dependencies(graph, target, true)
      .concat(target)
      .filter((name) => graph.targets.get(name)?.dependencies.length === 0)
      .sort(byCodeUnit)
      .map((name) => ({ target: name, ...seedOf(graph, session, name) }));
    if (output.json) {
      output.document({ target, hops, seeds });
      return EXIT.done;
    }
    for (const { target: seed, files, sources } of seeds) {
      const parts = [
        ...files.map((file) => `${sanitizeLine(file.path)} ${bytes(file.bytes)}`),
        ...sources.map(({ file, sha256 }) => `${sanitizeLine(file)} sha256:${sha256.slice(0, 12)}`),
      ];
      output.print(
        `seed  ${seed}: ${parts.length > 12 ? `${count(parts.length, 'file')}` : parts.join(', ')}`,
      );
    }
    hops.forEach((hop, i) => {
      const place =
        hop.needs === null ? '' : `  ${hop.needs.kind}, ${sanitizeLine(hop.needs.file)}:${hop.needs.line}`;
      const size = hop.bytes === null ? '' : `  ${bytes(hop.bytes)}`;
      output.print(
        `${String(i).padStart(4)}  ${hop.target}  ${hop.digest ?? 'not built as it is now'}${size}${place}`,
      );
    });
    return EXIT.done;
  });

/** What a target that needs no other is made from: the files of its folder but the two that describe it, and its
 * sources. */
function seedOf(
  graph: TargetGraph,
  { root }: Session,
  name: string,
): {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly sources: readonly { readonly file: string; readonly sha256: string }[];
} {
  const recipe = graph.targets.get(name)?.recipe;
  if (recipe === undefined) return { files: [], sources: [] };
  const folder = join(root, recipe.dir);
  const files = names(folder)
    .filter((path) => path !== 'Containerfile' && path !== 'package.toml')
    .flatMap((path) => {
      const stat = statSync(join(folder, path), { throwIfNoEntry: false });
      return stat?.isFile() === true ? [{ path, bytes: stat.size }] : [];
    })
    .sort((a, b) => byCodeUnit(a.path, b.path));
  return { files, sources: recipe.sources.map(({ file, sha256 }) => ({ file, sha256 })) };
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
