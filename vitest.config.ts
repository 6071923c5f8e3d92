/**
 * Four projects: `unit` (beside the sources, no daemon, seconds), `terminal` (real terminals and processes, which wait
 * more than they work), `property` (random edits with a builder in memory, a minute) and `e2e` (test/, real BuildKit).
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const TERMINAL = [
  'packages/cli/src/tui/terminal.test.ts',
  'packages/cli/src/live/attach.test.ts',
  'packages/cli/src/process/*.test.ts',
  'test/unit/run/*.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000,
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'test/unit/**/*.test.ts'],
          exclude: [...TERMINAL, '**/node_modules/**'],
          // A process and all its imports for each of a hundred small files took longer than the tests in them.
          isolate: false,
          // By default one processor is left to vitest itself, which is half of a small machine.
          maxWorkers: availableParallelism(),
        },
      },
      { test: { name: 'terminal', include: TERMINAL, testTimeout: 30_000 } },
      { test: { name: 'property', include: ['test/property/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
