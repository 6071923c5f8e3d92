/**
 * Resolved Containerfiles of one recipe in few bytes, to be kept: rows instead of objects, each row once, and a target
 * says which of them are its own. A recipe with many targets resolves to nearly the same for each of them, so what
 * is kept of it would grow with the square of their number.
 *
 * Plain JSON in, plain JSON out; unaware of where it lies. What unpacks is equal to what was packed.
 */
import type {
  BuildStage,
  ContextSource,
  ImageReference,
  ReferenceKind,
  ResolvedContainerfile,
  RunFact,
} from '../containerfile/model.ts';

type Bit = 0 | 1;
/** The platform only where one is written. */
type Reference = readonly [kind: ReferenceKind, image: string, line: number, platform?: string];
type Stage = readonly [
  index: number,
  name: string | null,
  line: number,
  base: string,
  reachable: Bit,
  replaced: Bit,
  platform: string | null,
];
type Source = readonly [pattern: string, instruction: ContextSource['instruction'], line: number];
type Run = readonly [line: number, network: string, security: string, reachable: Bit];
/** What hardly any Containerfile has. */
type Rest = Pick<ResolvedContainerfile, 'remoteAdds' | 'syntax' | 'onbuild'>;

export type Row = Reference | Stage | Source | Run | Rest | readonly string[];

/** Places in the rows: first and number, first and number, ... */
type Places = readonly number[];

export type PackedContainerfile = readonly [
  stages: Places,
  references: Places,
  base: Places,
  unreachable: Places,
  sources: Places,
  runs: Places,
  args: Places,
  rest: Places,
];

/** Gathers the rows of one recipe while its Containerfile is packed for each target. */
export class Packer {
  readonly rows: Row[];
  /** Only where there is more than one target: most recipes have one, and no row twice. */
  #places: Map<string, number> | null = null;

  /** `rows`: those gathered before. */
  constructor(rows: Row[] = []) {
    this.rows = rows;
  }

  pack(resolved: ResolvedContainerfile): PackedContainerfile {
    const { base, remoteAdds, syntax, onbuild, args } = resolved;
    const plain = remoteAdds.length === 0 && syntax === null && onbuild.length === 0;
    if (this.rows.length > 0) {
      this.#places ??= new Map(this.rows.map((row, place) => [JSON.stringify(row), place]));
    }
    return [
      this.#placesOf(resolved.stages.map(packStage)),
      this.#placesOf(resolved.references.map(packReference)),
      this.#placesOf(base === null ? [] : [packReference(base)]),
      this.#placesOf(resolved.unreachableReferences.map(packReference)),
      this.#placesOf(resolved.contextSources.map(packSource)),
      this.#placesOf(resolved.runs.map(packRun)),
      this.#placesOf([args]),
      this.#placesOf(plain ? [] : [{ remoteAdds, syntax, onbuild }]),
    ];
  }

  #placesOf(rows: readonly Row[]): number[] {
    if (this.#places === null) {
      const first = this.rows.length;
      this.rows.push(...rows);
      return rows.length === 0 ? [] : [first, rows.length];
    }
    const places: number[] = [];
    let next = -1;
    for (const row of rows) {
      const place = placeOf(row, this.rows, this.#places);
      if (place === next) places.push((places.pop() ?? 0) + 1);
      else places.push(place, 1);
      next = place + 1;
    }
    return places;
  }
}

function placeOf(row: Row, rows: Row[], places: Map<string, number>): number {
  const key = JSON.stringify(row);
  const known = places.get(key);
  if (known !== undefined) return known;
  places.set(key, rows.length);
  return rows.push(row) - 1;
}

export function unpackContainerfile(
  packed: PackedContainerfile,
  rows: readonly Row[],
): ResolvedContainerfile {
  const [stages, references, base, unreachable, sources, runs, args, rest] = packed;
  const [own] = rowsAt<Rest>(rows, rest);
  return {
    stages: rowsAt<Stage>(rows, stages).map(unpackStage),
    references: rowsAt<Reference>(rows, references).map(unpackReference),
    base: rowsAt<Reference>(rows, base).map(unpackReference)[0] ?? null,
    unreachableReferences: rowsAt<Reference>(rows, unreachable).map(unpackReference),
    contextSources: rowsAt<Source>(rows, sources).map(unpackSource),
    runs: rowsAt<Run>(rows, runs).map(unpackRun),
    remoteAdds: own?.remoteAdds ?? [],
    syntax: own?.syntax ?? null,
    onbuild: own?.onbuild ?? [],
    args: rowsAt<readonly string[]>(rows, args)[0] ?? [],
  };
}

/** The rows of one list are all of one kind: they were packed from it. */
function rowsAt<Kind extends Row>(rows: readonly Row[], places: Places): Kind[] {
  const [first = 0, count = 0] = places;
  if (places.length <= 2) return rows.slice(first, first + count) as Kind[];
  const found: Kind[] = [];
  for (let at = 0; at < places.length; at += 2) {
    const start = places[at] ?? 0;
    for (let place = start; place < start + (places[at + 1] ?? 0); place += 1)
      found.push(rows[place] as Kind);
  }
  return found;
}

function packReference({ kind, image, line, platform }: ImageReference): Reference {
  return platform === null ? [kind, image, line] : [kind, image, line, platform];
}

function unpackReference([kind, image, line, platform]: Reference): ImageReference {
  return { kind, image, line, platform: platform ?? null };
}

function packStage(stage: BuildStage): Stage {
  const { index, name, line, base, reachable, replacedByContext, platform } = stage;
  return [index, name, line, base, bit(reachable), bit(replacedByContext), platform];
}

function unpackStage([index, name, line, base, reachable, replaced, platform]: Stage): BuildStage {
  const replacedByContext = replaced === 1;
  return { index, name, line, base, reachable: reachable === 1, replacedByContext, platform };
}

function packSource({ pattern, instruction, line }: ContextSource): Source {
  return [pattern, instruction, line];
}

function unpackSource([pattern, instruction, line]: Source): ContextSource {
  return { pattern, instruction, line };
}

function packRun({ line, network, security, reachable }: RunFact): Run {
  return [line, network, security, bit(reachable)];
}

function unpackRun([line, network, security, reachable]: Run): RunFact {
  return { line, network, security, reachable: reachable === 1 };
}

function bit(value: boolean): Bit {
  return value ? 1 : 0;
}
