/** The sections made of lists: failures, critical path, slowest targets, savings, findings and warnings. */
import { bytes, count, duration } from '../../text/format.ts';
import type { PageFailure, PageRun, Saving } from '../model.ts';
import { type Child, h, s, section } from './dom.ts';
import { addressOf } from './selection.ts';
import type { Page } from './types.ts';

/** A target's name that leads to it in the graph. */
export function link({ data }: Page, target: number): HTMLElement {
  const name = data.targets[target]?.name ?? '?';
  return h('a', { class: 'target', href: addressOf(name) }, name);
}

/** A table that scrolls by itself where the screen is narrow. */
export function table(
  heads: readonly string[],
  rows: readonly HTMLTableRowElement[],
  tall = false,
): HTMLElement {
  const head = h('tr', {}, ...heads.map((text) => h('th', { scope: 'col' }, text)));
  // Focusable, so that it can be scrolled without a mouse.
  return h(
    'div',
    {
      class: tall ? 'scroll tall' : 'scroll',
      tabindex: 0,
      role: 'region',
      'aria-label': heads.filter((head) => head !== '').join(', '),
    },
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)),
  );
}

export function row(...cells: readonly Child[]): HTMLTableRowElement {
  return h('tr', {}, ...cells.map((cell) => h('td', {}, cell)));
}

export function failuresSection(page: Page, run: PageRun): HTMLElement | null {
  if (run.failures.length === 0) return null;
  return section('failures', 'Failures', ...run.failures.map((failure) => failureBlock(page, failure, run)));
}

function failureBlock(page: Page, failure: PageFailure, run: PageRun): HTMLElement {
  const waiting = page.relations.closure(failure.target, page.relations.dependents);
  const skipped = [...waiting].filter(
    (place) => page.data.targets[place]?.outcome?.state === 'skipped',
  ).length;
  const line = (name: string, value: string | null): Child[] =>
    value === null ? [] : [h('dt', {}, name), h('dd', {}, value)];
  return h(
    'article',
    { class: 'failure' },
    h('h3', {}, link(page, failure.target), failure.kind === 'build' ? '' : ` (${failure.kind})`),
    h('p', { class: 'cause' }, failure.cause),
    h(
      'dl',
      {},
      ...line('step', failure.step),
      ...line('exit code', failure.exitCode === null ? null : String(failure.exitCode)),
      ...line('at', failure.place),
      ...line('hint', failure.hint),
      ...line('because of it', skipped === 0 ? null : `${count(skipped, 'target')} skipped`),
      ...line('log', failure.logFile),
    ),
    h(
      'details',
      { open: run.failures.length <= 3 },
      h(
        'summary',
        {},
        failure.omitted > 0 ? `log (the last part; ${bytes(failure.omitted)} before it)` : 'log',
      ),
      h('pre', { tabindex: 0 }, failure.log === '' ? '(no output)' : failure.log),
    ),
  );
}

/** Longer tables scroll by themselves. */
const LONG = 25;

export function criticalSection(page: Page, run: PageRun): HTMLElement | null {
  if (run.critical.length === 0) return null;
  const building = run.critical.reduce((sum, { duration: took }) => sum + took, 0);
  const waiting = run.critical.reduce((sum, { wait }) => sum + wait, 0);
  const most = Math.max(...run.critical.map((hop) => hop.duration));
  const share = run.duration > 0 ? Math.round((100 * building) / run.duration) : 0;
  return section(
    'critical',
    'Critical path',
    h(
      'p',
      {},
      `${count(run.critical.length, 'build')} one after the other took ${duration(building)} of ${duration(run.duration)} (${share} %), `,
      `and waited ${duration(waiting)} for what else they needed, or for a place. More workers make a run no shorter than its critical path.`,
    ),
    table(
      ['target', 'took', 'waited', ''],
      run.critical.map((hop) =>
        row(
          link(page, hop.target),
          duration(hop.duration),
          hop.wait < 50 ? '' : duration(hop.wait),
          meter(hop.duration / most),
        ),
      ),
      run.critical.length > LONG,
    ),
  );
}

function meter(part: number): Node {
  return s(
    'svg',
    { class: 'meter', viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { width: Math.max(0.5, 100 * part), height: 8, rx: 1 }),
  );
}

/** So many are shown. */
const SLOWEST = 25;

