/** Users and keys that are not as the configuration takes them to be. */
import type { Simulation } from '../simulation/world.ts';
import { begin, currentKey, pass, type Row, row, SECRET, step } from './row.ts';

/** Another user made under the same name, at least a second later. */
async function recreated(world: Simulation): Promise<void> {
  world.account.deleteUser('app');
  await world.advance(10);
  world.account.createUser('app');
}

const ADOPTED = 'AKIAIOSFODNN7EXAMPLE';

export const users: readonly Row[] = [
  row('the user does not exist, and createSecret comes', 'USER_NOT_FOUND', {
    from: 'new',
    bring: (world) => {
      world.account.deleteUser('app');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the user was deleted, and a key is to be retired', 'USER_NOT_FOUND', {
    from: 'superseded',
    bring: (world) => world.account.deleteUser('app'),
    run: pass,
  }),
  row('the user was deleted, and the pending key is to be looked for', 'USER_NOT_FOUND', {
    bring: (world) => {
      begin(world, world.current(SECRET));
      world.account.deleteUser('app');
    },
    run: step('setSecret'),
  }),
  row('the user was deleted and made again', 'USER_RECREATED', {
    bring: async (world) => {
      await recreated(world);
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the user was deleted and made again, and has two keys made by hand', 'USER_RECREATED', {
    bring: async (world) => {
      await recreated(world);
      world.account.createAccessKey('app');
      world.account.createAccessKey('app');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('both keys of the user were made by hand', 'STRANGERS_HOLD_SLOTS', {
    from: 'new',
    bring: (world) => {
      world.account.createAccessKey('app');
      world.account.createAccessKey('app');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the user whose only key is to be adopted has two', 'STRANGERS_HOLD_SLOTS', {
    from: 'new',
    options: { keys: [{ userName: 'app', adopt: 'only-key' }] },
    bring: (world) => {
      world.account.createAccessKey('app');
      world.account.createAccessKey('app');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the user has three keys, two of them made by hand past the quota', 'STRANGERS_HOLD_SLOTS', {
    bring: (world) => {
      world.account.createAccessKey('app', { force: true });
      world.account.createAccessKey('app', { force: true });
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the user has eight keys, and none of them is the current one', 'STRANGERS_HOLD_SLOTS', {
    from: 'new',
    bring: (world) => {
      for (let n = 0; n < 8; n += 1) world.account.createAccessKey('app', { force: true });
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('a stranger in the second slot is Inactive', 'STRANGERS_HOLD_SLOTS', {
    bring: (world) => {
      world.account.setAccessKeyStatus(world.account.createAccessKey('app').accessKeyId, 'Inactive');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the superseded key still has its slot', 'SLOT_NOT_FREE_YET', {
    from: 'superseded',
    bring: (world) => begin(world),
    run: step('createSecret'),
  }),
  row('the recovery time is over, but the current key is Inactive', 'SLOT_NOT_FREE_YET', {
    from: 'disabled',
    bring: (world) => {
      world.account.setAccessKeyStatus(currentKey(world), 'Inactive');
      begin(world);
    },
    run: step('createSecret'),
  }),
  row('the adopted key does not exist', 'ADOPT_KEY_NOT_FOUND', {
    from: 'new',
    options: { keys: [{ userName: 'app', adopt: ADOPTED }] },
    bring: (world) => begin(world),
    run: step('createSecret'),
  }),
  row('the adopted key is of another user', 'ADOPT_KEY_NOT_FOUND', {
    from: 'new',
    options: { keys: [{ userName: 'app', adopt: ADOPTED }] },
    bring: (world) => {
      world.account.createUser('other');
      world.account.createAccessKey('other', { id: ADOPTED });
      begin(world);
    },
    run: step('createSecret'),
  }),
  ...[10, -10].map((minutes) =>
    row(
      `a mint was lost while the function's clock was ${Math.abs(minutes)} minutes ${minutes > 0 ? 'ahead' : 'behind'}`,
      'STRANGERS_HOLD_SLOTS',
      {
        bring: async (world) => {
          world.account.clock.skew = minutes * 60_000;
          world.account.faults.add({ match: { action: 'CreateAccessKey' }, kind: 'lose-answer' });
          begin(world);
          await world.step('createSecret', SECRET, '11111111-2222-3333-4444-555555555555');
          world.account.clock.skew = 0;
          await world.advance(20 * 60);
        },
        run: step('createSecret'),
      },
    ),
  ),
];
