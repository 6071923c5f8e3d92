/**
 * What a narrower window does to the live part: most terminals break its rows anew, so that it is taller than what Ink
 * wrote and will erase, and the rest would stay as litter. All of it is taken out before Ink looks.
 *
 * Which terminals do so can not be asked; where it is not known, litter is the smaller evil than lines of the scrollback
 * taken away. A frame that is drawn between the reflow and the news of it still leaves litter. Pure but for `clearOnReflow`, which writes.
 */
import type { OutStream } from '../io.ts';

/** What is on the screen now, for whoever resizes it. */
export interface Drawn {
  /** Columns of each row of the live part. */
  widths: readonly number[];
}

/** True where the terminal is one that is known to break lines anew. */
export function reflows(env: NodeJS.ProcessEnv): boolean {
  const known = [
    'TMUX',
    'VTE_VERSION',
    'KITTY_WINDOW_ID',
    'WT_SESSION',
    'KONSOLE_VERSION',
    'ALACRITTY_WINDOW_ID',
  ];
  if (known.some((name) => (env[name] ?? '') !== '')) return true;
  const program = /^(iTerm\.app|Apple_Terminal|vscode|WezTerm|ghostty)$/;
  return program.test(env['TERM_PROGRAM'] ?? '') || /^(tmux|foot|alacritty)(-|$)/.test(env['TERM'] ?? '');
}

/** What to write into a window that now has so many columns; empty for nothing. The cursor is below the live part before,
 * and so much higher after that Ink, which counts the rows it wrote, comes out where the live part began. */
export function afterReflow(widths: readonly number[], columns: number): string {
  const extra = widths.reduce((sum, width) => sum + Math.max(0, Math.ceil(width / columns) - 1), 0);
  if (extra === 0) return '';
  const all = widths.length + extra;
  // Deleted, not erased: a terminal remembers of erased lines that they were one, and some keep what is erased.
  return `\u001b[?2026h\u001b7\u001b[${all}A\u001b[${all}M\u001b8\u001b[${extra}A\u001b[?2026l`;
}

/** Takes out the live part whenever the window gets narrower; call it before Ink listens. @returns how to end it */
export function clearOnReflow(stdout: OutStream, env: NodeJS.ProcessEnv, drawn: Drawn): () => void {
  if (!reflows(env)) return () => {};
  let columns = stdout.columns ?? 80;
  const resized = (): void => {
    const before = columns;
    columns = stdout.columns ?? before;
    if (columns < before) stdout.write(afterReflow(drawn.widths, columns));
  };
  stdout.on('resize', resized);
  return () => {
    stdout.removeListener('resize', resized);
  };
}
