import { defineConfig } from 'vitest/config';

/**
 * The tests that hold what is around the domain, for mutation testing. The simulation stays out: these notice whatever it does, and each of its
 * files would cost seconds for each mutant.
 */
export default defineConfig({
  test: {
    include: ['test/{adapters,rotate,retire,retirement,respond,audit,notify}/**/*.test.ts'],
    testTimeout: 60_000,
    restoreMocks: true,
  },
});
