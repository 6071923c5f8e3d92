/** Pointers and the wheel as moves, zooms and taps. Knows nothing of what is moved. */

export interface GestureActions {
  move(dx: number, dy: number): void;
  /** Around a point of the element. */
  zoom(by: number, x: number, y: number): void;
  tap(target: Element): void;
}

/** A pointer that moved less than this, px, only tapped. */
const STILL = 5;

interface Pointer {
  x: number;
  y: number;
  travelled: number;
}

export class Gestures {
  readonly #element: SVGSVGElement;
  readonly #actions: GestureActions;
  readonly #pointers = new Map<number, Pointer>();

  constructor(element: SVGSVGElement, actions: GestureActions) {
    this.#element = element;
    this.#actions = actions;
    element.addEventListener('pointerdown', (event) => this.#down(event));
    element.addEventListener('pointermove', (event) => this.#moved(event));
    element.addEventListener('pointerup', (event) => this.#up(event, true));
    element.addEventListener('pointercancel', (event) => this.#up(event, false));
    element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, travelled: 0 });
  }

  #moved(event: PointerEvent): void {
    const pointer = this.#pointers.get(event.pointerId);
    if (pointer === undefined) return;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    const before = other === undefined ? 0 : distance(pointer, other);
    const dx = event.clientX - pointer.x;
    const dy = event.clientY - pointer.y;
    pointer.x = event.clientX;
    pointer.y = event.clientY;
    pointer.travelled += Math.abs(dx) + Math.abs(dy);
    // Not at the press: a captured pointer's click would no longer say what was under it.
    if (pointer.travelled > STILL) this.#element.setPointerCapture(event.pointerId);
    if (other === undefined) {
      this.#actions.move(dx, dy);
      return;
    }
    const box = this.#element.getBoundingClientRect();
    const x = (pointer.x + other.x) / 2 - box.left;
    const y = (pointer.y + other.y) / 2 - box.top;
    this.#actions.move(dx / 2, dy / 2);
    if (before > 0) this.#actions.zoom(distance(pointer, other) / before, x, y);
  }

  #up(event: PointerEvent, counts: boolean): void {
    const pointer = this.#pointers.get(event.pointerId);
    this.#pointers.delete(event.pointerId);
    const tapped = counts && pointer !== undefined && pointer.travelled <= STILL && this.#pointers.size === 0;
    if (tapped && event.target instanceof Element) this.#actions.tap(event.target);
  }

  /** Only where the picture has the focus (or with Ctrl, as pinching on a touchpad says): the page must scroll past. */
  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && document.activeElement !== this.#element) return;
    event.preventDefault();
    const box = this.#element.getBoundingClientRect();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const by = Math.exp((-event.deltaY * lines * (event.ctrlKey ? 4 : 1)) / 500);
    this.#actions.zoom(by, event.clientX - box.left, event.clientY - box.top);
  }
}

function distance(a: Pointer, b: Pointer): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
