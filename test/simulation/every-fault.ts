/** Tests that inject every single fault into scenarios: for each call that a function makes, each fault, each way of the caller to go on. */
import { describe, expect, it } from 'vitest';
import { caseText, everyFault, type FaultCase, runCase } from './fault-cases.ts';
import { countJudged } from './judged.ts';
import { scenarioOf } from './scenarios.ts';

/** Fails with the texts of the cases that went wrong: `npm run faults -- --replay '<text>'` tells what happened. */
export async function expectNothingWrong(cases: Iterable<FaultCase>, count: { cases: number; calls: number }) {
  const wrong: Record<string, readonly string[]> = {};
  for (const one of cases) {
    const judged = await runCase(one);
    count.cases += 1;
    count.calls += judged.calls;
    if (judged.wrong.length > 0) wrong[caseText(one)] = judged.wrong;
  }
  expect(wrong).toEqual({});
}

/** @param names of scenarios, which a file shares out so that files run side by side */
export function testEveryFault(what: string, names: readonly string[]): void {
  const count = countJudged(`single faults of ${what}`);
  for (const name of names) {
    const scenario = scenarioOf(name);
    describe(`${scenario.what} survives any single fault`, () => {
      it.each(scenario.callers)('and the caller goes on: %s', async (caller) => {
        const clean: FaultCase = { scenario: name, caller, faults: [] };
        const { strikableOf, wrong } = await runCase(clean);
        expect(wrong).toEqual([]);
        expect(strikableOf.length).toBeGreaterThan(4);
        await expectNothingWrong(everyFault(clean, strikableOf), count);
      });
    });
  }
}
