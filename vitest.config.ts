import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The suites that take longest, in that order. */
const LONGEST = [
  'faults-of-special',
  'faults-of-',
  'demo/demo',
  'client/traffic',
  'interference',
  'histories',
  'pairs',
];

/** Begins with the longest suites: by the size of their files they would come last, and one of them would run alone while a core idles. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.includes(name));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/emulator/**'],
    // Suites that judge thousands of cases take a minute on a busy machine.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // By default one core is left idle, which is half of them on a small machine.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    restoreMocks: true,
    coverage: {
      provider: 'v8',
      include: ['lambdas/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'lambdas/domain/**/*.ts': { branches: 100, functions: 100, lines: 100, statements: 100 } },
    },
  },
});
