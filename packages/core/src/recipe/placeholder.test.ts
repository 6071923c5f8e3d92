/** Placeholders of file names and mirrors, as upstream expands them. */
import { describe, expect, it } from 'vitest';
import { expand } from './placeholder.ts';

const values = { version: '1.22.3-rc.1', format: 'tar.gz', file: 'x.tgz' };

describe('expand', () => {
  // What upstream's str.format gives.
  it.each([
    ['a-{version}.{format}', 'a-1.22.3-rc.1.tar.gz'],
    ['{version_under}/{version_dash}', '1_22_3-rc_1/1-22-3-rc-1'],
    ['{version_major}|{version_major_minor}|{version_strip_suffix}', '1|1.22|1.22.3'],
    ['{file}?{{version}}', 'x.tgz?{version}'],
    ['plain', 'plain'],
    ['', ''],
  ])('%s', (template, text) => {
    expect(expand(template, values)).toEqual({ ok: true, text });
  });

  it.each([
    ['{verion}', '{verion} is no placeholder', 'did you mean {version}?'],
    ['{version!r}', '{version!r} is no placeholder', 'did you mean {version}?'],
    ['{}', '{} is no placeholder', 'known are'],
    ['{0}', '{0} is no placeholder', 'known are'],
    ['a{version', 'a "{" without its partner', 'literal brace'],
    ['a}b', 'a "}" without its partner', 'literal brace'],
  ])('refuses %s', (template, reason, hint) => {
    const result = expand(template, values);
    expect(result).toMatchObject({ ok: false, reason });
    expect(!result.ok && result.hint).toContain(hint);
  });

  it.each([
    ['{version}', { version: null }, 'neither the source nor the package has a version'],
    ['{version_major_minor}', { version: '21' }, 'version 21 has no dot'],
    ['{format}', { format: null }, 'the source has no format'],
    ['{file}', { file: null }, 'the file name itself comes from here'],
  ])('tells why %s can not be filled', (template, less, why) => {
    expect(expand(template, { ...values, ...less })).toEqual({
      ok: false,
      reason: `${template} can not be filled: ${why}`,
    });
  });

  it('takes a value as it is, braces and all', () => {
    expect(expand('{file}', { ...values, file: '{version}' })).toEqual({ ok: true, text: '{version}' });
  });
});
