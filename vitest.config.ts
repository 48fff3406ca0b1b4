import { defineConfig } from 'vitest/config';

const WHOLE_CYCLES = 'test/cycle/**/*.test.ts';
const WEB_UI = 'test/ui/**/*.test.ts';
const CLUSTER = 'test/cluster/**/*.test.ts';

export default defineConfig({
  test: {
    // No test is about how long it takes: this ends one that hangs, not one on a busy machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Left alone, it gives up after a second.
    expect: { poll: { timeout: 60_000 } },
    globalSetup: ['test/support/blank-ledger.ts'],
    reporters:
      process.env.CI === undefined ? ['default'] : ['default', ['json', { outputFile: '.ci/tests.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [WHOLE_CYCLES, WEB_UI, CLUSTER],
          setupFiles: ['test/support/fuzz-seed.ts'],
          // Most of them wait for a server, so each core can take one: left alone, vitest keeps a core for itself.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Whole cycles run on a fast clock: one at a time, with the machine to themselves.
        test: {
          name: 'cycles',
          include: [WHOLE_CYCLES],
          maxWorkers: 1,
          maxConcurrency: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // Needs a browser: `npm run test:ui`, not `npm test`.
        test: { name: 'ui', include: [WEB_UI], maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        // Needs Go and PostgreSQL: `npm run test:cluster`, not `npm test`.
        test: { name: 'cluster', include: [CLUSTER], maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
