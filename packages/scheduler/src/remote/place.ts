/**
 * Which registry `--remote` means.
 */
import { inputProblem, ProblemError } from '@stx-make/core/errors';
import { parseRegistry, type RegistryPlace } from '../registry/place.ts';
import type { RemoteOptions } from './model.ts';

/** Where `--remote` points to. @throws ProblemError `bad-registry` (input) */
export function remotePlace({ place, insecure }: RemoteOptions): RegistryPlace {
  const rules = { namespace: null, insecure: insecure === true, example: 'ghcr.io/my-org/stagex-cache' };
  try {
    return parseRegistry(place, rules);
  } catch (error) {
    if (!(error instanceof ProblemError) || insecure === true || !/^http:/i.test(place)) throw error;
    throw new ProblemError(
      inputProblem({
        code: 'bad-registry',
        text: `${JSON.stringify(place)} is another machine, and would be asked in the clear.`,
        hint: 'Use https. Where that can not be and nobody reads along, say --remote-insecure.',
      }),
    );
  }
}
