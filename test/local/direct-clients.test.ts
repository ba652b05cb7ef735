/** The direct clients of the suites against the SDK's: what is quick must not be something else. */
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../local/model.ts';
import { FAULTS } from '../simulation/fault-cases.ts';
import { Simulation } from '../simulation/world.ts';

/** A life in short: first rotation, second one with a fault at a call, retries, retirement. */
async function live(overTheWire: boolean, fault: string, call: number): Promise<readonly HistoryEntry[]> {
  const simulation = new Simulation({ overTheWire, account: { pageSize: 1 } });
  const { account } = simulation;
  account.createUser('app');
  await simulation.schedule('iam/app', 30);
  const { attempts, ...kind } = FAULTS[fault] ?? { kind: 'network', attempts: 1 };
  let seen = 0;
  account.faults.add({
    ...kind,
    times: attempts,
    match: { predicate: ({ functionName }) => functionName !== undefined && ++seen >= call },
  });
  await simulation.rotate('iam/app');
  await simulation.advanceWithPasses(11, 12);
  expect(simulation.oracle.finish()).toEqual([]);
  return account.history;
}

describe.each(Object.keys(FAULTS))('with a call that is %s', (fault) => {
  it.each([4, 7, 12])('the %sth, a life has the same calls, changes and events', async (call) => {
    expect(await live(false, fault, call)).toEqual(await live(true, fault, call));
  });
});
