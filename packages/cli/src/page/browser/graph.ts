/** The graph's section: search, stages to switch off, the picture, and what is known of the selected target. */
import { stageClass } from '../palette.ts';
import { details } from './details.ts';
import { h, section } from './dom.ts';
import { GraphView } from './graph-view.ts';
import type { Page } from './types.ts';

/** So many matches are offered. */
const MATCHES = 12;

export function graphSection(page: Page): HTMLElement {
  const view = new GraphView(page);
  const panel = h('aside', { class: 'panel', 'aria-live': 'polite', 'aria-label': 'The selected target' });
  const around = section(
    'graph',
    'Graph',
    h('div', { class: 'tools' }, search(page), ...stageButtons(page, view)),
    h(
      'div',
      { class: 'graph' },
      h(
        'div',
        { class: 'canvas' },
        view.element,
        h(
          'div',
          { class: 'zoom' },
          h('button', { type: 'button', 'aria-label': 'Zoom in', onclick: () => view.zoom(1.5) }, '+'),
          h('button', { type: 'button', 'aria-label': 'Zoom out', onclick: () => view.zoom(1 / 1.5) }, '−'),
          h('button', { type: 'button', onclick: () => view.fit() }, 'all'),
        ),
      ),
      panel,
    ),
  );
  page.selection.listen((target, byUser) => {
    view.select(target);
    panel.replaceChildren(...details(page, target));
    panel.scrollTop = 0;
    if (target !== null && (byUser || location.hash.startsWith('#t=')))
      around.scrollIntoView({ block: 'start' });
  });
  return around;
}

function stageButtons(page: Page, view: GraphView): HTMLElement[] {
  return page.stages.map((stage) => {
    const amount = page.data.targets.filter((target) => target.stage === stage).length;
    const button = h(
      'button',
      {
        type: 'button',
        class: `stage ${stageClass(page.stages, stage)}`,
        'aria-pressed': 'true',
        title: `Show or hide ${stage}`,
        onclick: () => {
          const on = button.getAttribute('aria-pressed') !== 'true';
          button.setAttribute('aria-pressed', String(on));
          view.showStage(stage, on);
        },
      },
      `${stage} ${amount}`,
    );
    return button;
  });
}

/** A combo box: arrows choose, Enter selects, `/` from anywhere comes here. */
function search(page: Page): HTMLElement {
  const { targets } = page.data;
  let matches: string[] = [];
  let at = 0;
  const list = h('ul', { id: 'matches', role: 'listbox', 'aria-label': 'Targets', hidden: true });
  const input = h('input', {
    type: 'search',
    placeholder: 'find a target ( / )',
    role: 'combobox',
    'aria-label': 'Find a target',
    'aria-controls': 'matches',
    'aria-expanded': 'false',
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      at = 0;
      show();
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'ArrowDown') at = Math.min(matches.length - 1, at + 1);
      else if (event.key === 'ArrowUp') at = Math.max(0, at - 1);
      else if (event.key === 'Enter') choose(matches[at]);
      else if (event.key === 'Escape') hide();
      else return;
      event.preventDefault();
      if (event.key.startsWith('Arrow')) show();
    },
    onblur: () => hide(),
  });
  const choose = (name: string | undefined): void => {
    if (name === undefined) return;
    input.value = name;
    hide();
    page.selection.select(name);
  };
  const hide = (): void => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const show = (): void => {
    const wanted = input.value.trim().toLowerCase();
    matches = wanted === '' ? [] : found(targets, wanted);
    list.replaceChildren(
      ...matches.map((name, index) =>
        h(
          'li',
          {
            id: `match-${index}`,
            role: 'option',
            'aria-selected': String(index === at),
            // Before the field loses its focus and the list goes away.
            onpointerdown: (event: PointerEvent) => {
              event.preventDefault();
              choose(name);
            },
          },
          name,
        ),
      ),
      ...(wanted !== '' && matches.length === 0
        ? [h('li', { role: 'option', 'aria-disabled': 'true' }, 'none')]
        : []),
    );
    list.hidden = wanted === '';
    input.setAttribute('aria-expanded', String(wanted !== ''));
    if (matches.length > 0) input.setAttribute('aria-activedescendant', `match-${at}`);
  };
  addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  return h('div', { class: 'search' }, input, list);
}

/** What begins with the words first (also after the stage), then what contains them. */
function found(
  targets: readonly { readonly name: string; readonly stage: string }[],
  wanted: string,
): string[] {
  const rank = ({ name, stage }: { readonly name: string; readonly stage: string }): number => {
    const text = name.toLowerCase();
    const bare = text.slice(stage.length + 1);
    if (text === wanted || bare === wanted) return 0;
    if (text.startsWith(wanted) || bare.startsWith(wanted)) return 1;
    return text.includes(wanted) ? 2 : 3;
  };
  return targets
    .map((target) => ({ name: target.name, rank: rank(target) }))
    .filter((target) => target.rank < 3)
    .sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
    .slice(0, MATCHES)
    .map(({ name }) => name);
}
