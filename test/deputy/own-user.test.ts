/**
 * How far somebody gets who may write a managed secret, with the keys of its own bound user. What is "not stopped" here is what the design leaves
 * to the permissions of the writers: see SECURITY.md, "Residual risks". Each such test shows exactly how far it goes, and where it ends.
 *
 * The ledger is closed to all whom its secret's policy does not name, and `exclusive` closes a secret to all these writers:
 * test/deputy/exclusive.test.ts tries both.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { iso } from '../../lambdas/domain/model.ts';
import { DAY } from '../policy.ts';
import { finishAll } from '../simulation/world.ts';
import { LONG_AGO, type Scene, SECRET, scene, TOKEN } from './world.ts';

afterEach(() => {
  expect(finishAll()).toEqual([]);
});

/** The invariants that the oracle sees broken: in these tests the rotator is deceived, and breaks them in good faith. */
const deceived = () => [...new Set(finishAll().map(({ invariant }) => invariant))].sort();

const secondsAgo = (s: Scene, seconds: number) => iso(new Date(s.world.now.getTime() - seconds * 1000));

/** The entry of the current key, as of long ago: so that no date that is forged lies before its promotion. */
function forgeCurrent(s: Scene): void {
  s.tag(`key/${s.current}`, `version=${s.version('AWSCURRENT')} promoted=${LONG_AGO}`);
}

const status = (s: Scene, keyId: string) => s.world.keys('app')[keyId];

