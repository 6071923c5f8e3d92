/**
 * The timeline: a lane for every build that a worker runs at a time, a bar for every attempt, the critical path
 * underlined. One stop of the Tab key; arrows go from bar to bar.
 */
import { duration, elapsed } from '../../text/format.ts';
import type { Bar, PageRun } from '../model.ts';
import { h, s, section } from './dom.ts';
import { addressOf } from './selection.ts';
import type { Page } from './types.ts';
import { course, courseHeight, courseText } from './usage.ts';

const LANE = 24;
const HEAD = 22;
const GAP = 20;
/** Px of a character of the bars' font. */
const CHARACTER = 6.6;
/** A bar is never thinner than can be seen and pointed at. */
const LEAST = 2;
const ZOOMS = [1, 2, 4, 8, 16, 32];

export function timelineSection(page: Page, run: PageRun): HTMLElement | null {
  if (run.bars.length === 0) return null;
  const timeline = new Timeline(page, run);
  return section(
    'timeline',
    'Timeline',
    h(
      'p',
      { class: 'legend' },
      ...[...new Set(run.bars.map(({ result }) => result))].map((result) =>
        h('span', { class: `key ${result}` }, result),
      ),
      h('span', { class: 'key critical' }, 'critical path'),
      ...(run.workers.some(({ usage }) => usage.length > 0)
        ? [h('span', { class: 'key cpu' }, 'CPU'), h('span', { class: 'key memory' }, 'memory')]
        : []),
    ),
    h(
      'div',
      { class: 'tools' },
      h('button', { type: 'button', 'aria-label': 'Shorter', onclick: () => timeline.zoom(-1) }, '−'),
      h('button', { type: 'button', 'aria-label': 'Longer', onclick: () => timeline.zoom(1) }, '+'),
      timeline.line,
    ),
    timeline.element,
  );
}

class Timeline {
  readonly element: HTMLElement;
  /** Says what the current bar is. */
  readonly line = h('output', { 'aria-live': 'polite' }, 'arrow keys or a click: what a bar is');
  readonly #page: Page;
  readonly #run: PageRun;
  readonly #critical: ReadonlySet<number>;
  /** By worker: y of its first lane. */
  readonly #tops: readonly number[];
  readonly #height: number;
  #zoom = 0;
  #current: number | null = null;
  #bars: SVGElement[] = [];

