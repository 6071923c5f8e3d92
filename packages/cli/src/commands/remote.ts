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
  values: OptionValues<typeof remoteOptions> & {
    readonly 'via-registry'?: boolean;
    readonly offline?: boolean;
  },
  env: NodeJS.ProcessEnv,
  config: Config,
): NonNullable<RunOptions['remote']> | null {
  // Who says that nothing is to be downloaded means it of what a file or variable says, too.
  if (values.offline === true && !values.remote) return null;
  const place = values.remote || variable(env, 'STX_MAKE_REMOTE') || config.remote;
  const via = values['via-registry'] === true;
  if (via && !(place && values['remote-write'])) {
    throw new ProblemError(
      inputProblem({
        code: 'remote-missing',
        text: '--via-registry needs a remote that workers may push to.',
        hint: 'Add --remote HOST/PATH and --remote-write.',
      }),
    );
  }
  if (place) {
    const { 'remote-write': write, 'remote-insecure': insecure } = values;
    return { place, write, insecure, viaRegistry: via };
  }
  if (!values['remote-write']) return null;
  throw new ProblemError(
    inputProblem({
      code: 'remote-missing',
      text: '--remote-write needs a remote to write to.',
      hint: 'Add --remote HOST/PATH, for example --remote ghcr.io/my-org/stagex-cache.',
    }),
  );
}
