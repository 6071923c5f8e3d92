/** For tests: one command line through everything but the process. Not part of the program. */
import { commands } from '../commands/table.ts';
import { runLine } from '../run.ts';
import { type TestIo, testIo } from './io.ts';
import { type TestServices, testServices } from './services.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly services: TestServices;
}

export async function line(
  words: readonly string[],
  services: TestServices = testServices(),
  io: TestIo = testIo(),
): Promise<Ran> {
  const code = await runLine({
    io,
    words,
    commands,
    services,
    signals: {
      stop: new AbortController().signal,
      code: () => null,
      requestStop: () => {},
      setGraceful: () => {},
      pipeClosed: () => {},
      onHangup: () => {},
      dispose: () => {},
    },
  });
  return { code, stdout: io.stdout.text, stderr: io.stderr.text, services };
}
