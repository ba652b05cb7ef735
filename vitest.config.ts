import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/emulator/**'],
    // Suites that judge thousands of cases take a minute on a busy machine.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // By default one core is left idle, which is half of them on a small machine.
    maxWorkers: '100%',
    restoreMocks: true,
    coverage: {
      provider: 'v8',
      include: ['lambdas/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'lambdas/domain/**/*.ts': { branches: 100, functions: 100, lines: 100, statements: 100 } },
    },
  },
});
