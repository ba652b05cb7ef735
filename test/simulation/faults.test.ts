import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { FaultKind } from '../../local/faults.ts';
import { DAY } from '../policy.ts';
import { Simulation } from './world.ts';

const FAULTS: Readonly<Record<string, FaultKind>> = {
  throttled: { kind: 'refuse' },
  'answered with a 500': { kind: 'refuse', error: { code: 'InternalFailure', status: 500 } },
  denied: { kind: 'refuse', error: { code: 'AccessDenied', status: 403 } },
  'cut off before it takes effect': { kind: 'network' },
  'done, its answer lost': { kind: 'lose-answer' },
  'the last thing before the process dies': { kind: 'crash-before' },
  'done, and then the process dies': { kind: 'crash-after' },
  'answered after ten minutes': { kind: 'late', ms: 600_000 },
};

type Token = 'same' | 'new';

/** A user without a key, whose secret has the bootstrap value. */
function unrotated(token: Token, policy: Partial<DeployedKey> = {}): Simulation {
  const rotationRetry = { attempts: 3, spacingMs: 20 * 60_000, token };
  const simulation = new Simulation({ keys: [{ userName: 'app', ...policy }], account: { rotationRetry } });
  simulation.account.createUser('app');
  return simulation;
}

/** The same user with a key that was made by hand, which the configuration adopts. */
function adopting(token: Token): Simulation {
  const simulation = unrotated(token);
  simulation.adopt('app', simulation.account.createAccessKey('app').accessKeyId);
  return simulation;
}

/** A user with a current key and a superseded one that was deleted in time: what a rotation usually meets. */
async function ordinary(token: Token, policy: Partial<DeployedKey> = {}): Promise<Simulation> {
  const simulation = unrotated(token, policy);
  await simulation.schedule('iam/app', 90);
  await simulation.advanceWithPasses(0.1, 1.2);
  return simulation;
}

/** The same, with the superseded key's overlap over, or its recovery time. */
async function due(after: number): Promise<Simulation> {
  const simulation = await ordinary('same');
  await simulation.rotate('iam/app');
  if (after > 4) {
    await simulation.advanceWithPasses(3.2, 3.2 * 12);
    await simulation.advance((after - 3.2) * DAY);
  } else await simulation.advance(after * DAY);
  return simulation;
}

const SCENARIOS: Readonly<
  Record<string, { start: (token: Token) => Promise<Simulation>; act: (simulation: Simulation) => Promise<unknown> }>
> = {
  'the first rotation': {
    start: async (token) => unrotated(token),
    act: (simulation) => simulation.schedule('iam/app', 90),
  },
  'the first rotation of a user whose key is adopted': {
    start: async (token) => adopting(token),
    act: (simulation) => simulation.schedule('iam/app', 90),
  },
  'an ordinary rotation': { start: (token) => ordinary(token), act: (simulation) => simulation.rotate('iam/app') },
  'a rotation with an overlap of zero': {
    start: (token) => ordinary(token, { deactivateAfter: 0 }),
    act: (simulation) => simulation.rotate('iam/app'),
  },
  'disabling a key': { start: () => due(3.1), act: (simulation) => simulation.retire() },
  'deleting a key': { start: () => due(10.3), act: (simulation) => simulation.retire() },
};

/** Calls of functions since the mark, in order. */
function callsSince(simulation: Simulation, mark: number): number {
  return simulation.account.history
    .slice(mark)
    .filter((entry) => entry.kind === 'call' && entry.functionName !== undefined).length;
}

/** Runs on until quiet, then says what is wrong, and what the oracle saw on the way. */
async function judge(simulation: Simulation): Promise<readonly string[]> {
  const wrong: string[] = [];
  await simulation.advanceWithPasses(0.5);
  if (simulation.current('iam/app').AccessKeyId === undefined) await simulation.rotate('iam/app');
  await simulation.advanceWithPasses(12, 6);
  const current = String(simulation.current('iam/app').AccessKeyId);
  const keys = simulation.keys('app');
  if (keys[current] !== 'Active') wrong.push(`the current key ${current} is ${keys[current]}`);
  if (Object.keys(keys).length !== 1) wrong.push(`left over: ${JSON.stringify(keys)}`);
  await simulation.rotate('iam/app');
  if (simulation.current('iam/app').AccessKeyId === current) wrong.push('the next rotation does not succeed');
  return [...wrong, ...simulation.oracle.finish().map(({ invariant, what }) => `invariant ${invariant}: ${what}`)];
}

describe.each(Object.entries(SCENARIOS))('%s survives any single fault', (_, { start, act }) => {
  describe.each(Object.entries(FAULTS))('a call that is %s', (_name, fault) => {
    it.each<Token>(['same', 'new'])('when retried with the %s token', async (token) => {
      const clean = await start(token);
      const mark = clean.account.history.length;
      await act(clean);
      const calls = callsSince(clean, mark);
      expect(calls).toBeGreaterThan(4);
      for (let nth = 1; nth <= calls; nth += 1) {
        const simulation = await start(token);
        // A call and its retries within the SDK fail alike, or only once.
        simulation.account.faults.add({
          match: { predicate: (call) => call.functionName !== undefined, nth },
          ...fault,
          times: 1,
        });
        await act(simulation);
        expect(await judge(simulation), `call ${nth} of ${calls}`).toEqual([]);
      }
    });
  });
});
