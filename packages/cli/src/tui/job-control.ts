/**
 * Ctrl-Z, fg and bg: the terminal is given back as it was before the process group stops, and taken again only
 * when we are in the foreground; in the background the run goes on without a view.
 *
 * Unaware of what is shown.
 */
import { groupsOf } from '../process/stat.ts';

/** What Ink gives for handing the terminal over. */
export type GiveBack = () => Promise<{ readonly resume: () => Promise<void> }>;

/** How often a run in the background looks whether it is in the foreground again, ms: no signal tells. */
const LOOK_MS = 500;

export interface JobControl {
  /** Ctrl-Z was typed: stop the whole group, as the terminal would have done. */
  readonly suspend: () => void;
  readonly dispose: () => void;
}

export function controlJobs(giveBack: GiveBack): JobControl {
  let away = false;
  let timer: NodeJS.Timeout | undefined;
  /** Takes the terminal again, or waits until it may: from the background the kernel would stop us for it. */
  const takeWhenForeground = (resume: () => Promise<void>): void => {
    if (!inForeground()) {
      timer = setTimeout(() => takeWhenForeground(resume), LOOK_MS);
      return;
    }
    away = false;
    void resume();
  };
  const leave = (then: () => void): void => {
    if (away) return;
    away = true;
    void giveBack().then(({ resume }) => {
      then();
      // When this fires we either were stopped and are continued, or were not stopped at all: the kernel drops
      // the signal where no shell could continue us.
      timer = setTimeout(() => takeWhenForeground(resume), 0);
    });
  };
  const onStop = (): void =>
    leave(() => {
      process.off('SIGTSTP', onStop);
      process.kill(process.pid, 'SIGTSTP');
      process.on('SIGTSTP', onStop);
    });
  // Continued after a stop that nobody announced (SIGSTOP): whoever had the terminal changed it.
  const onContinue = (): void => leave(() => {});
  process.on('SIGTSTP', onStop);
  process.on('SIGCONT', onContinue);
  return {
    suspend: () => process.kill(0, 'SIGTSTP'),
    dispose: () => {
      clearTimeout(timer);
      process.off('SIGTSTP', onStop);
      process.off('SIGCONT', onContinue);
    },
  };
}

/** Whether our process group has the terminal. True where that is not known. */
function inForeground(): boolean {
  const groups = groupsOf('self');
  return groups === null || groups.group === groups.foreground;
}