// An operator whom the configuration names, or somebody who has changed the secret's policy before. All others are refused.
describe('whoever may write the tags of the ledger', () => {
  it('can have a stranger of the user disabled by one pass, in use as it is: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const stranger = await s.stranger();
    const forged = `version=${TOKEN} superseded=${LONG_AGO} by=${s.current}`;
    forgeCurrent(s);
    s.tag(`key/${stranger}`, forged);
    await s.world.retire();
    expect(status(s, stranger)).toBe('Inactive');
    expect(s.happened('disabled')).toEqual([stranger]);
    expect(deceived()).toContain(4);
    // What IAM tells of its last use is no tag: before a recovery time has passed since, no date helps.
    for (const disabled of [LONG_AGO, secondsAgo(s, 9 * DAY), secondsAgo(s, 8 * DAY)]) {
      s.tag(`key/${stranger}`, `${forged} disabled=${disabled}`);
      await s.world.retire();
    }
    expect(status(s, stranger)).toBe('Inactive');
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can have a stranger disabled and deleted by two passes that was not used for a recovery time: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const stranger = await s.stranger();
    await s.world.advance(8 * DAY);
    const forged = `version=${TOKEN} superseded=${LONG_AGO} by=${s.current}`;
    forgeCurrent(s);
    s.tag(`key/${stranger}`, forged);
    await s.world.retire();
    s.tag(`key/${stranger}`, `${forged} disabled=${secondsAgo(s, 7 * DAY + 120)}`);
    await s.world.retire();
    expect(status(s, stranger)).toBeUndefined();
    expect(s.changedElsewhere()).toEqual([]);
    expect(deceived()).toEqual(expect.arrayContaining([3, 4]));
  });

  it('can have an Inactive stranger of the user deleted by one pass: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const stranger = await s.stranger({ used: false });
    s.world.account.setAccessKeyStatus(stranger, 'Inactive');
    s.tag(`key/${stranger}`, `version=${TOKEN} disabled=${LONG_AGO}`);
    await s.world.retire();
    expect(status(s, stranger)).toBeUndefined();
    expect(s.happened('deleted')).toEqual([stranger]);
    expect(s.changedElsewhere()).toEqual([]);
    expect(deceived()).toEqual(expect.arrayContaining([3, 4]));
  });

  it("can have the user's oldest key retired as the only one, where the configuration says so too late: not stopped, see SECURITY.md", async () => {
    const s = await scene();
    const older = await s.stranger({ used: false });
    // By hand, so that the stranger is older than the current key.
    const current = s.current;
    s.world.account.deleteAccessKey(current);
    await s.rotate();
    s.world.adopt('app', 'only-key');
    await s.world.advanceWithPasses(1);
    expect(status(s, older)).toBe('Active');
    s.tag(`key/${older}`, `superseded=${LONG_AGO} by=${s.current}`);
    await s.world.advanceWithPasses(2);
    // A date that lies before the promotion counts for nothing: its overlap is kept.
    expect(status(s, older)).toBe('Active');
    await s.world.advanceWithPasses(9, 6);
    expect(status(s, older)).toBeUndefined();
    expect(s.changedElsewhere()).toEqual([]);
    expect(deceived()).toContain(4);
  });

  it('can have a stranger deleted that was never used, as an orphan, with a forged announcement: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const { accessKeyId } = s.world.account.createAccessKey('app');
    s.tag('intent/forged', `token=${TOKEN} at=${iso(s.world.now)}`);
    await s.world.advance(400);
    await s.world.retire();
    expect(status(s, accessKeyId)).toBeUndefined();
    expect(s.happened('orphan-cleared')).toEqual([accessKeyId]);
    expect(deceived()).toEqual(expect.arrayContaining([3, 4]));
  });

  it('can not have it deleted if it was used once', async () => {
    const s = await scene();
    const { accessKeyId } = s.world.account.createAccessKey('app');
    s.tag('intent/forged', `token=${TOKEN} at=${iso(s.world.now)}`);
    await s.world.advance(400);
    await s.world.account.clock.run(s.world.useKey(accessKeyId));
    await s.world.advanceWithPasses(1);
    expect(status(s, accessKeyId)).toBe('Active');
  });

  it('can end the overlap and the hold of a superseded key at once: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const first = await s.supersede();
    await s.world.account.clock.run(s.world.useKey(first));
    forgeCurrent(s);
    s.tag(`key/${first}`, `version=${TOKEN} promoted=${LONG_AGO} superseded=${LONG_AGO} by=${s.current}`);
    await s.world.retire();
    expect(status(s, first)).toBe('Inactive');
    expect(s.changedElsewhere()).toEqual([]);
    deceived();
  });

  it('can end the recovery time at once of a key that was not used for that long: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const first = await s.supersede();
    await s.world.advance(8 * DAY);
    await s.world.retire();
    expect(status(s, first)).toBe('Inactive');
    s.tag(
      `key/${first}`,
      `version=${TOKEN} superseded=${LONG_AGO} by=${s.current} disabled=${secondsAgo(s, 7 * DAY + 120)}`,
    );
    await s.world.retire();
    expect(status(s, first)).toBeUndefined();
    expect(s.changedElsewhere()).toEqual([]);
    expect(deceived()).toEqual([3]);
  });

  it.each([
    ['with a date in the future', (s: Scene) => `version=${TOKEN} superseded=2099-01-01T00:00:00Z by=${s.current}`],
    ['as one of the current version', (s: Scene) => `version=${s.version('AWSCURRENT')}`],
    ['as a stranger, without its entry', () => undefined],
  ])(
    'can keep a superseded key alive %s, until the next rotation finds no slot and says so: not stopped, see SECURITY.md',
    async (_, words) => {
      const s = await scene();
      const first = await s.supersede();
      const forged = words(s);
      if (forged === undefined) s.untag(`key/${first}`);
      else s.tag(`key/${first}`, forged);
      await s.world.advanceWithPasses(40, 12);
      expect(status(s, first)).toBe('Active');
      await s.rotate();
      expect(s.lastRotationError()).toMatch(/SLOT_NOT_FREE_YET|STRANGERS_HOLD_SLOTS/);
      expect(s.lastRotationError()).toContain(first);
    },
  );

  it.each([
    ['a malformed tag', 'key/AKIAIOSFODNN7EXAMPLE', 'promoted', 'LEDGER_MALFORMED'],
    ['a forged pin', 'user-id', 'AIDAFORGED', 'USER_RECREATED'],
  ])(
    'can stop rotation with %s, which every rotation says: not stopped, see SECURITY.md',
    async (_, tag, value, code) => {
      const s = await scene();
      const real = s.current;
      s.tag(tag, value);
      for (let n = 0; n < 2; n += 1) await s.rotate();
      expect(s.world.rotationErrors()).toEqual([expect.stringContaining(code), expect.stringContaining(code)]);
      expect(s.current).toBe(real);
      expect(status(s, real)).toBe('Active');
    },
  );

  it('can have a key of a user made again under the bound name published here, by taking the pin off: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const remake = async () => {
      s.world.account.deleteUser('app');
      await s.world.advance(60);
      s.world.account.createUser('app');
    };
    await remake();
    await s.rotate();
    expect(s.lastRotationError()).toContain('USER_RECREATED');
    expect(s.world.keys('app')).toEqual({});
    s.untag('user-id', 'verified');
    await s.rotate();
    expect(s.world.keys('app')).toEqual({ [s.current]: 'Active' });
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can not make a key of the user current that STS has not identified: the evidence is written anew', async () => {
    const s = await scene();
    const real = s.current;
    const stranger = await s.stranger();
    const user = String(s.world.account.users.get('app')?.id);
    s.put(s.value({ AccessKeyId: stranger, SecretAccessKey: 'not its secret' }), pending());
    s.tag(`key/${stranger}`, `version=${TOKEN} minted=${iso(s.world.now)}`);
    s.tag('verified', `token=${TOKEN} key=${stranger} account=111122223333 user=${user} at=${iso(s.world.now)}`);
    await s.rotate();
    expect(s.lastRotationError()).toContain('KEY_NOT_USABLE');
    expect(s.current).toBe(real);
    await s.world.advanceWithPasses(2);
    expect(status(s, real)).toBe('Active');
  });
});

