/** Platform strings: what is one and what is wrong with the others. */
import { describe, expect, it } from 'vitest';
import { platformFault, samePlatform } from './platform.ts';

describe('platformFault', () => {
  it.each(['linux/amd64', 'linux/386', 'linux/arm64/v8', 'linux/arm/v7', 'linux/riscv64', 'windows/amd64'])(
    'takes %s',
    (text) => expect(platformFault(text)).toBeNull(),
  );

  it.each([
    ['', 'no platform', 'write os/arch'],
    ['linux', 'no platform', 'write os/arch'],
    ['linux/', 'no platform', 'write os/arch'],
    ['linux/arm64/', 'no platform', 'write os/arch'],
    ['linux/arm/v7/x', 'no platform', 'write os/arch'],
    ['linux/amd64,linux/arm64', 'more than one platform', 'platforms'],
    ['Linux/amd64', '"Linux" is no operating system', 'linux'],
    ['linux/x86_64', '"x86_64" is no architecture', 'write linux/amd64'],
    ['linux/aarch64', '"aarch64" is no architecture', 'write linux/arm64'],
    ['linux/amd46', '"amd46" is no architecture', 'did you mean amd64'],
  ])('refuses %j', (text, why, hint) => {
    const fault = platformFault(text);
    expect(fault?.text).toContain(why);
    expect(fault?.hint).toContain(hint);
  });
});

it.each([
  ['linux/arm64', 'linux/arm64/v8', true],
  ['linux/arm', 'linux/arm/v7', true],
  ['linux/amd64', 'linux/amd64/v1', true],
  ['linux/amd64', 'linux/amd64/v2', false],
  ['linux/arm', 'linux/arm/v6', false],
  ['linux/amd64', 'linux/386', false],
])('samePlatform %s %s', (a, b, same) => {
  expect(samePlatform(a, b)).toBe(same);
});
