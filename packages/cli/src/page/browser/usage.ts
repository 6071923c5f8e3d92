/** The course of what a worker's builds took: CPU as an area, memory as a line, each to its own scale. */
import { bytes, cores } from '../../text/format.ts';
import type { PageWorker } from '../model.ts';
import { s } from './dom.ts';

/** Px that a course takes above its worker's lanes; none where nothing is known. */
export const COURSE = 34;

export function courseHeight({ usage }: PageWorker): number {
  return usage.length === 0 ? 0 : COURSE;
}

/** `: at most 3.8 cpu, 1.2 GiB`, for the worker's name. */
export function courseText({ usage }: PageWorker): string {
  if (usage.length === 0) return '';
  const cpu = Math.max(...usage.map((point) => point.cores));
  const memory = Math.max(...usage.map((point) => point.memory));
  return `: at most ${cores(cpu)} cpu, ${bytes(memory)}`;
}

/** @param top y of its upper edge @param end x of its right end */
export function course(
  { usage }: PageWorker,
  x: (at: number) => number,
  top: number,
  end: number,
): readonly SVGElement[] {
  if (usage.length === 0) return [];
  const height = COURSE - 4;
  const most = (of: (point: PageWorker['usage'][number]) => number): number =>
    Math.max(...usage.map(of), 1e-9);
  const steps = (of: (point: PageWorker['usage'][number]) => number): string => {
    const scale = height / most(of);
    // A value holds until the next one: steps, not slopes.
    return usage
      .map((point, i) => {
        const y = (top + height - of(point) * scale).toFixed(1);
        const right = x(usage[i + 1]?.at ?? Number.NaN);
        return `${x(point.at).toFixed(1)},${y} ${(Number.isNaN(right) ? end : right).toFixed(1)},${y}`;
      })
      .join(' ');
  };
  const first = x(usage[0]?.at ?? 0).toFixed(1);
  const bottom = (top + height).toFixed(1);
  return [
    s('polygon', {
      class: 'cpu',
      points: `${first},${bottom} ${steps((point) => point.cores)} ${end.toFixed(1)},${bottom}`,
    }),
    s('polyline', { class: 'memory', points: steps((point) => point.memory) }),
  ];
}
