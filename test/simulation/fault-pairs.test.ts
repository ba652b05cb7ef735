import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectNothingWrong } from './every-fault.ts';
import { FAULTS, type FaultCase, runCase } from './fault-cases.ts';
import { countJudged } from './judged.ts';
import { ROTATION_CALLERS, SCENARIOS } from './scenarios.ts';

/** All pairs of an ordinary rotation are `npm run faults -- --pairs`; here is a sample over all rotations, always the same. */
const SAMPLE = 400;
const SEED = 20_260_101;

const count = countJudged('pairs of faults');
const rotations = Object.entries(SCENARIOS).flatMap(([name, { callers }]) =>
  callers === ROTATION_CALLERS ? [name] : [],
);
const names = Object.keys(FAULTS);

it('a rotation survives two faults', async () => {
  const drawn = fc.sample(
    fc.record({
      scenario: fc.constantFrom(...rotations),
      caller: fc.constantFrom(...ROTATION_CALLERS),
      calls: fc.tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 14 })),
      kinds: fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)),
    }),
    { numRuns: SAMPLE, seed: SEED },
  );
  const cases = drawn.map(
    ({ scenario, caller, calls: [first, further], kinds: [one, other] }): FaultCase => ({
      scenario,
      caller,
      faults: [
        { call: first, fault: one },
        { call: first + further, fault: other },
      ],
    }),
  );
  await expectNothingWrong(cases, count);
});

it('and most of the sample strikes twice', async () => {
  const { struck } = await runCase({
    scenario: 'ordinary',
    caller: 'same-token',
    faults: [
      { call: 3, fault: 'denied' },
      { call: 5, fault: 'denied' },
    ],
  });
  expect(struck).toBe(2);
});
