/**
 * What the user is looking at, and what each key does to it. A pure step function: the run is only read;
 * what has to be done outside (stop, suspend) is returned.
 */
import type { RunView, TargetState, TargetView } from '../view/model.ts';

export interface Key {
  /** What was typed, empty for keys that type nothing. */
  readonly input: string;
  readonly name:
    | 'up'
    | 'down'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'return'
    | 'escape'
    | 'tab'
    | 'backspace'
    | null;
  readonly ctrl: boolean;
}

/** Which targets a list shows. */
export type Show = 'all' | 'running' | 'waiting' | 'failed' | 'done';
export const SHOWS: readonly Show[] = ['all', 'running', 'waiting', 'failed', 'done'];

export type Screen =
  | { readonly kind: 'overview' }
  | { readonly kind: 'help' }
  /** Attached to a run that is not ours: leave it, or end it? */
  | { readonly kind: 'ask' }
  | { readonly kind: 'browse'; readonly show: Show; readonly filter: string; readonly typing: boolean }
  | { readonly kind: 'detail'; readonly target: string }
  | {
      readonly kind: 'log';
      readonly target: string;
      /** Lines above the end; 0 follows. */
      readonly up: number;
      readonly search: string;
      readonly typing: boolean;
    };

export interface Ui {
  readonly screen: Screen;
  /** Where Esc leads, last first. */
  readonly back: readonly Screen[];
  readonly selected: string | null;
  /** The run is another process's: leaving the view leaves it alone. */
  readonly attached: boolean;
}

export type Effect =
  | { readonly kind: 'stop' }
  /** Leave the view, not the run. */
  | { readonly kind: 'detach' }
  /** Stop starting builds, or go on. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'retry'; readonly target: string }
  /** Something to say, for people, until the next key. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'suspend' }
  /** Move the log to the next hit of the search, upwards or downwards. */
  | { readonly kind: 'find'; readonly direction: 'up' | 'down' };

export interface Step {
  readonly ui: Ui;
  readonly effect: Effect | null;
}

export function firstUi(attached: boolean): Ui {
  return { screen: { kind: 'overview' }, back: [], selected: null, attached };
}

/** @param page rows that a page key moves by. */
export function step(ui: Ui, key: Key, view: RunView, page: number): Step {
  const { screen } = ui;
  if (key.ctrl && key.input === 'c') {
    // Ending what others may be watching is not done by a slip of the finger.
    return ui.attached && screen.kind !== 'ask'
      ? stay(enter(ui, { kind: 'ask' }))
      : { ui: screen.kind === 'ask' ? leave(ui) : ui, effect: { kind: 'stop' } };
  }
  if (key.ctrl && key.input === 'z') return { ui, effect: { kind: 'suspend' } };
  if ((screen.kind === 'browse' || screen.kind === 'log') && screen.typing) return typed(ui, screen, key);
  switch (key.input) {
    case '?':
      return stay(screen.kind === 'help' ? leave(ui) : enter(ui, { kind: 'help' }));
    case 'q':
      // In a view that was opened, q leaves it, as in every pager; in the first one it ends the run, kindly.
      if (screen.kind !== 'overview' && screen.kind !== 'ask') return stay(leave(ui));
      return { ui, effect: { kind: ui.attached ? 'detach' : 'stop' } };
    case 'p':
      return { ui, effect: { kind: 'pause' } };
    case 'r':
      return retryStep(ui, view);
    case 'w': {
      const target = subject(ui);
      if (screen.kind === 'detail') return stay(ui);
      return target === null
        ? stay(enter(ui, { kind: 'browse', show: 'waiting', filter: '', typing: false }))
        : stay(enter(ui, { kind: 'detail', target }));
    }
    case 'b':
      return stay(
        screen.kind === 'browse' ? ui : enter(ui, { kind: 'browse', show: 'all', filter: '', typing: false }),
      );
    case 'l': {
      const target = subject(ui);
      if (screen.kind === 'log') return stay(ui);
      if (target === null)
        return { ui, effect: { kind: 'note', text: 'select a target first (up, down); b lists all' } };
      return stay(enter(ui, { kind: 'log', target, up: 0, search: '', typing: false }));
    }
    default:
      break;
  }
  if (key.name === 'escape') return stay(leave(ui));
  switch (screen.kind) {
    case 'overview':
    case 'browse':
      return listStep(ui, key, view, page);
    case 'log':
      return logStep(ui, screen, key, page);
    case 'detail':
    case 'help':
    case 'ask':
      return stay(ui);
    default:
      return screen satisfies never;
  }
}

/** The selected target once more; where nothing is selected and only one has failed, that one. */
function retryStep(ui: Ui, view: RunView): Step {
  const only = view.failures.length === 1 ? view.failures[0] : undefined;
  const target = subject(ui) ?? only;
  if (target === undefined) {
    const text =
      view.failures.length === 0 ? 'nothing has failed' : 'select the failed target first (up, down)';
    return { ui, effect: { kind: 'note', text } };
  }
  if (view.targets.get(target)?.state === 'failed') return { ui, effect: { kind: 'retry', target } };
  return { ui, effect: { kind: 'note', text: `${target} has not failed` } };
}

function stay(ui: Ui): Step {
  return { ui, effect: null };
}

function enter(ui: Ui, screen: Screen): Ui {
  return { ...ui, screen, back: [...ui.back, ui.screen] };
}

