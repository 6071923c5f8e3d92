/**
 * What a viewer's keys can ask of a run, whether it is our own or another process's. Types only.
 */
export interface RunKeys {
  /** The run is not ours: leaving the view leaves it alone. */
  readonly attached: boolean;
  pause(): void;
  resume(): void;
  /** @returns null, or why not, for people */
  retry(target: string): Promise<string | null>;
  /** As a Ctrl-C: the first one ends the run kindly, the second kills. */
  stop(): void;
  /** Leaves the view; only where attached. */
  detach(): void;
}
