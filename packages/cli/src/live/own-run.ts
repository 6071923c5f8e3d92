/**
 * Our own run as others see it: known in the state folder as soon as it may take long, so that `attach`, `status` and
 * `stop` find it, and steered by them and by our own keys alike.
 *
 * A run with nothing to do never opens a socket: it is over before anybody could ask.
 */
import type { Problem } from '@stx-make/core/errors';
import type { EventSink, RunEvent } from '@stx-make/core/events';
import type { RunControl, RunSteering } from '@stx-make/scheduler/api';
import type { LiveRun, RunFacts } from '@stx-make/scheduler/live/index';
import type { StatePaths } from '@stx-make/scheduler/paths';
import type { CommandContext } from '../context.ts';
import type { RunKeys } from './keys.ts';

type Started = Extract<RunEvent, { type: 'run-started' }>;

export class OwnRun {
  readonly keys: RunKeys;
  readonly control: RunControl;
  readonly #context: CommandContext;
  readonly #paths: Pick<StatePaths, 'runs'>;
  readonly #announce: ((facts: RunFacts | null, run: string) => void) | null;
  #steering: RunSteering | null = null;
  #started: Started | null = null;
  #live: Promise<LiveRun> | null = null;

  /** @param announce called as soon as the run can be found; makes it known at once, also where nothing is to do. */
  constructor(
    context: CommandContext,
    paths: Pick<StatePaths, 'runs'>,
    announce: ((facts: RunFacts | null, run: string) => void) | null = null,
  ) {
    this.#context = context;
    this.#paths = paths;
    this.#announce = announce;
    this.control = {
      stop: context.stop,
      onSteering: (steering) => {
        this.#steering = steering;
        if (announce !== null) steering.keepEvents();
      },
    };
    this.keys = {
      attached: false,
      pause: () => this.#steering?.pause(),
      resume: () => this.#steering?.resume(),
      retry: (target) => Promise.resolve(this.#steering?.retry(target) ?? null),
      stop: context.requestStop,
      detach: () => {},
    };
  }

  /** Passes events on to the view. */
  sink(view: EventSink): EventSink {
    return (event) => {
      view(event);
      if (event.type === 'run-started') this.#started = event;
      // Anything but a look at records takes long enough to be asked about: waiting for another run, connecting.
      if (event.type === 'activity' || (event.type === 'run-started' && this.#announce !== null))
        this.#open(view);
    };
  }

  /** The run is over, its events are written. Never rejects. */
  async close(code: number, problems: readonly Problem[]): Promise<void> {
    await (await this.#live)?.close(code, problems);
  }

  #open(view: EventSink): void {
    const started = this.#started;
    if (this.#live !== null || started === null) return;
    this.#live = this.#openLive(started, view);
  }

  async #openLive(started: Started, view: EventSink): Promise<LiveRun> {
    const began = performance.now();
    const { services, io, stop, requestStop } = this.#context;
    const { openLiveRun } = await services.live();
    const { run, root, command } = started;
    const live = await openLiveRun(
      this.#paths,
      { run, pid: process.pid, root, command, started: started.started },
      {
        pause: this.keys.pause,
        resume: this.keys.resume,
        retry: (target) => (this.#steering === null ? 'nothing was built yet' : this.#steering.retry(target)),
        stop: () => {
          if (!stop.aborted) requestStop();
        },
        kill: () => {
          if (!stop.aborted) requestStop();
          requestStop();
        },
        keepEvents: () => this.#steering?.keepEvents() ?? '',
      },
      io.env,
    );
    if (live.problem !== null) {
      const at = started.at + Math.round(performance.now() - began);
      view({ at, type: 'warning', problem: live.problem });
    }
    this.#announce?.(live.facts, run);
    return live;
  }
}