function leave(ui: Ui): Ui {
  const before = ui.back.at(-1);
  if (before === undefined) return { ...ui, selected: ui.screen.kind === 'overview' ? null : ui.selected };
  return { ...ui, screen: before, back: ui.back.slice(0, -1) };
}

/** The target that keys like `l` are about. */
function subject(ui: Ui): string | null {
  return ui.screen.kind === 'detail' || ui.screen.kind === 'log' ? ui.screen.target : ui.selected;
}

function listStep(ui: Ui, key: Key, view: RunView, page: number): Step {
  const { screen } = ui;
  const names = listed(ui, view).map(({ name }) => name);
  const moves: Partial<Record<NonNullable<Key['name']>, number>> = {
    up: -1,
    down: 1,
    pageUp: -page,
    pageDown: page,
    home: -names.length,
    end: names.length,
  };
  const by = (key.name === null ? undefined : moves[key.name]) ?? { k: -1, j: 1 }[key.input];
  if (by !== undefined) return stay({ ...ui, selected: moved(names, ui.selected, by) });
  if (key.name === 'return' && ui.selected !== null) {
    return stay(enter(ui, { kind: 'detail', target: ui.selected }));
  }
  if (screen.kind === 'browse') {
    if (key.input === '/') return stay({ ...ui, screen: { ...screen, typing: true } });
    if (key.name === 'tab') {
      const next = SHOWS[(SHOWS.indexOf(screen.show) + 1) % SHOWS.length] ?? 'all';
      return stay({ ...ui, screen: { ...screen, show: next }, selected: null });
    }
  } else if (key.input === '/') {
    return stay(enter(ui, { kind: 'browse', show: 'all', filter: '', typing: true }));
  }
  return stay(ui);
}

function moved(names: readonly string[], selected: string | null, by: number): string | null {
  if (Math.abs(by) >= names.length) return (by > 0 ? names.at(-1) : names[0]) ?? null;
  const at = selected === null ? -1 : names.indexOf(selected);
  const next = at < 0 ? (by > 0 ? 0 : names.length - 1) : Math.min(names.length - 1, Math.max(0, at + by));
  return names[next] ?? null;
}

function logStep(ui: Ui, screen: Extract<Screen, { kind: 'log' }>, key: Key, page: number): Step {
  const up = (lines: number): Step =>
    stay({ ...ui, screen: { ...screen, up: Math.max(0, screen.up + lines) } });
  switch (key.name) {
    case 'up':
      return up(1);
    case 'down':
      return up(-1);
    case 'pageUp':
      return up(page);
    case 'pageDown':
      return up(-page);
    case 'home':
      return up(Number.MAX_SAFE_INTEGER / 2);
    case 'end':
      return up(-screen.up);
    case 'return':
    case 'tab':
    case 'escape':
    case 'backspace':
    case null:
      break;
    default:
      key.name satisfies never;
  }
  switch (key.input) {
    case 'k':
      return up(1);
    case 'j':
      return up(-1);
    case ' ':
      return up(-page);
    case 'g':
      return up(Number.MAX_SAFE_INTEGER / 2);
    case 'G':
      return up(-screen.up);
    case '/':
      return stay({ ...ui, screen: { ...screen, typing: true, search: '' } });
    case 'n':
      return { ui, effect: { kind: 'find', direction: 'up' } };
    case 'N':
      return { ui, effect: { kind: 'find', direction: 'down' } };
    default:
      return stay(ui);
  }
}

/** Typing into the filter of the list or the search of the log. */
function typed(ui: Ui, screen: Extract<Screen, { kind: 'browse' | 'log' }>, key: Key): Step {
  const text = screen.kind === 'browse' ? screen.filter : screen.search;
  const set = (next: string, typing: boolean): Ui => ({
    ...ui,
    screen:
      screen.kind === 'browse' ? { ...screen, filter: next, typing } : { ...screen, search: next, typing },
    selected: screen.kind === 'browse' && next !== text ? null : ui.selected,
  });
  if (key.name === 'escape') return stay(set('', false));
  if (key.name === 'return') {
    const effect: Effect | null =
      screen.kind === 'log' && text !== '' ? { kind: 'find', direction: 'up' } : null;
    return { ui: set(text, false), effect };
  }
  if (key.name === 'backspace') return stay(set([...text].slice(0, -1).join(''), true));
  if (key.ctrl && key.input === 'u') return stay(set('', true));
  // What is pasted may hold anything.
  const input = key.ctrl ? '' : key.input.replace(/\p{Cc}/gu, '');
  return stay(set(text + input, true));
}

const OF_SHOW: Readonly<Record<Show, readonly TargetState[]>> = {
  all: ['waiting', 'ready', 'running', 'hit', 'built', 'unchanged', 'failed', 'skipped'],
  running: ['running'],
  waiting: ['waiting', 'ready'],
  failed: ['failed', 'skipped'],
  done: ['hit', 'built', 'unchanged'],
};

/** The targets that can be selected on this screen, in its order. */
export function listed(ui: Ui, view: RunView): readonly TargetView[] {
  if (ui.screen.kind === 'browse') {
    const { show, filter } = ui.screen;
    const states = OF_SHOW[show];
    const wanted = filter.toLowerCase();
    return [...view.targets.values()].filter(
      ({ name, state }) => states.includes(state) && name.toLowerCase().includes(wanted),
    );
  }
  return [...view.failures.slice(-3), ...view.running].flatMap((name) => view.targets.get(name) ?? []);
}
