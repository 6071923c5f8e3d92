/**
 * `daemon status|stop`: the managed BuildKit; and the hidden process that keeps it.
 */
import { EXIT } from '@stx-make/core/errors';
import type { Handler } from '../args/model.ts';

type NoOptions = Readonly<Record<never, never>>;

export const daemon: Handler<NoOptions> = async (context, { args }) => {
  const { io, output, services } = context;
  const stateRoot = await services.stateRoot(context.options.state, io.env, io.cwd);
  if (args[0] === 'stop') {
    const stopped = await services.stopDaemon(stateRoot, io.env);
    if (output.json) output.document({ ok: true, stopped });
    else output.print(stopped ? 'the managed BuildKit has ended' : 'the managed BuildKit was not running');
    return EXIT.done;
  }
  const status = await services.daemonStatus(stateRoot, io.env);
  if (output.json) output.document({ ...status });
  else if (status.running) {
    output.print(
      `BuildKit ${status.version ?? '(version unknown)'} at ${status.address}, supervised by ${status.pid}`,
    );
    output.print(status.text);
  } else output.print(status.text);
  return EXIT.done;
};

export const supervise: Handler<NoOptions> = (context, { args }) => context.services.superviseDaemon(args);
