/** A share of the single faults of leaks: each call is struck once, by one fault after the other. All: `npm run faults -- --scenario leak`. */
import { describe, expect, it } from 'vitest';
import { expectNothingWrong } from './every-fault.ts';
import { FAULTS, type FaultCase, runCase } from './fault-cases.ts';
import { countJudged } from './judged.ts';
import { scenarioOf } from './scenarios.ts';

const count = countJudged('single faults of leaks');
const faults = Object.keys(FAULTS);

describe.each(['leak', 'leak-slot-taken', 'leak-disable-first'])('%s', (scenario) => {
  it(`${scenarioOf(scenario).what} survives a fault at any call`, async () => {
    const clean: FaultCase = { scenario, caller: 'same-token', faults: [] };
    const { strikableOf, wrong } = await runCase(clean);
    expect(wrong).toEqual([]);
    expect(strikableOf).toContain('respond');
    const cases = strikableOf.map((_, index): FaultCase => {
      const fault = faults[index % faults.length] ?? '';
      return { ...clean, faults: [{ call: index + 1, fault }] };
    });
    await expectNothingWrong(cases, count);
  });
});
