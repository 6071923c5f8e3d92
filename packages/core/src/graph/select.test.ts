/** Selections: names, globs, stages, dependencies and dependents, files, exceptions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputProblem, ProblemError } from '../errors.ts';
import { copies, loaded } from './fixture.ts';
import { type SelectOptions, select } from './select.ts';

//  bootstrap-seed <- core-musl <- core-zlib <- core-perl <- user-vim
//                             \- core-rust, pallet-rust <- user-rg
const { graph } = await loaded({
  'bootstrap/seed': copies(),
  'core/musl': copies('bootstrap-seed'),
  'core/zlib': copies('core-musl'),
  'core/perl': copies('core-zlib'),
  'core/rust': copies('core-musl'),
  'pallet/rust': copies('core-rust'),
  'user/vim': copies('core-perl'),
  'user/rg': copies('pallet-rust'),
  // Named as a stage is.
  'user/pallet': copies(),
});

const chosen = (terms: string[], more: Omit<SelectOptions, 'terms'> = {}) => {
  const { names, problems } = select(graph, { terms, ...more });
  expect(problems).toEqual([]);
  return names.join(' ');
};
const codes = (terms: string[], more: Omit<SelectOptions, 'terms'> = {}) =>
  select(graph, { terms, ...more }).problems.map(({ code }) => code);

const ALL = [...graph.targets.keys()].join(' ');

describe('terms', () => {
  it.each([
    ['', ALL],
    ['all', ALL],
    ['zlib', 'core-zlib'],
    ['core/zlib core-zlib zlib', 'core-zlib'],
    ['core', 'core-musl core-perl core-rust core-zlib'],
    ['core-[mz]*', 'core-musl core-zlib'],
    ['*/rust', 'core-rust pallet-rust'],
    ['*-rust user-*', 'core-rust pallet-rust user-pallet user-rg user-vim'],
    // What stands on a plus's side comes along: dependencies before, dependents after.
    ['+core-perl', 'bootstrap-seed core-musl core-perl core-zlib'],
    ['core-perl+', 'core-perl user-vim'],
    ['+zlib+', 'bootstrap-seed core-musl core-perl core-zlib user-vim'],
    ['dependencies+core-perl', 'bootstrap-seed core-musl core-perl core-zlib'],
    ['core-perl+dependents', 'core-perl user-vim'],
    ['core-perl+dependencies', 'bootstrap-seed core-musl core-perl core-zlib'],
    ['dependents+core-perl', 'core-perl user-vim'],
    ['*-rust+', 'core-rust pallet-rust user-rg'],
    ['+bootstrap', 'bootstrap-seed'],
    ['pallet/*', 'pallet-rust'],
    ['user-pallet', 'user-pallet'],
  ])('%j', (terms, names) => {
    expect(chosen(terms.split(' ').filter(Boolean))).toBe(names);
  });

  it('excepted ones go, whatever brought them', () => {
    expect(chosen(['+user-vim'], { except: ['+core-musl'] })).toBe('core-perl core-zlib user-vim');
    expect(chosen([], { except: ['core', 'user'.concat('/*')] })).toBe('bootstrap-seed pallet-rust');
    expect(chosen(['zlib'], { except: ['all'] })).toBe('');
  });
});

describe('@file', () => {
  const files: Record<string, string> = {
    list: '# what is urgent\n\n  zlib+  # and what needs it\r\n+rust#no comment\n*/perl\n',
    empty: '\n# nothing\n',
    bad: 'zlib\nzlob\n\ncore-q*\n@list\nrust\n',
  };
  const readFile = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new ProblemError(inputProblem({ code: 'no-file', text: path }));
    return text;
  };

  it('holds a term a line', () => {
    const list = { ...files, list: files['list']?.replace('+rust#no comment', '+core-rust') ?? '' };
    expect(chosen(['@list', 'user-rg'], { readFile: (path) => list[path as keyof typeof list] ?? '' })).toBe(
      'bootstrap-seed core-musl core-perl core-rust core-zlib user-rg user-vim',
    );
    expect(
      chosen([], { except: ['@list'], readFile: (path) => (path === 'list' ? 'core\nbootstrap' : '') }),
    ).toBe('pallet-rust user-pallet user-rg user-vim');
  });

  it('that is empty selects nothing, not everything', () => {
    expect(chosen(['@empty'], { readFile })).toBe('');
  });

  it('tells file and line of what is wrong', () => {
    const { names, problems } = select(graph, { terms: ['@bad'], readFile });
    expect(names).toEqual(['core-zlib']);
    expect(problems).toMatchObject([
      { code: 'unknown-target', file: 'bad', line: 2 },
      { code: 'empty-glob', file: 'bad', line: 4 },
      { code: 'bad-selection', file: 'bad', line: 5 },
      { code: 'ambiguous-name', file: 'bad', line: 6 },
    ]);
  });

  it('that can not be read is a problem', () => {
    expect(codes(['@nowhere'], { readFile })).toEqual(['no-file']);
    expect(codes(['@'], { readFile })).toEqual(['bad-selection']);
    expect(codes(['@list'])).toEqual(['bad-selection']);
  });
});

describe('what is no selection', () => {
  it.each([
    ['rust', 'ambiguous-name'],
    ['nothing', 'unknown-target'],
    ['core-q*', 'empty-glob'],
    ['core-[', 'bad-glob'],
    ['+', 'bad-selection'],
    ['a+b', 'bad-selection'],
    ['++zlib', 'bad-selection'],
    ['+dependents', 'bad-selection'],
    ['dependencies+', 'bad-selection'],
    ['+@list', 'bad-selection'],
    // A stage and the bare name of user-pallet.
    ['pallet', 'ambiguous-name'],
  ])('%s', (term, code) => {
    expect(codes([term])).toEqual([code]);
    expect(codes([], { except: [term] })).toEqual([code]);
  });

  it('says which way out there is', () => {
    expect(select(graph, { terms: ['pallet'] }).problems[0]).toMatchObject({
      text: '"pallet" can be a stage or user-pallet',
      hint: "write pallet/* for the stage, or the target's whole name",
    });
  });
});

it('does not depend on the order of terms', () => {
  const term = fc.constantFrom('zlib', 'core', '+user-vim', 'core-musl+', '*-rust', 'all', 'user/*');
  fc.assert(
    fc.property(fc.array(term, { minLength: 1 }), fc.array(term), (terms, except) => {
      const one = select(graph, { terms, except });
      const other = select(graph, { terms: [...terms, ...terms].reverse(), except: [...except].reverse() });
      expect(other.names).toEqual(one.names);
    }),
  );
});
