/** docs/events.md says what core/events.ts says: every type, with an example that is one. */
import { readFileSync } from 'node:fs';
import { EVENT_SCHEMA } from '@stx-make/core/events';
import { expect, test } from 'vitest';
import { madeRun } from '../testing/events.ts';
import { EVENT_TYPES, parseEvent } from './record.ts';

const text = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8');
const sections = new Map(
  text
    .slice(text.indexOf('## The events'))
    .split('\n### ')
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);
const example = (type: string): Record<string, unknown> =>
  JSON.parse(/```json\n(.*)\n```/.exec(sections.get(type) ?? '')?.[1] ?? 'null');

test('every type has its section, and there is no section of another', () => {
  expect([...sections.keys()].sort()).toEqual([...EVENT_TYPES].sort());
  expect(text).toContain(`Schema ${EVENT_SCHEMA};`);
});

test.each(EVENT_TYPES)('the example of %s is one', (type) => {
  const event = parseEvent(JSON.stringify(example(type)), 'docs/events.md', 2);
  expect(event?.type).toBe(type);
});

test('examples have the very fields that runs have', () => {
  for (const event of madeRun({ targets: 30, jobs: 2, failing: [7], hitEvery: 5 })) {
    expect(Object.keys(example(event.type)).sort(), event.type).toEqual(Object.keys(event).sort());
  }
});
