/**
 * Which target is selected: kept in the address (`#t=core-musl`), so that links, the back button and bookmarks work.
 */
import type { PageTarget } from '../model.ts';

type Listener = (target: number | null, byUser: boolean) => void;

export class Selection {
  readonly #places: ReadonlyMap<string, number>;
  readonly #listeners: Listener[] = [];

  constructor(targets: readonly PageTarget[]) {
    this.#places = new Map(targets.map(({ name }, place) => [name, place]));
    addEventListener('hashchange', () => this.#tell(true));
  }

  get current(): number | null {
    if (!location.hash.startsWith('#t=')) return null;
    try {
      return this.#places.get(decodeURIComponent(location.hash.slice(3))) ?? null;
    } catch {
      return null;
    }
  }

  /** Told of every change, and at `start`. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#tell(false);
  }

  select(name: string): void {
    location.hash = addressOf(name).slice(1);
  }

  clear(): void {
    if (this.current !== null) location.hash = 'graph';
  }

  #tell(byUser: boolean): void {
    // A link to a section changes the address, too, and must not lose what is selected in the graph for nothing.
    if (byUser && location.hash !== '' && !location.hash.startsWith('#t=') && location.hash !== '#graph')
      return;
    for (const listener of this.#listeners) listener(this.current, byUser);
  }
}

/** What a link to a target points to. */
export function addressOf(name: string): string {
  return `#t=${encodeURIComponent(name)}`;
}
