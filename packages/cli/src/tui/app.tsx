/**
 * The TUI's components: scrollback of finished targets, and under it the small live part. Everything shown is
 * made by pure functions of rows; this file only ties them to Ink, keys and the terminal's size.
 */
import { Box, type Key as InkKey, Static, Text, useApp, useInput, useWindowSize } from 'ink';
import { memo, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { RunKeys } from '../live/keys.ts';
import type { Tone } from '../text/paint.ts';
import type { RunView } from '../view/model.ts';
import type { Area } from './area.ts';
import type { Glyphs } from './glyphs.ts';
import type { GiveBack } from './job-control.ts';
import { LogTail } from './log-tail.ts';
import { overview, statusRow } from './overview.ts';
import type { Drawn } from './reflow.ts';
import { fitRow, type Row, rowWidth, span, textOf } from './rows.ts';
import { askRows, browseRows, clampUp, detailRows, findUp, helpRows, logRows } from './screens.ts';
import type { Frame, RunStore } from './store.ts';
import { type Effect, firstUi, type Key, step, type Ui } from './ui.ts';
import { verdictRow } from './verdicts.ts';

/** Rows of the live part in the first view: it stays small on large terminals, too. */
const LIVE_ROWS = 20;
/** How often an open log is read, ms. */
const LOG_MS = 250;

export interface AppProps {
  readonly store: RunStore;
  readonly glyphs: Glyphs;
  readonly colour: boolean;
  /** What can be asked of the run. */
  readonly keys: RunKeys;
  /** Told what is on the screen. */
  readonly drawn: Drawn;
  /** A Ctrl-Z. */
  readonly onSuspend: () => void;
  /** Told once how to hand the terminal over. */
  readonly onTerminal: (giveBack: GiveBack) => void;
}

export function App({ store, glyphs, colour, keys, drawn, onSuspend, onTerminal }: AppProps) {
  const frame = useSyncExternalStore(store.subscribe, store.frame);
  const { columns, rows } = useWindowSize();
  const { suspendTerminal } = useApp();
  const [ui, setUi] = useState<Ui>(() => firstUi(keys.attached));
  const [note, setNote] = useState('');
  const log = useLog(frame, ui);
  useEffect(() => onTerminal(() => suspendTerminal()), [onTerminal, suspendTerminal]);
  // One column stays free: a terminal that wraps at the last one would break the count of rows.
  const width = Math.max(20, columns - 1);
  const height = ui.screen.kind === 'overview' ? Math.min(LIVE_ROWS, rows - 2) : rows - 2;
  const area: Area = { columns: width, rows: Math.max(1, height), glyphs };
  // Keys can come faster than React commits: each works on what the one before it left.
  const current = useRef(ui);
  const show = (next: Ui): void => {
    current.current = clamped(next, log, area.rows - 2);
    setUi(current.current);
  };
  useInput((input, inkKey) => {
    setNote('');
    for (const key of keysOf(input, inkKey)) {
      const done = step(current.current, key, frame.view, Math.max(1, area.rows - 2));
      show(done.ui);
      if (done.effect?.kind === 'find') show(found(done.ui, log, done.effect.direction));
      else if (done.effect?.kind === 'suspend') onSuspend();
      else if (done.effect?.kind === 'note') setNote(done.effect.text);
      else if (done.effect !== null) void asked(done.effect, keys, frame.view).then(setNote);
    }
  });
  const rowsShown = frame.view.phase === 'finished' ? [] : screenRows(frame, ui, log, area);
  // What there is to say stands in place of the last row: the live part does not grow.
  const live =
    note === '' || rowsShown.length === 0
      ? rowsShown
      : [...rowsShown.slice(0, -1), fitRow([span(note, 'warn')], width, glyphs.more)];
  useEffect(() => {
    drawn.widths = live.map(rowWidth);
  });
  return (
    <>
      <Verdicts frame={frame} columns={width} glyphs={glyphs} colour={colour} />
      <Box flexDirection="column">
        {live.map((row, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
          <Line key={i} row={row} colour={colour} />
        ))}
      </Box>
    </>
  );
}

/** Asks it of the run. @returns what there is to say about it; empty for nothing */
async function asked(
  effect: Exclude<Effect, { kind: 'find' | 'suspend' | 'note' }>,
  keys: RunKeys,
  view: RunView,
): Promise<string> {
  switch (effect.kind) {
    case 'stop':
      keys.stop();
      return '';
    case 'detach':
      keys.detach();
      return '';
    case 'pause':
      if (view.paused) keys.resume();
      else keys.pause();
      return '';
    case 'retry':
      return (await keys.retry(effect.target)) ?? '';
    default:
      return effect satisfies never;
  }
}

function screenRows(frame: Frame, ui: Ui, log: readonly string[], area: Area): Row[] {
  if (ui.screen.kind === 'overview') return overview(frame, area, ui.selected);
  if (area.rows < 3) return openRows(frame, ui, log, area);
  const rest = { ...area, rows: area.rows - 1 };
  return [...openRows(frame, ui, log, rest), statusRow(frame, area)];
}

/** The view that was opened over the first one. */
function openRows(frame: Frame, ui: Ui, log: readonly string[], area: Area): Row[] {
  const { screen } = ui;
  switch (screen.kind) {
    case 'overview':
      return overview(frame, area, ui.selected);
    case 'help':
      return helpRows(area, ui.attached);
    case 'ask':
      return askRows(frame, area);
    case 'browse':
      return browseRows(frame, ui, area);
    case 'detail':
      return detailRows(frame, screen.target, area);
    case 'log':
      return logRows(log, screen, area);
    default:
      return screen satisfies never;
  }
}

/** Finished targets, appended to the scrollback. Memoised by their number: a parent that renders again must
 * not make Static look at them again. */
function Verdicts({
  frame,
  columns,
  glyphs,
  colour,
}: {
  frame: Frame;
  columns: number;
  glyphs: Glyphs;
  colour: boolean;
}) {
  const count = frame.view.verdicts.length;
  const names = useMemo(() => frame.view.verdicts.slice(0, count), [frame.view, count]);
  const { view } = frame;
  const render = useCallback(
    (name: string, index: number) => {
      const target = view.targets.get(name);
      // A target that was retried comes again.
      return target === undefined ? null : (
        <Line key={`${index} ${name}`} row={verdictRow(target, columns, glyphs)} colour={colour} />
      );
    },
    [view, columns, glyphs, colour],
  );
  return <StaticNames names={names} render={render} />;
}

const StaticNames = memo(
  ({
    names,
    render,
  }: {
    names: readonly string[];
    render: (name: string, index: number) => React.ReactNode;
  }) => <Static items={[...names]}>{render}</Static>,
);

/** As in text/paint.ts. */
const COLOURS: Partial<Record<Tone, string>> = { good: 'green', bad: 'red', warn: 'magenta' };

/** One row. Rows that say the same as before are not rendered again. */
const Line = memo(
  ({ row, colour }: { row: Row; colour: boolean }) => (
    <Text wrap="truncate-end">
      {row.length === 0
        ? ' '
        : row.map(({ text, tone }, i) => {
            const hue = colour ? COLOURS[tone] : undefined;
            return (
              <Text
                // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity
                key={i}
                {...(hue === undefined ? {} : { color: hue })}
                bold={colour && (tone === 'strong' || tone === 'accent')}
                dimColor={colour && tone === 'quiet'}
              >
                {text}
              </Text>
            );
          })}
    </Text>
  ),
  (a, b) =>
    a.colour === b.colour &&
    a.row.length === b.row.length &&
    textOf(a.row) === textOf(b.row) &&
    a.row.every(({ tone }, i) => tone === b.row[i]?.tone),
);

/** The lines of the log that is open, read as long as it is. */
function useLog(frame: Frame, ui: Ui): readonly string[] {
  const target = ui.screen.kind === 'log' ? ui.screen.target : null;
  const path = target === null ? null : (frame.view.targets.get(target)?.logFile ?? null);
  const [lines, setLines] = useState<readonly string[]>([]);
  useEffect(() => {
    if (path === null) return setLines([]);
    const tail = new LogTail(path);
    const read = (): void => {
      if (tail.read()) setLines([...tail.lines]);
    };
    read();
    const timer = setInterval(read, LOG_MS);
    return () => clearInterval(timer);
  }, [path]);
  return lines;
}

function clamped(ui: Ui, log: readonly string[], size: number): Ui {
  if (ui.screen.kind !== 'log') return ui;
  return { ...ui, screen: { ...ui.screen, up: clampUp(ui.screen.up, log.length, size) } };
}

function found(ui: Ui, log: readonly string[], direction: 'up' | 'down'): Ui {
  if (ui.screen.kind !== 'log') return ui;
  const up = findUp(log, ui.screen.search, ui.screen.up, direction);
  return up === null ? ui : { ...ui, screen: { ...ui.screen, up } };
}

/** Keys typed fast, and pastes, come in one piece: each character is a key of its own. */
function keysOf(input: string, key: InkKey): readonly Key[] {
  if (key.ctrl || [...input].length < 2) return [keyOf(input, key)];
  return [...input].map(
    (character) => CONTROL_KEYS[character] ?? { input: character, name: null, ctrl: false },
  );
}

const CONTROL_KEYS: Readonly<Record<string, Key>> = {
  '\r': { input: '', name: 'return', ctrl: false },
  '\n': { input: '', name: 'return', ctrl: false },
  '\t': { input: '', name: 'tab', ctrl: false },
  '\u007f': { input: '', name: 'backspace', ctrl: false },
  '\u0003': { input: 'c', name: null, ctrl: true },
  '\u001a': { input: 'z', name: null, ctrl: true },
};

function keyOf(input: string, key: InkKey): Key {
  const names: readonly [boolean, Key['name']][] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.pageUp, 'pageUp'],
    [key.pageDown, 'pageDown'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'return'],
    [key.escape, 'escape'],
    [key.tab, 'tab'],
    // Terminals send DEL for the backspace key.
    [key.backspace || key.delete, 'backspace'],
  ];
  return { input, name: names.find(([is]) => is)?.[1] ?? null, ctrl: key.ctrl };
}
