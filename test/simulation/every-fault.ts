/** Tests that inject every single fault into scenarios: for each call that a function makes, each fault, each way of the caller to go on. */
import { describe, expect, it } from 'vitest';
import { caseText, FAULTS, type FaultCase, runCase, strideOf } from './fault-cases.ts';
import { countJudged } from './judged.ts';
import { SCENARIOS } from './scenarios.ts';

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
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    describe(`${scenario.what} survives any single fault`, () => {
      it.each(scenario.callers)('and the caller goes on: %s', async (caller) => {
        const { strikable, wrong } = await runCase({ scenario: name, caller, faults: [] });
        expect(wrong).toEqual([]);
        expect(strikable).toBeGreaterThan(4);
        await expectNothingWrong(everyFault(name, caller, strikable), count);
      });
    });
  }
}

function* everyFault(scenario: string, caller: FaultCase['caller'], calls: number): Iterable<FaultCase> {
  for (let call = 1; call <= calls; call += strideOf(caller))
    for (const fault of Object.keys(FAULTS)) yield { scenario, caller, faults: [{ call, fault }] };
}
