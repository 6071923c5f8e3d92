/** Nothing a build prints may reach the terminal as anything but text. */
import { expect, test } from 'vitest';
import { sanitizeLine, sanitizeText } from './sanitize.ts';

const cases: readonly (readonly [string, string, string])[] = [
  ['colour', '\u001b[31;1mred\u001b[0m', 'red'],
  ['title with BEL', '\u001b]0;owned\u0007text', 'text'],
  ['title with ST', '\u001b]2;owned\u001b\\text', 'text'],
  ['clipboard', '\u001b]52;c;cm0gLXJm\u0007x', 'x'],
  ['hyperlink', '\u001b]8;;http://h/\u001b\\name\u001b]8;;\u001b\\', 'name'],
  ['unterminated title', 'a\u001b]0;owned', 'a'],
  ['DCS', '\u001bP1$qm\u001b\\x', 'x'],
  ['8-bit CSI', '\u009b2Jx', 'x'],
  ['8-bit OSC', '\u009d0;t\u009cx', 'x'],
  ['cursor and clear', '\u001b[2J\u001b[Hx\u001b[10A', 'x'],
  ['charset', '\u001b(0lqk\u001b(B', 'lqk'],
  ['reset', '\u001bcx', 'x'],
  ['lone escape at the end', 'x\u001b', 'x'],
  ['backspaces', 'a\b\b\bb', 'ab'],
  ['progress', '10%\r50%\r100%', '100%'],
  ['crlf', 'line\r\n', 'line'],
  ['tab', 'a\tb', 'a    b'],
  ['bidi override', 'a\u202egnp.exe', 'agnp.exe'],
  ['isolate', '\u2066x\u2069', 'x'],
  ['tag characters', 'a\u{e0041}b', 'ab'],
  ['lone surrogate', 'a\ud800b', 'ab'],
  ['wide text stays', '日本語 ok é', '日本語 ok é'],
  ['emoji stays', '👩‍💻', '👩‍💻'],
];

test.each(cases)('%s', (_name, input, wanted) => {
  expect(sanitizeLine(input)).toBe(wanted);
});

test('no byte sequence leaves a control character', () => {
  // All pairs and many triples of the characters that matter.
  const parts = [
    '\u001b',
    '[',
    ']',
    'P',
    '0',
    ';',
    'm',
    '\u0007',
    '\u009b',
    '\u009c',
    '\\',
    ' ',
    '\u0000',
    'é',
    '\r',
  ];
  for (const a of parts) {
    for (const b of parts) {
      for (const c of parts) {
        for (const d of parts) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
          expect(sanitizeLine(a + b + c + d)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      }
    }
  }
});

test('a very long line is cut, quickly', () => {
  const line = '\u001b]'.repeat(25_000_000);
  expect(sanitizeLine(line).length).toBeLessThanOrEqual(16_384);
});

test('lines stay lines', () => {
  expect(sanitizeText('a\u001b[1m\nb\r\n\tc')).toBe('a\nb\n    c');
});
