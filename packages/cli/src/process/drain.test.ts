/** What was written arrives, however slow its reader. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DRAIN = fileURLToPath(new URL('./drain.ts', import.meta.url));
const BYTES = 1_000_000;

/** How many bytes a reader gets that takes its time: it starts a program before it goes on reading. */
function arrived(before: string): number {
  const script = `
    const { drained } = await import(process.argv[1]);
    process.stdout.write('x'.repeat(${BYTES}));
    ${before};
    process.exit(0);`;
  const reader = '{ head -c 1 > /dev/null; "$0" -e ""; wc -c; }';
  const line = `"$0" --input-type=module -e "$1" "$2" | ${reader}`;
  return Number(execFileSync('sh', ['-c', line, process.execPath, script, DRAIN], { encoding: 'utf8' })) + 1;
}

test('all of it, though the reader is slower than we are', () => {
  expect(arrived('await drained([process.stdout, process.stderr])')).toBe(BYTES);
});

test('without waiting it is cut off: the test can fail', () => {
  expect(arrived('')).toBeLessThan(BYTES);
});

test('a reader that goes away is not waited for', () => {
  const script = `
    const { drained } = await import(process.argv[1]);
    process.stdout.on('error', () => {});
    process.stdout.write('x'.repeat(${BYTES}));
    await drained([process.stdout, process.stderr]);
    process.stderr.write('over');
    process.exit(0);`;
  const line = '{ "$0" --input-type=module -e "$1" "$2"; } 2>&1 >&3 | cat >&4';
  const whole = `{ { ${line}; } 3>&1 | head -c 1 > /dev/null; } 4>&1`;
  const out = execFileSync('sh', ['-c', whole, process.execPath, script, DRAIN], { encoding: 'utf8' });
  expect(out).toBe('over');
});
