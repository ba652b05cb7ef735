/**
 * Tests that inject single faults into scenarios: at each call that a function makes, each fault, with one way or other of the caller to go on. All
 * cases are `npm run faults -- --singles`.
 */
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

/** One case of each `of`, beginning with another one for each caller. */
function* shareOf(cases: Iterable<FaultCase>, turn: number, of: number): Iterable<FaultCase> {
  let n = turn;
  for (const one of cases) {
    if (n % of === 0) yield one;
    n += 1;
  }
}

/** @param names of scenarios, which a file shares out so that files run side by side */
export function testSingleFaults(what: string, names: readonly string[]): void {
  const count = countJudged(`single faults of ${what}`);
  for (const name of names) {
    const scenario = scenarioOf(name);
    describe(`${scenario.what} survives any single fault`, () => {
      it.each(scenario.callers)('and the caller goes on: %s', async (caller) => {
        const clean: FaultCase = { scenario: name, caller, faults: [] };
        const { strikableOf, wrong } = await runCase(clean);
        expect(wrong).toEqual([]);
        expect(strikableOf.length).toBeGreaterThan(4);
        const turn = scenario.callers.indexOf(caller);
        // Between them the three that go on after a rotation meet each fault at each call. Two deliveries at once are counted otherwise.
        const of = caller === 'twice-at-once' ? 4 : Math.max(2, scenario.callers.length - 1);
        await expectNothingWrong(shareOf(everyFault(clean, strikableOf), turn, of), count);
      });
    });
  }
}
