/**
 * What a run and the supervisor say to each other: one JSON object a line over a unix socket. A lease is the
 * open connection itself, so that it vanishes with a killed run.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Problem } from '@stx-make/core/errors';
import type { Snapshotter } from './config.ts';

/** Which BuildKit a client wants: `programIdentity` of buildkitd and the snapshotter. */
export interface Wanted {
  readonly buildkitd: string;
  readonly snapshotter: Snapshotter;
}

export type ToSupervisor =
  | ({ readonly op: 'lease'; readonly pid: number } & Wanted)
  | { readonly op: 'status' }
  /** Over a lease: the root is damaged, start again with a new one. Refused while others use it. */
  | { readonly op: 'reset' }
  | { readonly op: 'stop' };

/** A buildkitd that serves. */
export interface Ready {
  readonly state: 'ready';
  readonly address: string;
  /** Of this buildkitd process: another one after a restart. */
  readonly instance: string;
  /** Path and file state of its program. */
  readonly buildkitd: string;
  readonly pid: number;
  readonly root: string;
  /** False where its metadata is on disk: slower. */
  readonly inMemory: boolean;
  readonly warm: boolean;
}

export type ToClient =
  | { readonly state: 'starting'; readonly text: string }
  | Ready
  | { readonly state: 'failed'; readonly problem: Problem }
  /** Another BuildKit is wanted and nobody else uses this one: it ends, start your own. */
  | { readonly state: 'making-way' }
  | { readonly state: 'stopped' }
  | ({ readonly state: 'status' } & SupervisorStatus);

export interface SupervisorStatus {
  readonly pid: number;
  readonly daemonPid: number | null;
  readonly address: string;
  readonly buildkitd: string;
  readonly clients: readonly number[];
  /** ms since the supervisor began. */
  readonly up: number;
  /** Seconds it waits after the last client. */
  readonly idle: number;
  readonly inMemory: boolean;
}

/** Takes chunks, gives the messages in them. A line that is no JSON object, or longer than 64 KiB, ends the
 * conversation: `onBad`. */
export function lines(onMessage: (message: unknown) => void, onBad: () => void): (chunk: Buffer) => void {
  let open = '';
  // A chunk may end within a character.
  const decoder = new StringDecoder('utf8');
  return (chunk) => {
    open += decoder.write(chunk);
    for (let end = open.indexOf('\n'); end >= 0; end = open.indexOf('\n')) {
      const line = open.slice(0, end);
      open = open.slice(end + 1);
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        onBad();
        return;
      }
      onMessage(message);
    }
    if (open.length > 65_536) onBad();
  };
}

export function encode(message: ToSupervisor | ToClient): string {
  return `${JSON.stringify(message)}\n`;
}
