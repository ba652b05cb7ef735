/** The states in which the older key may be when somebody rolls back. */
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { Simulation } from '../simulation/world.ts';

export const SECRET = 'iam/app';

export interface Scene {
  /** The older key is … */
  readonly what: string;
  readonly start: () => Promise<Simulation>;
  /** What the rollback comes to. */
  readonly ends: 'rolled back' | 'ROLLBACK_KEY_GONE';
}

/** Two rotations, ten minutes since the second. @param reactivationDelay in ms: how long a key that is activated again is unknown */
async function rotatedTwice(policy: Partial<DeployedKey> = {}, reactivationDelay = 0): Promise<Simulation> {
  const simulation = new Simulation({ keys: [{ userName: 'app', ...policy }], account: { reactivationDelay } });
  simulation.account.createUser('app');
  await simulation.schedule(SECRET, 90);
  await simulation.advance(DAY);
  await simulation.rotate(SECRET);
  return simulation;
}

export const keyIds = (simulation: Simulation) => simulation.account.users.get('app')?.keys.map(({ id }) => id) ?? [];

export const SCENES: Readonly<Record<string, Scene>> = {
  retiring: {
    what: 'retiring, within its overlap',
    start: () => rotatedTwice(),
    ends: 'rolled back',
  },
  due: {
    what: 'retiring, and to be disabled by the next pass',
    async start() {
      const simulation = await rotatedTwice();
      await simulation.advance(3 * DAY + HOUR);
      return simulation;
    },
    ends: 'rolled back',
  },
  held: {
    what: 'held, since it is in use',
    async start() {
      const simulation = await rotatedTwice();
      await simulation.advance(2.9 * DAY);
      await simulation.useDirectly(keyIds(simulation)[0] ?? '');
      await simulation.advance(0.2 * DAY);
      await simulation.retire();
      return simulation;
    },
    ends: 'rolled back',
  },
  disabled: {
    what: 'disabled, and unknown for long once it is activated',
    async start() {
      const simulation = await rotatedTwice({}, 100_000);
      await simulation.advance(3.1 * DAY);
      await simulation.retire();
      await simulation.advance(HOUR);
      return simulation;
    },
    ends: 'rolled back',
  },
  'recovery-over': {
    what: 'disabled, and to be deleted by the next pass',
    async start() {
      const simulation = await rotatedTwice();
      await simulation.advance(3.1 * DAY);
      await simulation.retire();
      await simulation.advance(7.1 * DAY);
      return simulation;
    },
    ends: 'rolled back',
  },
  'without-overlap': {
    what: 'disabled by the rotation itself, which leaves no overlap',
    start: () => rotatedTwice({ deactivateAfter: 0, ifInUse: 'disable' }, 8000),
    ends: 'rolled back',
  },
  'short-overlap': {
    what: 'disabled, with an overlap that ends while it is rolled back to',
    async start() {
      const simulation = await rotatedTwice({ deactivateAfter: 2 * MINUTE, ifInUse: 'disable' });
      await simulation.retire();
      await simulation.advance(7.1 * DAY);
      return simulation;
    },
    ends: 'rolled back',
  },
  unrecorded: {
    what: 'retiring without a record, since the rotation died when it had moved AWSCURRENT',
    async start() {
      const simulation = new Simulation({
        keys: [{ userName: 'app', deactivateAfter: 0 }],
        account: { rotationRetry: { attempts: 3, spacingMs: 12 * 60_000, token: 'same' } },
      });
      simulation.account.createUser('app');
      await simulation.schedule(SECRET, 90);
      await simulation.advance(DAY);
      simulation.account.faults.add({
        match: { action: 'UpdateSecretVersionStage', functionName: 'rotate' },
        kind: 'crash-after',
      });
      await simulation.rotate(SECRET);
      return simulation;
    },
    ends: 'rolled back',
  },
  deleted: {
    what: 'deleted',
    async start() {
      const simulation = await rotatedTwice();
      await simulation.advance(3.1 * DAY);
      await simulation.retire();
      await simulation.advance(7.1 * DAY);
      await simulation.retire();
      return simulation;
    },
    ends: 'ROLLBACK_KEY_GONE',
  },
};