export function slowestSection(page: Page, run: PageRun): HTMLElement | null {
  const slowest = page.data.targets
    .flatMap(({ outcome }, place) => (outcome !== null && outcome.duration > 0 ? [{ place, outcome }] : []))
    .sort((a, b) => b.outcome.duration - a.outcome.duration)
    .slice(0, SLOWEST);
  if (slowest.length === 0) return null;
  const all = page.data.targets.reduce((sum, { outcome }) => sum + (outcome?.duration ?? 0), 0);
  const known = slowest.some(({ outcome }) => outcome.usage !== null);
  return section(
    'slowest',
    'Slowest targets',
    h(
      'p',
      {},
      `All builds together took ${duration(all)} of workers' time, ${times(all, run.duration)} the time of the run.`,
    ),
    table(
      ['target', 'took', 'change', 'usually', 'earlier builds', ...(known ? ['CPU', 'memory'] : [])],
      slowest.map(({ place, outcome: { duration: took, expected, past, usage } }) =>
        row(
          link(page, place),
          duration(took),
          expected === null ? 'first time' : change(took, expected),
          expected === null ? '' : duration(expected),
          past.length === 0 ? '' : spark([...past, took]),
          ...(known
            ? [usage === null ? '' : duration(usage.cpu), usage === null ? '' : bytes(usage.peak)]
            : []),
        ),
      ),
    ),
  );
}

function times(a: number, b: number): string {
  return b <= 0 ? '' : `${(a / b).toFixed(1)} times`;
}

/** Below this the clock is what differs. */
const NOISE = 0.1;

function change(took: number, usual: number): Node {
  const part = usual > 0 ? took / usual - 1 : 0;
  if (Math.abs(part) < NOISE) return h('span', { class: 'same' }, 'as usual');
  const text =
    part >= 1
      ? `${(part + 1).toFixed(1)} times`
      : `${part > 0 ? '+' : '−'}${Math.round(Math.abs(part) * 100)} %`;
  return h('span', { class: part > 0 ? 'slower' : 'faster' }, text);
}

/** Durations over time, the last one marked. */
function spark(values: readonly number[]): Node {
  const most = Math.max(...values, 1);
  const at = (value: number, i: number): string =>
    `${2 + (96 * i) / Math.max(1, values.length - 1)},${18 - (16 * value) / most}`;
  const last = values.length - 1;
  const [x, y] = at(values[last] ?? 0, last).split(',');
  return s(
    'svg',
    {
      class: 'spark',
      viewBox: '0 0 100 20',
      role: 'img',
      'aria-label': values.map((value) => duration(value)).join(', '),
    },
    s('title', {}, values.map((value) => duration(value)).join(', ')),
    s('polyline', { points: values.map(at).join(' ') }),
    s('circle', { cx: x, cy: y, r: 2 }),
  );
}

export function savingsSection(page: Page, { savings }: PageRun): HTMLElement | null {
  const { cache, cutoff } = savings;
  if (cache.targets.length + cutoff.targets.length === 0) return null;
  return section(
    'savings',
    'Saved',
    h(
      'div',
      { class: 'cards' },
      card(page, 'by records', cache, 'built before from the same inputs'),
      card(page, 'by early cutoff', cutoff, 'what they need was rebuilt and came out equal'),
    ),
  );
}

function card(page: Page, title: string, saving: Saving, text: string): HTMLElement {
  const { targets, duration: saved, unknown } = saving;
  return h(
    'article',
    {},
    h('h3', {}, title),
    h('p', { class: 'big' }, targets.length === unknown ? '–' : duration(saved)),
    h('p', {}, `${count(targets.length, 'target')} not built: ${text}`),
    unknown > 0 ? h('p', {}, `${count(unknown, 'target')} of unknown time not counted`) : null,
    targets.length === 0
      ? null
      : h(
          'details',
          {},
          h('summary', {}, 'which'),
          h(
            'ul',
            { class: 'names' },
            ...targets.map((target) => {
              const expected = page.data.targets[target]?.outcome?.expected ?? null;
              return h('li', {}, link(page, target), expected === null ? '' : ` ${duration(expected)}`);
            }),
          ),
        ),
  );
}

export function notesSection({ findings, warnings }: PageRun): HTMLElement | null {
  if (findings.length + warnings.length === 0) return null;
  return section(
    'notes',
    'Findings',
    h(
      'ul',
      {},
      ...findings.map(({ target, text, before, now }) =>
        h(
          'li',
          { class: 'finding' },
          h('b', {}, target),
          ` ${text}`,
          h('br'),
          h('code', {}, `${before} → ${now}`),
        ),
      ),
      ...warnings.map((text) => h('li', {}, text)),
    ),
  );
}
