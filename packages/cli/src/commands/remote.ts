/**
 * `--remote` and what goes with it, from options, environment and stx-make.toml to the scheduler's words.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import type { RunOptions } from '@stx-make/scheduler/api';
import type { Config } from '@stx-make/scheduler/config';
import type { OptionValues } from '../args/model.ts';
import type { remoteOptions } from '../args/options.ts';
import { variable } from '../io.ts';

/** Null where records are shared with nobody. @throws ProblemError `remote-missing` (input) */
export function remoteOf(
  values: OptionValues<typeof remoteOptions>,
  env: NodeJS.ProcessEnv,
  config: Config,
): NonNullable<RunOptions['remote']> | null {
  const place = values.remote || variable(env, 'STX_MAKE_REMOTE') || config.remote;
  if (place) return { place, write: values['remote-write'], insecure: values['remote-insecure'] };
  if (!values['remote-write']) return null;
  throw new ProblemError(
    inputProblem({
      code: 'remote-missing',
      text: '--remote-write needs a remote to write to.',
      hint: 'Add --remote HOST/PATH, for example --remote ghcr.io/my-org/stagex-cache.',
    }),
  );
}
