import { defineConfig } from 'vitest/config';

/** The tests that hold lambdas/domain and lambdas/contract, for mutation testing. */
export default defineConfig({
  test: { include: ['test/domain/**/*.test.ts', 'test/reference.test.ts'], restoreMocks: true },
});