describe('whoever may write the value, and no tag', () => {
  it('decides what applications read until the next rotation: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const real = s.current;
    s.put(s.value(s.stolen('admin')));
    await s.world.advanceWithPasses(1);
    expect(s.current).toBe(s.keyOf('admin'));
    expect(status(s, real)).toBe('Active');
    await s.rotate();
    expect(Object.keys(s.world.keys('app'))).toContain(s.current);
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can have a stranger of the user retired, by having made it current for an hour: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const real = s.current;
    const version = s.version('AWSCURRENT');
    const stranger = await s.stranger();
    s.put(s.value({ AccessKeyId: stranger, SecretAccessKey: 'not its secret' }));
    await s.world.advanceWithPasses(0.1);
    s.attack('UpdateSecretVersionStage', {
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: version,
      RemoveFromVersionId: s.version('AWSCURRENT'),
    });
    expect(s.current).toBe(real);
    await s.world.advanceWithPasses(2.5);
    expect(status(s, stranger)).toBe('Active');
    await s.world.advanceWithPasses(9, 6);
    expect(status(s, stranger)).toBeUndefined();
    expect(s.world.keys('app')).toEqual({ [real]: 'Active' });
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can have the real key retired, by naming a stranger of the user with a secret that is none, for eleven days: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const real = s.current;
    const stranger = await s.stranger();
    s.put(s.value({ AccessKeyId: stranger, SecretAccessKey: 'not its secret' }));
    await s.world.advanceWithPasses(2.5, 1);
    expect(status(s, real)).toBe('Active');
    await s.world.advanceWithPasses(9, 6);
    expect(s.world.keys('app')).toEqual({ [stranger]: 'Active' });
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can have another key of the user promoted that it has the secret of, which is then retired as ours: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const real = s.current;
    const stranger = await s.stranger();
    const SecretAccessKey = s.world.account.keys.get(stranger)?.secret;
    s.put(s.value({ AccessKeyId: stranger, SecretAccessKey }), pending());
    await s.rotate();
    expect(s.lastRotationError()).toBe('none');
    expect(s.current).toBe(stranger);
    await s.world.advanceWithPasses(12, 6);
    expect(s.world.keys('app')).toEqual({ [stranger]: 'Active' });
    expect(s.world.keys('app')).not.toHaveProperty(real);
    expect(s.changedElsewhere()).toEqual([]);
  });

  it('can stop retirement with a value that is no key, which every pass says: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const first = await s.supersede();
    s.put('not JSON');
    await s.world.advance(4 * DAY);
    expect(await s.pass()).toContain('VALUE_MALFORMED');
    expect(status(s, first)).toBe('Active');
  });
});

