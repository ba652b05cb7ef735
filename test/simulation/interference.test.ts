import { describe, expect, it } from 'vitest';
import { callsOf, INTERFERENCES, interfere } from './interference.ts';
import { countJudged } from './judged.ts';
import { LEAK_CALLERS, SCENARIOS } from './scenarios.ts';

const count = countJudged('interferences by an operator');

/** What an operator does in the middle of a response to a leak is told of in leaks.test.ts. */
const scenarios = Object.entries(SCENARIOS).filter(([, { callers }]) => callers !== LEAK_CALLERS);

describe.each(scenarios)('in %s', (name, { what, callers: [caller = 'again'] }) => {
  it(`${what} breaks no invariant, whatever an operator does while one of its calls is answered late`, async () => {
    const calls = await callsOf(name, caller);
    expect(calls).toBeGreaterThan(4);
    const broken: Record<string, readonly string[]> = {};
    for (let call = 1; call <= calls; call += 1) {
      for (const action of Object.keys(INTERFERENCES)) {
        const interfered = await interfere(name, caller, call, action);
        count.cases += 1;
        count.calls += interfered.calls;
        // A key made by hand beside an announcement that comes to nothing is one of the limits that docs/safety.md names.
        const told = interfered.broken
          .filter(({ residual }) => residual === undefined)
          .map(({ invariant, what: told }) => `invariant ${invariant}: ${told}`);
        if (told.length > 0) broken[`somebody ${action} at call ${call}`] = told;
      }
    }
    expect(broken).toEqual({});
  });
});
