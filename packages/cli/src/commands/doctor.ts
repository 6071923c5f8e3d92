/**
 * `doctor`: everything a build needs of this machine, checked, each with what to do about it.
 */
import { EXIT } from '@stx-make/core/errors';
import { workersOf } from '@stx-make/scheduler/config';
import type { Handler, OptionValues } from '../args/model.ts';
import type { workerOptions } from '../args/options.ts';
import { sanitizeText } from '../text/sanitize.ts';
import { sessionOptionsOf } from './session.ts';

export const doctor: Handler<OptionValues<typeof workerOptions>> = async (context, { options }) => {
  const { io, output, services } = context;
  const checks = await services.doctor({
    stateRoot: await services.stateRoot(context.options.state, io.env, io.cwd),
    env: io.env,
    workers: await workersOf(options, io.env, await services.settings(sessionOptionsOf(context)), io.cwd),
    stop: context.stop,
  });
  const ok = checks.every((check) => check.ok);
  if (output.json) output.document({ ok, checks });
  else {
    for (const check of checks) {
      const mark = check.ok ? output.paint('good', 'ok  ') : output.paint('bad', 'FAIL');
      output.print(`${mark}  ${sanitizeText(check.text).replaceAll('\n', '\n      ')}`);
      if (check.hint !== null) {
        output.print(
          `      ${output.paint('accent', 'hint:')} ${sanitizeText(check.hint).replaceAll('\n', '\n      ')}`,
        );
      }
    }
    const bad = checks.filter((check) => !check.ok).length;
    output.print(
      ok
        ? output.paint('good', 'all is well')
        : output.paint('bad', `${bad} of ${checks.length} checks failed`),
    );
  }
  return ok ? EXIT.done : EXIT.environment;
};