describe('whoever may configure the rotation', () => {
  it('can switch it off, and nothing of the rotator says so: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const real = s.current;
    s.attack('CancelRotateSecret', {});
    const told = s.world.happenings.length;
    await s.world.advanceWithPasses(120, 24);
    expect(s.current).toBe(real);
    expect(s.world.happenings.slice(told).filter(({ secret }) => secret === SECRET)).toEqual([]);
    expect(s.world.passes.every(({ failures }) => failures.length === 0)).toBe(true);
  });

  it('can delete the secret, and nothing of the rotator says so: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const first = await s.supersede();
    const told = s.world.happenings.length;
    s.attack('DeleteSecret', {});
    await s.world.advanceWithPasses(20, 24);
    expect(status(s, first)).toBe('Active');
    expect(s.world.happenings.slice(told).filter(({ secret }) => secret === SECRET)).toEqual([]);
  });

  it('can have no more keys made than there are slots, however often it starts a rotation', async () => {
    const s = await scene();
    for (let n = 0; n < 20; n += 1) await s.rotate();
    expect(s.lastRotationError()).toContain('SLOT_NOT_FREE_YET');
    expect(Object.keys(s.world.keys('app'))).toHaveLength(2);
    expect(s.changedElsewhere()).toEqual([]);
  });
});

describe('whoever may invoke the rotate function directly, and write value and ledger', () => {
  it('can leave testSecret out and have an unverified key promoted: not stopped, see SECURITY.md', async () => {
    const s = await scene();
    const stranger = await s.stranger();
    const user = String(s.world.account.users.get('app')?.id);
    s.put(s.value({ AccessKeyId: stranger, SecretAccessKey: 'not its secret' }), pending());
    s.tag('verified', `token=${TOKEN} key=${stranger} account=111122223333 user=${user} at=${iso(s.world.now)}`);
    const result = await s.world.step('finishSecret', SECRET, TOKEN);
    expect(result.ok).toBe(true);
    expect(s.current).toBe(stranger);
    expect(s.changedElsewhere()).toEqual([]);
    expect(deceived()).toEqual([2]);
  });

  it('can not have a key of another user promoted by testSecret, whatever it invokes', async () => {
    const s = await scene();
    const real = s.current;
    s.put(s.value(s.stolen('ops')), pending());
    const SecretId = s.world.secret(SECRET).arn;
    const invoke = (Step: string) => s.world.invoke('rotate', { Step, SecretId, ClientRequestToken: TOKEN });
    expect(await invoke('testSecret')).toMatchObject({ errorMessage: expect.stringMatching(/^IDENTITY_MISMATCH: /) });
    expect(await invoke('finishSecret')).toMatchObject({ errorMessage: expect.stringMatching(/^NOT_VERIFIED: /) });
    expect(s.current).toBe(real);
    expect(s.changedElsewhere()).toEqual([]);
  });
});

