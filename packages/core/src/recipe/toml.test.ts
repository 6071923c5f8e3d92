/** TOML: places of keys, places of errors, strictness against another parser. */
import fc from 'fast-check';
import { parse as oracle, stringify, TomlDate } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseToml, type TomlDocument } from './toml.ts';

const read = (text: string) => parseToml(Buffer.from(text), 'p/package.toml');

function document(text: string): TomlDocument {
  const result = read(text);
  if (result.document === null) throw new Error(JSON.stringify(result.problems));
  return result.document;
}

const places = (text: string) => read(text).problems.map(({ code, line, column }) => [code, line, column]);

describe('places', () => {
  it.each<[string, string, (string | number)[], [number, number]]>([
    ['a key', 'a = 1\n  b = 2', ['b'], [2, 3]],
    ['a quoted key', '\'a b\'= 1\n"c.\\u0064" = 2', ['c.d'], [2, 1]],
    ['a dotted key', 'a.b . "c" = 1', ['a', 'b', 'c'], [1, 7]],
    ['a table', '[a]\nx=1\n  [ a.b ]\ny=1', ['a', 'b'], [3, 7]],
    ['a table made by the way', '[a.b]\ny=1', ['a'], [1, 2]],
    ['a table defined after its part', '[a.b]\ny=1\n[a]\nz=1', ['a'], [3, 2]],
    ['a key under a table', '[a]\n# x = 0\nx = 1', ['a', 'x'], [3, 1]],
    ['an array element', 'a = [ "x", # "y",\n  "y"\n, "z",]', ['a', 1], [2, 3]],
    ['an element of an element', 'a = [[1],\n [2, 3]]', ['a', 1, 1], [2, 6]],
    ['a key in an inline table', 'a = { b = 1, c = { d = "}" } , e = 2 }', ['a', 'e'], [1, 32]],
    ['a table of an array', '[[a]]\nx=1\n[[a]]\n x=2', ['a', 1, 'x'], [4, 2]],
    ['a table in a table of an array', '[[a]]\n[a.b]\n[[a]]\n[a.b]\nx=1', ['a', 1, 'b', 'x'], [5, 1]],
    ['behind a multi-line string', 'a = """\n[b]\nb = 1 # """\nb = 2', ['b'], [4, 1]],
    ['behind quotes before the close', 'a = """x"""""\nb = 2', ['b'], [2, 1]],
    ['behind a literal one', "a = '''\\\n'''''\nb = 2", ['b'], [3, 1]],
    ['behind an escaped quote', 'a = "\\"#"\nb = 2', ['b'], [2, 1]],
    ['behind characters outside the BMP', '"😀"={"é"=1,x=2}', ['😀', 'x'], [1, 12]],
    ['with CRLF', 'a = """\r\nx"""\r\n# c\r\nb = 2\r\n', ['b'], [4, 1]],
    ['what is not there: its table', 'a=1\n[t]\nx=1', ['t', 'nowhere'], [2, 2]],
    ['__proto__', 'a=1\n[__proto__]\nx=1', ['__proto__', 'x'], [3, 1]],
  ])('of %s', (_, text, path, [line, column]) => {
    expect(document(text).place(path)).toEqual({ line, column });
  });

  it('keeps the order of keys that look like numbers', () => {
    expect(document('[s.b]\n[s.10]\n[s.2]\n[s.a]').keys(['s'])).toEqual(['b', '10', '2', 'a']);
  });
});

describe('errors', () => {
  it.each<[string, string, [number, number]]>([
    ['on the first line', "d = 'é😀' x", [1, 10]],
    ['on a later line', 'a=1\nb=\nc=2', [2, 3]],
    ['in a header', 'a=1\n[a', [2, 3]],
    ['a key twice', 'a = 1\na = 2', [2, 1]],
  ])('have a place: %s', (_, text, [line, column]) => {
    const [problem, ...more] = read(text).problems;
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      code: 'toml-syntax',
      tag: 'input',
      level: 'error',
      file: 'p/package.toml',
      line,
    });
    expect(Math.abs((problem?.column ?? 0) - column)).toBeLessThanOrEqual(1);
    expect(problem?.text).not.toMatch(/at row/);
  });

  it('at the end of the file stay in it', () => {
    expect(places('a = "x')).toEqual([['toml-syntax', 1, 7]]);
  });

  it('show the byte that is not UTF-8', () => {
    const { problems } = parseToml(Buffer.from('a = 1\nb = "\xff"', 'latin1'), 'f');
    expect(problems).toMatchObject([
      { code: 'toml-encoding', line: 2, column: 6, text: 'byte 0xff is not UTF-8' },
    ]);
  });

  // Each of these passes @iarna/toml 3.0.0.
  it.each<[string, string, [number, number]]>([
    ['a dotted key into a table', '[a.b.c]\nz=9\n[a]\nb.c.t = 1', [4, 3]],
    ['a dotted key into a deeper table', '[a.b.c.d]\nz=9\n[a]\nb.c.d.k.t = 8', [4, 5]],
    ['a dotted table by its header', '[t1]\nt2.t3.v = 0\n[t1.t2]', [3, 5]],
    ['a day that is none', 'a = 1\nd = 2023-02-29', [2, 5]],
    ['a day of one digit', 'd = 1997-09-9', [1, 5]],
    ['an hour that is none', '\nd = 2006-01-01T24:00:00', [2, 5]],
  ])('are found behind the parser: %s', (_, text, [line, column]) => {
    expect(places(text)).toEqual([['toml-syntax', line, column]]);
  });

  it('are all told where redefinitions are concerned', () => {
    expect(places('[a.b.c]\nz=9\n[d.e.f]\n[a]\nb.c.t = 1\n[d]\ne.f.t = 1')).toEqual([
      ['toml-syntax', 5, 3],
      ['toml-syntax', 7, 3],
    ]);
  });

  it.each([
    '[sources.toString]\nhash = 1',
    'valueOf.x = 1',
    'a = { constructor.b = 1 }',
    '[[a."hasOwnProperty"]]',
  ])('keep %s away from the parser, which would write into the built-in function', (text) => {
    expect(read(text).problems).toMatchObject([{ code: 'toml-syntax', line: 1 }]);
    for (const name of ['toString', 'valueOf', 'constructor', 'hasOwnProperty'] as const) {
      expect(Object.keys(Object.prototype[name])).toEqual([]);
    }
  });

  it('end at a depth that no package.toml has', () => {
    expect(read(`a = ${'['.repeat(5000)}${']'.repeat(5000)}`).problems).toMatchObject([
      { code: 'toml-syntax', line: 1 },
    ]);
  });

  it('do not hide sub-tables of dotted tables, which TOML allows', () => {
    expect(read('[a]\nb.c = 1\n[a.b.d]\nx = 1').problems).toEqual([]);
  });
});

