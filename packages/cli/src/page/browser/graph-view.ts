/**
 * The picture of the graph: moved by dragging, zoomed by wheel, pinch, buttons and keys. Selecting a target colours
 * what it needs, what needs it and the way from the seed, and dims the rest.
 *
 * Positions were found beforehand (layout.ts); nothing is laid out here.
 */
import type { Picture } from '../model.ts';
import { stageClass } from '../palette.ts';
import { s } from './dom.ts';
import { Gestures } from './gestures.ts';
import type { Page } from './types.ts';

/** Below this scale names can not be read: boxes stand for them. */
const LEGIBLE = 0.42;
const LEAST = 0.02;
const MOST = 4;
/** Scale at which a selected target is shown. */
const NEAR = 0.9;

const RELATION = ['selected', 'dep', 'dep-far', 'rdep', 'rdep-far', 'lineage'] as const;
type Relation = (typeof RELATION)[number];

export class GraphView {
  readonly element: SVGSVGElement;
  readonly #page: Page;
  readonly #picture: Picture;
  readonly #moved = s('g');
  readonly #nodes: readonly SVGGElement[];
  readonly #links: readonly SVGPathElement[];
  #scale = 1;
  #x = 0;
  #y = 0;
  #shown = false;
  #selected: number | null = null;

  constructor(page: Page) {
    this.#page = page;
    const picture = page.data.picture;
    this.#picture = picture;
    this.#links = picture.links.map(({ path }) => s('path', { d: path }));
    this.#nodes = picture.nodes.map(({ name, stage, x, y, width, height }) =>
      s(
        'g',
        { class: `node ${stageClass(page.stages, stage)}`, transform: `translate(${x} ${y})` },
        s('title', {}, name),
        s('rect', { x: -width / 2, y: -height / 2, width, height, rx: 4 }),
        s('text', {}, name),
      ),
    );
    this.#moved.append(
      s('g', { class: 'links' }, ...this.#links),
      s('g', { class: 'nodes' }, ...this.#nodes),
    );
    this.element = s(
      'svg',
      {
        tabindex: 0,
        role: 'application',
        'aria-label': `Graph of ${picture.nodes.length} targets: arrow keys move, plus and minus zoom, 0 shows all; find targets by the search field or the table of all targets`,
        onkeydown: (event: KeyboardEvent) => this.#key(event),
      },
      this.#moved,
    );
    new Gestures(this.element, {
      move: (dx, dy) => this.#move(dx, dy),
      zoom: (by, x, y) => this.#zoomAt(by, x, y),
      tap: (target) => this.#tap(target),
    });
    new ResizeObserver(() => this.#resized()).observe(this.element);
  }

  zoom(by: number): void {
    this.#zoomAt(by, this.element.clientWidth / 2, this.element.clientHeight / 2);
  }

  /** Shows all of it. */
  fit(): void {
    const { width, height } = this.#picture;
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0 || width === 0) return;
    this.#scale = Math.min(1, clientWidth / width, clientHeight / height);
    this.#x = (clientWidth - width * this.#scale) / 2;
    this.#y = (clientHeight - height * this.#scale) / 2;
    this.#apply();
  }

  showStage(stage: string, on: boolean): void {
    this.#picture.nodes.forEach((node, place) => {
      if (node.stage === stage) this.#nodes[place]?.classList.toggle('hidden', !on);
    });
    this.#picture.links.forEach(({ from, to }, index) => {
      const hidden = [from, to].some((place) => this.#nodes[place]?.classList.contains('hidden') === true);
      this.#links[index]?.classList.toggle('hidden', hidden);
    });
  }

  select(target: number | null): void {
    this.#selected = target;
    const { relations } = this.#page;
    const relation = new Map<number, Relation[]>();
    const mark = (places: Iterable<number>, kind: Relation): void => {
      for (const place of places) relation.set(place, [...(relation.get(place) ?? []), kind]);
    };
    const needs = new Set<number>();
    const needed = new Set<number>();
    if (target !== null) {
      for (const place of relations.closure(target, relations.dependencies)) needs.add(place);
      for (const place of relations.closure(target, relations.dependents)) needed.add(place);
      mark(needs, 'dep-far');
      mark(needed, 'rdep-far');
      mark(relations.dependencies(target), 'dep');
      mark(relations.dependents(target), 'rdep');
      mark(relations.lineage(target), 'lineage');
      mark([target], 'selected');
      needs.add(target);
      needed.add(target);
    }
    this.element.classList.toggle('focused', target !== null);
    this.#nodes.forEach((node, place) => {
      for (const kind of RELATION) node.classList.toggle(kind, relation.get(place)?.includes(kind) === true);
    });
    const lineage = target === null ? [] : relations.lineage(target);
    const hops = new Set(lineage.slice(1).map((place, i) => `${place} ${lineage[i]}`));
    this.#picture.links.forEach(({ from, to }, index) => {
      const link = this.#links[index];
      link?.classList.toggle('dep', needs.has(from) && needs.has(to));
      link?.classList.toggle('rdep', needed.has(from) && needed.has(to));
      link?.classList.toggle('lineage', hops.has(`${from} ${to}`));
    });
    if (this.#shown) this.#showSelected();
  }

  #showSelected(): void {
    const node = this.#picture.nodes[this.#selected ?? -1];
    if (node === undefined) return;
    this.#scale = Math.max(this.#scale, NEAR);
    this.#x = this.element.clientWidth / 2 - node.x * this.#scale;
    this.#y = this.element.clientHeight / 2 - node.y * this.#scale;
    this.#apply();
  }

  #resized(): void {
    if (this.#shown || this.element.clientWidth === 0) return;
    this.#shown = true;
    this.fit();
    this.#showSelected();
  }

  #move(dx: number, dy: number): void {
    this.#x += dx;
    this.#y += dy;
    this.#apply();
  }

  #zoomAt(by: number, x: number, y: number): void {
    const scale = Math.min(MOST, Math.max(LEAST, this.#scale * by));
    this.#x = x - ((x - this.#x) * scale) / this.#scale;
    this.#y = y - ((y - this.#y) * scale) / this.#scale;
    this.#scale = scale;
    this.#apply();
  }

  #apply(): void {
    this.#moved.setAttribute('transform', `translate(${this.#x} ${this.#y}) scale(${this.#scale})`);
    this.element.classList.toggle('far', this.#scale < LEGIBLE);
    // Lines keep about a pixel however small the picture is.
    this.element.style.setProperty('--line', String(Math.max(1, 0.55 / this.#scale)));
  }

  #tap(element: Element): void {
    const node = element.closest('.node');
    const place = node === null ? -1 : this.#nodes.indexOf(node as SVGGElement);
    const name = this.#page.data.targets[place]?.name;
    if (name === undefined) this.#page.selection.clear();
    else this.#page.selection.select(name);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60;
    if (event.key === 'ArrowLeft') this.#move(step, 0);
    else if (event.key === 'ArrowRight') this.#move(-step, 0);
    else if (event.key === 'ArrowUp') this.#move(0, step);
    else if (event.key === 'ArrowDown') this.#move(0, -step);
    else if (event.key === '+' || event.key === '=') this.zoom(1.25);
    else if (event.key === '-') this.zoom(0.8);
    else if (event.key === '0') this.fit();
    else if (event.key === 'Escape') this.#page.selection.clear();
    else return;
    event.preventDefault();
  }
}