describe('what the value says is stronger than what forged tags say', () => {
  it('the current key is not disabled by a forged entry about itself', async () => {
    const s = await scene({ policy: { deactivateAfter: 0 } });
    const real = s.current;
    s.tag(`key/${real}`, `version=${s.version('AWSCURRENT')} promoted=${LONG_AGO} superseded=${LONG_AGO} by=${real}`);
    await s.rotate({ ClientRequestToken: s.version('AWSCURRENT') });
    expect(status(s, real)).toBe('Active');
  });

  it('nor is the new one, by entries forged between testSecret and finishSecret', async () => {
    const s = await scene({ policy: { deactivateAfter: 0 } });
    const real = s.current;
    const left = s.version('AWSCURRENT');
    let raced = false;
    s.world.account.onCall(({ action, functionName, parameters }) => {
      if (
        raced ||
        functionName !== 'rotate' ||
        action !== 'TagResource' ||
        !JSON.stringify(parameters).includes(':verified')
      )
        return;
      raced = true;
      const minted = Object.keys(s.world.keys('app')).find((keyId) => keyId !== real);
      const evidence = s.world.tags(SECRET)['iam-key-rotator:verified'] ?? '';
      s.tag(`key/${minted}`, `version=${left}`);
      s.tag('key/AKIAIOSFODNN7EXAMPLE', `version=${s.version('AWSPENDING')}`);
      s.tag('verified', evidence.replace(/key=\w+/, 'key=AKIAIOSFODNN7EXAMPLE'));
    });
    await s.rotate();
    expect(raced).toBe(true);
    expect(s.current).not.toBe(real);
    expect(status(s, s.current)).toBe('Active');
  });

  it('a pending version that holds no key is not promoted by forged evidence', async () => {
    const s = await scene();
    const real = s.current;
    const user = String(s.world.account.users.get('app')?.id);
    s.put({ Bootstrap: 'mine' }, pending());
    s.tag(
      'verified',
      `token=${TOKEN} key=AKIAIOSFODNN7EXAMPLE account=111122223333 user=${user} at=${iso(s.world.now)}`,
    );
    await s.rotate();
    expect(s.current).toBe(real);
  });

  it('and the key that it would leave is not disabled', async () => {
    const s = await scene({ policy: { deactivateAfter: 0 } });
    const real = s.current;
    const user = String(s.world.account.users.get('app')?.id);
    s.put({ Bootstrap: 'mine' }, pending());
    s.tag(
      'verified',
      `token=${TOKEN} key=AKIAIOSFODNN7EXAMPLE account=111122223333 user=${user} at=${iso(s.world.now)}`,
    );
    await s.rotate();
    expect(status(s, real)).toBe('Active');
  });

  it('a key of another user is not said to have been disabled', async () => {
    const s = await scene({ policy: { deactivateAfter: 0 } });
    const foreign = s.keyOf('admin');
    s.tag(`key/${foreign}`, `version=${s.version('AWSCURRENT')}`);
    await s.rotate();
    expect(s.changedElsewhere()).toEqual([]);
    expect(s.happened('disabled')).not.toContain(foreign);
  });

  it.each(['SessionToken', 'Expiration'])(
    'the field %s, which credential_process gives a meaning to, is not kept',
    async (field) => {
      const s = await scene();
      s.put({ ...s.world.current(SECRET), [field]: 'x' });
      await s.rotate();
      expect(s.lastRotationError()).toBe('none');
      expect(s.world.current(SECRET)).not.toHaveProperty(field);
    },
  );
});

describe('in what is published next', () => {
  // A parser that ignores letter case (Go's encoding/json) would take the last one.
  it.each(['accesskeyid', 'SECRETACCESSKEY'])('the field %s is not kept', async (field) => {
    const s = await scene();
    s.put({ ...s.world.current(SECRET), [field]: 'x' });
    await s.rotate();
    expect(s.world.current(SECRET)).not.toHaveProperty(field);
  });
});

const pending = () => ({ VersionStages: ['AWSPENDING'], ClientRequestToken: TOKEN });
