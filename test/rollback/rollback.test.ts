import { describe, expect, it } from 'vitest';
import { FAULTS } from '../simulation/fault-cases.ts';
import { countJudged } from '../simulation/judged.ts';
import { caseText, everyFault, everyIntruder, type RollbackCase, runCase } from './cases.ts';
import { SCENES } from './scenes.ts';

/** All of them are `npm run faults -- --rollback`; here is every n-th. */
const EVERY_NTH_FAULT = 23;
const EVERY_NTH_PASS = 37;

const count = countJudged('rollbacks');

async function expectNothingWrong(cases: Iterable<RollbackCase>, nth: number, offset: number): Promise<void> {
  const wrong: Record<string, readonly string[]> = {};
  let index = offset;
  for (const one of cases) {
    index += 1;
    if (index % nth !== 0) continue;
    const judged = await runCase(one);
    count.cases += 1;
    count.calls += judged.calls.length;
    if (judged.wrong.length > 0) wrong[caseText(one)] = judged.wrong;
  }
  expect(wrong).toEqual({});
}

const STEPS: Readonly<Record<string, string>> = {
  retiring: 'verify take-off move',
  due: 'reserve wait verify take-off move',
  held: 'wait verify move',
  disabled: 'activate wait verify move',
  'recovery-over': 'activate wait verify move',
  'without-overlap': 'reserve activate wait verify take-off move',
  'short-overlap': 'reserve activate wait verify move',
  unrecorded: 'reserve wait verify take-off move',
  deleted: '',
};

describe.each(Object.entries(SCENES))('a rollback to a key that is %s', (scene, { what, ends }) => {
  it(`(${what}) takes the steps that this state needs, and no application loses its key`, async () => {
    const { wrong, steps, runs } = await runCase({ scene });
    expect(wrong).toEqual([]);
    expect(steps.join(' ')).toBe(STEPS[scene]);
    if (ends === 'rolled back') expect(runs).toMatchObject([{ how: 'rolled back' }]);
    else expect(runs).toMatchObject([{ how: 'failed', error: { code: ends } }]);
  });

  it('gets there when it is run again after any fault, and no application loses its key', async () => {
    const { calls } = await runCase({ scene });
    const offset = Object.keys(SCENES).indexOf(scene) * (Object.keys(FAULTS).length + 1);
    await expectNothingWrong(everyFault(scene, calls.length), EVERY_NTH_FAULT, offset);
  });
});

describe.each(['due', 'recovery-over', 'without-overlap'])('a pass that runs into a rollback (%s)', (scene) => {
  it('ends no key that AWSCURRENT has gone back to, however late its answers are', async () => {
    const { calls } = await runCase({ scene });
    await expectNothingWrong(everyIntruder(scene, calls.length, 'pass'), EVERY_NTH_PASS, 5);
  });
});
