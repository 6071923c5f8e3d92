/** Repeated COPYs: the same whatever the spelling, not across stages. */
import { expect, test } from 'vitest';
import { duplicateCopies } from './duplicates.ts';
import { parseContainerfile } from './parse.ts';

test('a repetition within a stage, whatever the spelling of its lines', () => {
  const text = `FROM scratch AS a
COPY --from=stagex/x . /
COPY --from=stagex/x . /other
COPY x /
copy \\
  --from=stagex/x   . /
COPY x /
COPY --chmod=755 --from=stagex/x . /
FROM scratch
COPY --from=stagex/x . /
COPY --from=A . /
COPY --from=a . /
COPY --from=a . /
`;
  expect(duplicateCopies(parseContainerfile(new TextEncoder().encode(text), 'C'))).toEqual([
    { from: 'stagex/x', line: 5, firstLine: 2 },
    { from: 'a', line: 12, firstLine: 11 },
    { from: 'a', line: 13, firstLine: 11 },
  ]);
});
