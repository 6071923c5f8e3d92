/** What is known of one target: how it went, what it needs, what needs it, the way to it from the seed. */
import { bytes, count, duration } from '../../text/format.ts';
import type { Outcome } from '../model.ts';
import { stageClass } from '../palette.ts';
import { type Child, h } from './dom.ts';
import { link } from './sections.ts';
import type { Page } from './types.ts';

export function details(page: Page, place: number | null): Node[] {
  const target = place === null ? undefined : page.data.targets[place];
  if (place === null || target === undefined) {
    return [
      h(
        'p',
        { class: 'hint' },
        'Choose a target: what it needs, what needs it, and its way from the seed. Drag to move; pinch, or the wheel after a click into the picture, to zoom. A line goes from what is needed, on the left, to what needs it, on the right; lines that longer ways imply are left out.',
      ),
    ];
  }
  const { relations } = page;
  const needs = relations.closure(place, relations.dependencies);
  const needed = relations.closure(place, relations.dependents);
  const lineage = relations.lineage(place);
  return [
    h(
      'h3',
      {},
      h('span', { class: `stage ${stageClass(page.stages, target.stage)}` }, target.stage),
      ` ${target.name} `,
      h(
        'button',
        { type: 'button', 'aria-label': 'Select nothing', onclick: () => page.selection.clear() },
        '×',
      ),
    ),
    ...(target.outcome === null ? [] : outcome(target.outcome)),
    list(page, 'needs', relations.dependencies(place), needs.size, 'dep'),
    list(page, 'needed by', relations.dependents(place), needed.size, 'rdep'),
    h(
      'details',
      { open: true, class: 'line' },
      h('summary', {}, `from the seed: ${count(lineage.length - 1, 'hop')}`),
      h('ol', {}, ...lineage.map((hop) => h('li', {}, link(page, hop)))),
    ),
  ];
}

function outcome(from: Outcome): Node[] {
  const { state, duration: took, expected, digest, size, usage, reasons, text, steps } = from;
  const line = (name: string, value: Child): Child[] =>
    value === null || value === '' ? [] : [h('dt', {}, name), h('dd', {}, value)];
  return [
    h(
      'dl',
      {},
      ...line('result', h('span', { class: `state ${state}` }, state)),
      ...line('took', took > 0 ? duration(took) : null),
      ...line('usually', expected === null ? null : duration(expected)),
      ...line('CPU', usage === null ? null : duration(usage.cpu)),
      ...line('memory', usage === null ? null : `at most ${bytes(usage.peak)}`),
      ...line('size', size > 0 ? bytes(size) : null),
      ...line('digest', digest === null ? null : h('code', {}, digest)),
      ...line('why', reasons.join('; ')),
      ...line('note', text),
    ),
    ...(steps.length === 0
      ? []
      : [
          h(
            'details',
            {},
            h('summary', {}, 'slowest steps'),
            h(
              'ol',
              {},
              ...steps.map((step) => h('li', {}, `${duration(step.duration)}  `, h('code', {}, step.name))),
            ),
          ),
        ]),
  ];
}

function list(page: Page, title: string, places: readonly number[], all: number, kind: string): HTMLElement {
  const through = all - places.length;
  const text = `${title} ${places.length}${through > 0 ? ` (and ${through} through them)` : ''}`;
  if (places.length === 0)
    return h('p', { class: kind }, `${title} nothing`.replace('by nothing', 'by no other'));
  return h(
    'details',
    { open: places.length <= 40, class: kind },
    h('summary', {}, text),
    h('ul', { class: 'names' }, ...places.map((place) => h('li', {}, link(page, place)))),
  );
}
