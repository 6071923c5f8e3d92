/** The top of the page: what it is about, how it ended, the counts; and the bar of links that stays in sight. */
import { count, duration } from '../../text/format.ts';
import type { PageRun } from '../model.ts';
import { h } from './dom.ts';
import type { Page } from './types.ts';

const ENDS: Readonly<Record<PageRun['end'], string>> = {
  ok: 'done',
  failed: 'failed',
  interrupted: 'interrupted',
  'time-up': 'its time was up',
  'cut-off': 'cut off: its record has no end',
};

export function header({ data }: Page, sections: readonly HTMLElement[]): HTMLElement {
  const { run, title, targets } = data;
  const links = sections.map((section) =>
    h('a', { href: `#${section.id}` }, section.querySelector('h2')?.textContent ?? section.id),
  );
  const nav = h('nav', { 'aria-label': 'Sections' }, ...links);
  if (run === null) {
    return h(
      'header',
      {},
      h('h1', {}, title),
      h('p', { class: 'facts' }, count(targets.length, 'target')),
      nav,
    );
  }
  return h(
    'header',
    {},
    h('h1', {}, h('span', { class: `verdict ${run.end}` }, ENDS[run.end]), ' ', h('code', {}, run.command)),
    h(
      'p',
      { class: 'facts' },
      fact('run', run.id),
      fact('began', began(run.started)),
      fact('took', duration(run.duration)),
      fact('tree', run.root),
      ...run.workers.map(({ name, version, lanes }) =>
        fact('worker', `${name} ${version} (${count(lanes, 'place')} used)`),
      ),
    ),
    tiles(run),
    nav,
  );
}

function fact(name: string, value: string): HTMLElement {
  return h('span', {}, h('i', {}, name), ` ${value} `);
}

/** In the reader's own time zone, with the zone's name. */
function began(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
}

function tiles({ counts, savings }: PageRun): HTMLElement {
  const saved = savings.cache.duration + savings.cutoff.duration;
  const tile = (name: string, value: string, tone = ''): HTMLElement =>
    h('li', { class: tone }, h('b', {}, value), ` ${name}`);
  return h(
    'ul',
    { class: 'tiles' },
    tile('targets', String(counts.targets)),
    tile('built', String(counts.built), 'built'),
    tile('unchanged', String(counts.unchanged), 'unchanged'),
    tile('hits', String(counts.hit)),
    ...(counts.failed > 0 ? [tile('failed', String(counts.failed), 'failed')] : []),
    ...(counts.skipped > 0 ? [tile('skipped', String(counts.skipped), 'skipped')] : []),
    ...(saved > 0 ? [tile('of building saved', duration(saved))] : []),
  );
}
