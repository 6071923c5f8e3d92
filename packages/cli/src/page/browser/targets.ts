/** Every target in a table that can be filtered and sorted: what the graph shows, for those who read lists. */
import { bytes, digestHead, duration } from '../../text/format.ts';
import { h, section } from './dom.ts';
import { link } from './sections.ts';
import type { Page } from './types.ts';

type Key = 'name' | 'stage' | 'result' | 'took' | 'size' | 'needed by';

export function targetsSection(page: Page): HTMLElement {
  const { targets, run } = page.data;
  const keys: readonly Key[] =
    run === null ? ['name', 'stage', 'needed by'] : ['name', 'stage', 'result', 'took', 'size', 'needed by'];
  const body = h('tbody');
  const rows = targets.map(({ name, stage, outcome }, place) => {
    const needed = page.relations.dependents(place).length;
    const values: Record<Key, string | number> = {
      name,
      stage: page.stages.indexOf(stage),
      result: outcome?.state ?? '',
      took: outcome?.duration ?? 0,
      size: outcome?.size ?? 0,
      'needed by': needed,
    };
    const digest = outcome?.digest ?? null;
    const texts: Record<Key, Node | string> = {
      name: link(page, place),
      stage,
      result: h(
        'span',
        { class: `state ${outcome?.state ?? ''}`, title: digest === null ? null : digestHead(digest) },
        outcome?.state ?? '',
      ),
      took: outcome === null || outcome.duration === 0 ? '' : duration(outcome.duration),
      size: outcome === null || outcome.size === 0 ? '' : bytes(outcome.size),
      'needed by': needed === 0 ? '' : String(needed),
    };
    return { name, values, element: h('tr', {}, ...keys.map((key) => h('td', {}, texts[key]))) };
  });
  let sorted: Key = 'name';
  let upwards = true;
  const filter = h('input', {
    type: 'search',
    placeholder: 'filter',
    'aria-label': 'Filter the targets',
    oninput: () => show(),
  });
  const heads = new Map(
    keys.map((key) => [
      key,
      h('th', { scope: 'col' }, h('button', { type: 'button', onclick: () => sortBy(key) }, key)),
    ]),
  );
  const sortBy = (key: Key): void => {
    // Names go up, numbers begin with the most.
    upwards = key === sorted ? !upwards : typeof rows[0]?.values[key] === 'string' || key === 'stage';
    sorted = key;
    show();
  };
  const show = (): void => {
    const wanted = filter.value.trim().toLowerCase();
    const shown = rows.filter(({ name }) => name.toLowerCase().includes(wanted));
    const sign = upwards ? 1 : -1;
    shown.sort((a, b) => sign * compare(a.values[sorted], b.values[sorted]) || compare(a.name, b.name));
    body.replaceChildren(...shown.map(({ element }) => element));
    for (const [key, head] of heads) {
      if (key === sorted) head.setAttribute('aria-sort', upwards ? 'ascending' : 'descending');
      else head.removeAttribute('aria-sort');
    }
  };
  show();
  return section(
    'targets',
    'All targets',
    filter,
    h(
      'div',
      { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': 'All targets' },
      h('table', {}, h('thead', {}, h('tr', {}, ...heads.values())), body),
    ),
  );
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