describe('against smol-toml', () => {
  const key = fc.constantFrom('a', 'b', 'c', '"d e"', "'f'", '386');
  const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
  const value = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('1', 'true', '"x"', "'y#'", '"""m\n# [a]\n"""', "'''l\n'''", '1979-05-27T07:32:00Z'),
      fc.array(tie('any'), { maxLength: 2 }).map((items) => `[ ${items.join(',\n')} ]`),
      fc.array(fc.tuple(key, tie('any')), { maxLength: 2 }).map((pairs) => {
        const one = pairs.filter(([, text]) => !text.includes('\n'));
        return `{ ${one.map(([name, text]) => `${name} = ${text}`).join(', ')} }`;
      }),
    ),
  })).any;
  const line = fc.oneof(
    path.map((name) => `[${name}]`),
    path.map((name) => `[[${name}]]`),
    fc.tuple(path, value).map(([name, text]) => `${name} = ${text}`),
    fc.constant('# [a] = "'),
  );
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

  it('takes the same documents, gives the same values and finds every key in them', () => {
    fc.assert(
      fc.property(text, (source) => {
        let expected: unknown = null;
        try {
          expected = oracle(source);
        } catch {
          // stays null
        }
        const result = read(source);
        if (result.document === null) {
          expect(expected, source).toBe(null);
          return;
        }
        if (expected === null) {
          // smol-toml refuses to add to `c` by a dotted key after [a.c.b], and takes it after [[a.c.b]]; Python's
          // tomllib, which upstream uses, takes both.
          expect(source).toMatch(/^\[[^.\]]+\.[^.\]]+\.[^\]]+\]$/m);
          return;
        }
        expect(plain(result.document.value)).toEqual(plain(expected));
        expectPlaces(source, result.document, result.document.value, []);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads what smol-toml writes', () => {
    // Names of what every object has are refused, see above.
    const name = fc.string().filter((text_) => !(text_ in Object.prototype));
    const table = fc.dictionary(name, fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 })));
    fc.assert(
      fc.property(fc.record({ package: table, sources: fc.dictionary(name, table) }), (value_) => {
        const result = document(stringify(value_));
        expect(plain(result.value)).toEqual(plain(value_));
      }),
    );
  });

  /** Every key's place shows the key itself. */
  function expectPlaces(source: string, found: TomlDocument, value_: unknown, at: (string | number)[]): void {
    const last = at.at(-1);
    if (typeof last === 'string') {
      const { line: row, column } = found.place(at);
      const rest = (source.split('\n')[row - 1] ?? '').slice(column - 1);
      expect(
        [last, `"${last}"`, `'${last}'`].some((form) => rest.startsWith(form)),
        `${source}\n${at}`,
      ).toBe(true);
    }
    if (Array.isArray(value_)) {
      for (const [index, item] of value_.entries()) expectPlaces(source, found, item, [...at, index]);
    } else if (typeof value_ === 'object' && value_ !== null && !(value_ instanceof Date)) {
      for (const [name, item] of Object.entries(value_)) expectPlaces(source, found, item, [...at, name]);
      expect(found.keys(at).sort()).toEqual(Object.keys(value_).sort());
    }
  }

  function plain(value_: unknown): unknown {
    if (value_ instanceof TomlDate || value_ instanceof Date) return 'date';
    if (Array.isArray(value_)) return value_.map(plain);
    if (typeof value_ !== 'object' || value_ === null) return value_;
    return Object.fromEntries(Object.entries(value_).map(([name, item]) => [name, plain(item)]));
  }
});