  constructor(page: Page, run: PageRun) {
    this.#page = page;
    this.#run = run;
    this.#critical = new Set(run.critical.map(({ target }) => target));
    let y = HEAD;
    this.#tops = run.workers.map((worker) => {
      const top = y + GAP + courseHeight(worker);
      y = top + worker.lanes * LANE;
      return top;
    });
    this.#height = y + 6;
    this.element = h('div', {
      class: 'scroll timeline',
      tabindex: 0,
      role: 'application',
      'aria-label':
        'Timeline of builds by worker; arrow keys move from bar to bar, Enter shows the target in the graph',
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  zoom(by: number): void {
    const before = ZOOMS[this.#zoom] ?? 1;
    this.#zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + by));
    const middle = this.element.scrollLeft + this.element.clientWidth / 2;
    this.#draw();
    this.element.scrollLeft = (middle * (ZOOMS[this.#zoom] ?? 1)) / before - this.element.clientWidth / 2;
  }

  get #width(): number {
    return Math.max(300, this.element.clientWidth - 2) * (ZOOMS[this.#zoom] ?? 1);
  }

  #draw(): void {
    const width = this.#width;
    const { bars, workers, duration: total } = this.#run;
    const last = Math.max(total, ...bars.map(({ end }) => end), 1);
    const x = (at: number): number => (at / last) * width;
    const svg = s('svg', {
      width,
      height: this.#height,
      viewBox: `0 0 ${width} ${this.#height}`,
      'aria-hidden': 'true',
    });
    for (const at of ticks(last, width)) {
      svg.append(
        s('line', { class: 'tick', x1: x(at), x2: x(at), y1: HEAD - 6, y2: this.#height }),
        s('text', { class: 'tick', x: x(at) + 3, y: 12 }, elapsed(at)),
      );
    }
    workers.forEach((worker, index) => {
      const above = (this.#tops[index] ?? 0) - courseHeight(worker);
      svg.append(
        s('text', { class: 'worker', x: 3, y: above - 6 }, `${worker.name}${courseText(worker)}`),
        ...course(worker, x, above, x(last)),
      );
    });
    this.#bars = bars.map((bar, index) => this.#bar(bar, index, x));
    svg.append(...this.#bars);
    this.element.replaceChildren(svg);
    this.#mark();
  }

  #bar(bar: Bar, index: number, x: (at: number) => number): SVGElement {
    const name = this.#page.data.targets[bar.target]?.name ?? '?';
    const left = x(bar.start);
    const width = Math.max(LEAST, x(bar.end) - left);
    const top = (this.#tops[bar.worker] ?? 0) + bar.lane * LANE;
    const fits = Math.floor((width - 8) / CHARACTER);
    const text = name.length <= fits ? name : fits >= 6 ? `${name.slice(0, fits - 1)}…` : '';
    return s(
      'g',
      { class: `bar ${bar.result}`, onclick: () => this.#choose(index) },
      s('title', {}, this.#describe(bar)),
      s('rect', {
        x: left,
        y: top,
        width: Math.max(LEAST, width - 1),
        height: LANE - 4,
        rx: Math.min(3, width / 3),
      }),
      this.#critical.has(bar.target)
        ? s('rect', {
            class: 'critical',
            x: left,
            y: top + LANE - 7,
            width: Math.max(LEAST, width - 1),
            height: 4,
          })
        : null,
      text === '' ? null : s('text', { x: left + 5, y: top + 13 }, text),
    );
  }

  #describe(bar: Bar): string {
    const name = this.#page.data.targets[bar.target]?.name ?? '?';
    const critical = this.#critical.has(bar.target) ? ', on the critical path' : '';
    return `${name}: ${bar.result}, ${duration(bar.end - bar.start)}, from ${elapsed(bar.start)}${critical}`;
  }

  #choose(index: number): void {
    const bar = this.#run.bars[index];
    if (bar === undefined) return;
    this.#current = index;
    const name = this.#page.data.targets[bar.target]?.name ?? '?';
    this.line.replaceChildren(`${this.#describe(bar)} `, h('a', { href: addressOf(name) }, 'show'));
    this.#mark();
  }

  #mark(): void {
    this.#bars.forEach((bar, index) => {
      bar.classList.toggle('current', index === this.#current);
    });
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#next(event.key);
    if (next === 'show') {
      const bar = this.#run.bars[this.#current ?? -1];
      if (bar !== undefined) this.#page.selection.select(this.#page.data.targets[bar.target]?.name ?? '');
    } else if (next !== null) {
      this.#choose(next);
      this.#bars[next]?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else return;
    event.preventDefault();
  }

  /** The bar that a key leads to: left and right in its lane, up and down to the one beside it in time. */
  #next(key: string): number | 'show' | null {
    const { bars } = this.#run;
    if (key === 'Enter') return 'show';
    if (!/^Arrow(Left|Right|Up|Down)$/.test(key)) return null;
    const now = bars[this.#current ?? -1];
    if (now === undefined) return bars.length > 0 ? 0 : null;
    const place = (bar: Bar): number => (this.#tops[bar.worker] ?? 0) + bar.lane * LANE;
    const forward = key === 'ArrowRight' || key === 'ArrowDown';
    const along = key === 'ArrowLeft' || key === 'ArrowRight';
    let best: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    bars.forEach((bar, index) => {
      const dx = bar.start - now.start;
      const dy = place(bar) - place(now);
      const ahead = along ? dx : dy;
      if (index === this.#current || (forward ? ahead <= 0 : ahead >= 0) || (along && dy !== 0)) return;
      const far = along ? Math.abs(dx) : Math.abs(dy) * 1e9 + Math.abs(dx);
      if (far < least) {
        least = far;
        best = index;
      }
    });
    return best;
  }
}

/** Round times, about one every 110 px. */
function ticks(total: number, width: number): number[] {
  const wanted = (total * 110) / width;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
  const step = (steps.find((seconds) => seconds * 1000 >= wanted) ?? 172_800) * 1000;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, i) => i * step);
}
