import { afterEach, describe, expect, it } from 'vitest';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { finishAll, Simulation, START } from './world.ts';

afterEach(() => expect(finishAll()).toEqual([]));

const calls = (simulation: Simulation) =>
  simulation.account.history.flatMap((entry) => (entry.kind === 'call' ? [entry.action] : []));

describe('a key', () => {
  it('is minted, stored, verified and promoted by the first rotation', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.what()).toEqual(['minted', 'verified', 'promoted']);
    const value = simulation.current('iam/app');
    expect(value).toEqual({
      Version: 1,
      AccessKeyId: expect.stringMatching(/^AKIA/),
      SecretAccessKey: expect.any(String),
      UserName: 'app',
      CreateDate: '2026-01-01T00:00:00Z',
    });
    expect(simulation.keys('app')).toEqual({ [String(value.AccessKeyId)]: 'Active' });
  });

  it('stays Active for the overlap, Inactive for the recovery time, and is deleted then', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const old = String(simulation.current('iam/app').AccessKeyId);
    await simulation.advanceWithPasses(30.1);
    expect(simulation.what().filter((what) => what === 'promoted')).toHaveLength(2);
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')[old]).toBe('Active');
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')[old]).toBe('Inactive');
    await simulation.advanceWithPasses(5);
    expect(simulation.keys('app')[old]).toBe('Inactive');
    await simulation.advanceWithPasses(2);
    expect(Object.keys(simulation.keys('app'))).toEqual([simulation.current('iam/app').AccessKeyId]);
    expect(Object.keys(simulation.tags('iam/app')).filter((tag) => tag.includes(':key/'))).toHaveLength(1);
    expect(simulation.rotationErrors()).toEqual([]);
  });

  it('is held while an application still uses it, and disabled once it has been quiet', async () => {
    const simulation = new Simulation();
    const user = simulation.account.createUser('app');
    await simulation.schedule('iam/app', 90);
    const old = simulation.account.keys.get(String(simulation.current('iam/app').AccessKeyId));
    await simulation.rotate('iam/app');
    expect(simulation.current('iam/app').AccessKeyId).not.toBe(old?.id);
    const useFor = async (days: number) => {
      for (let day = 0; day < days; day += 1) {
        await simulation.account.clock.run(simulation.useKey(String(old?.id)));
        await simulation.advanceWithPasses(1);
      }
    };
    await useFor(6);
    expect(simulation.keys('app')[String(old?.id)]).toBe('Active');
    expect(simulation.what()).toContain('held');
    await simulation.advanceWithPasses(6);
    expect(simulation.keys('app')[String(old?.id)]).toBe('Active');
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')[String(old?.id)]).toBe('Inactive');
    expect(user.name).toBe('app');
  });

  it('is disabled at the end of the longest hold even if it is used: the policy says so', async () => {
    const simulation = new Simulation({ keys: [{ userName: 'app', holdAtMost: 4 * DAY }] });
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 90);
    const old = String(simulation.current('iam/app').AccessKeyId);
    await simulation.rotate('iam/app');
    for (let day = 0; day < 8; day += 1) {
      if (simulation.keys('app')[old] === 'Active') await simulation.account.clock.run(simulation.useKey(old));
      await simulation.advanceWithPasses(1);
    }
    expect(simulation.keys('app')[old]).toBe('Inactive');
    const disabled = simulation.happenings.find((happening) => happening.what === 'disabled');
    expect(disabled).toMatchObject({ reason: 'hold-over', keyId: old });
  });

  it('is disabled by finishSecret itself, after the label has moved, with an overlap of zero', async () => {
    const simulation = new Simulation({ keys: [{ userName: 'app', deactivateAfter: 0 }] });
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const old = String(simulation.current('iam/app').AccessKeyId);
    await simulation.rotate('iam/app');
    expect(simulation.keys('app')).toEqual({
      [old]: 'Inactive',
      [String(simulation.current('iam/app').AccessKeyId)]: 'Active',
    });
    const order = calls(simulation);
    expect(order.lastIndexOf('UpdateSecretVersionStage')).toBeLessThan(order.lastIndexOf('UpdateAccessKey'));
    expect(simulation.tags('iam/app')[`iam-key-rotator:key/${old}`]).toContain('disabled=');
  });

  it('that was made by hand and is adopted is retired like one of ours, and its slot then serves', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    const adopted = simulation.account.createAccessKey('app').accessKeyId;
    simulation.adopt('app', adopted);
    await simulation.schedule('iam/app', 30);
    expect(simulation.keys('app')[adopted]).toBe('Active');
    await simulation.advanceWithPasses(4);
    expect(simulation.keys('app')[adopted]).toBe('Inactive');
    await simulation.advanceWithPasses(27);
    expect(simulation.keys('app')[adopted]).toBeUndefined();
    expect(simulation.tags('iam/app')[`iam-key-rotator:key/${adopted}`]).toContain('deleted=');
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.what().filter((what) => what === 'promoted')).toHaveLength(2);
  });
});

describe('who has not switched', () => {
  type Told = { switched: string; previousRead: string; previousReadOn?: Date };
  const DAYS = 5;
  /** What each of the passes of five days tells of a key superseded at 01:00 UTC, while somebody does something every day. */
  async function followed(daily: (simulation: Simulation, old: string) => unknown) {
    const simulation = new Simulation({ keys: [{ userName: 'app', deactivateAfter: DAYS * DAY }] });
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 90);
    const old = String(simulation.current('iam/app').AccessKeyId);
    await simulation.advanceWithPasses(2);
    await simulation.rotate('iam/app');
    for (let day = 0; day < DAYS; day += 1) {
      await daily(simulation, old);
      await simulation.advanceWithPasses(1);
    }
    expect(simulation.passes.flatMap(({ failures }) => failures)).toEqual([]);
    const told = simulation.happenings.filter((happening) => happening.what === 'followed');
    expect(new Set(told.map(({ keyId }) => keyId))).toEqual(new Set([old]));
    return told.map(({ at, switched, previousRead, previousReadOn }): Told & { day: number } => ({
      day: Math.floor((at.getTime() - START.getTime()) / (DAY * 1000)) - 2,
      switched,
      previousRead,
      ...(previousReadOn && { previousReadOn }),
    }));
  }
  const read = (simulation: Simulation, stage: string) =>
    simulation.account.operate('secretsmanager', 'GetSecretValue', { SecretId: 'iam/app', VersionStage: stage });
  const verdicts = (told: readonly Told[], field: 'switched' | 'previousRead') =>
    new Set(told.map((one) => one[field]));

  it('is nobody, whatever the rotator and its passes read themselves', async () => {
    const told = await followed((simulation) => read(simulation, 'AWSCURRENT'));
    expect(told.length).toBeGreaterThan(100);
    expect(verdicts(told, 'switched')).toEqual(new Set(['unknown', 'yes']));
    expect(told.filter(({ day }) => day === 0).map(({ previousRead }) => previousRead)).not.toContain('yes');
    expect(
      verdicts(
        told.filter(({ day }) => day > 0),
        'previousRead',
      ),
    ).toEqual(new Set(['no']));
  });

  it('is told of by every pass once the old key was used after applications had the time to switch', async () => {
    const told = await followed((simulation, old) => simulation.useDirectly(old));
    expect(
      verdicts(
        told.filter(({ day }) => day === 0),
        'switched',
      ),
    ).toEqual(new Set(['unknown', 'yes']));
    expect(
      verdicts(
        told.filter(({ day }) => day > 1),
        'switched',
      ),
    ).toEqual(new Set(['no']));
  });

  it('is told of by the day on which AWSPREVIOUS was read last, if that is later than the day of the switch', async () => {
    const told = await followed((simulation) => read(simulation, 'AWSPREVIOUS'));
    expect(
      verdicts(
        told.filter(({ day }) => day === 0),
        'previousRead',
      ),
    ).toEqual(new Set(['unknown']));
    expect(told.at(-1)).toMatchObject({ previousRead: 'yes', previousReadOn: new Date('2026-01-07T00:00:00Z') });
  });

  it('is not asked about a key that somebody has deleted by hand, and no pass fails for that', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 90);
    const old = String(simulation.current('iam/app').AccessKeyId);
    await simulation.rotate('iam/app');
    simulation.account.deleteAccessKey(old);
    await simulation.advanceWithPasses(1);
    expect(simulation.passes.flatMap(({ failures }) => failures)).toEqual([]);
    expect(simulation.what()).not.toContain('followed');
  });
});

describe("a user whose only key is adopted by 'only-key'", () => {
  const ledgerOf = (simulation: Simulation, keyId: string) =>
    simulation.tags('iam/app')[`iam-key-rotator:key/${keyId}`];
  const storedByHand = (simulation: Simulation) => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = simulation.account.createAccessKey('app');
    const SecretString = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, UserName: 'app' });
    simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString });
    return AccessKeyId;
  };
  async function user(keys: number, adopt = 'only-key') {
    const simulation = new Simulation({ keys: [{ userName: 'app', adopt }] });
    simulation.account.createUser('app');
    const made = Array.from({ length: keys }, () => simulation.account.createAccessKey('app').accessKeyId);
    await simulation.advance(DAY);
    return { simulation, made };
  }

  it('has it held while it is used, retired when it is quiet, and its slot then serves', async () => {
    const { simulation, made } = await user(1);
    const [only = ''] = made;
    await simulation.schedule('iam/app', 60);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.current('iam/app').AccessKeyId).not.toBe(only);
    for (let day = 0; day < 8; day += 1) {
      expect(await simulation.useDirectly(only)).toBe(true);
      await simulation.advanceWithPasses(1);
    }
    expect(simulation.happenings).toContainEqual(expect.objectContaining({ what: 'held', keyId: only }));
    expect(simulation.keys('app')[only]).toBe('Active');
    await simulation.advanceWithPasses(9);
    expect(simulation.keys('app')[only]).toBe('Inactive');
    await simulation.advanceWithPasses(7);
    expect(simulation.keys('app')).toEqual({ [String(simulation.current('iam/app').AccessKeyId)]: 'Active' });
    expect(ledgerOf(simulation, only)).toMatch(/^deleted=/);
    await simulation.advanceWithPasses(38);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.what().filter((what) => what === 'promoted')).toHaveLength(2);
  });

  it('keeps a key that is made by hand once the first one of the rotator is stored, whether or not there was one before', async () => {
    for (const keys of [0, 1]) {
      const { simulation } = await user(keys);
      await simulation.schedule('iam/app', 90);
      await simulation.advanceWithPasses(15, 6);
      const later = simulation.account.createAccessKey('app').accessKeyId;
      await simulation.advanceWithPasses(40, 6);
      expect(simulation.keys('app')).toEqual({
        [String(simulation.current('iam/app').AccessKeyId)]: 'Active',
        [later]: 'Active',
      });
    }
  });

  it('is told about both keys if there are two, and goes on once one of them is deleted', async () => {
    const { simulation, made } = await user(2);
    const [unused = '', used = ''] = made;
    await simulation.useDirectly(used);
    await simulation.schedule('iam/app', 90);
    expect(simulation.rotationErrors().at(-1)).toMatch(
      new RegExp(
        `^STRANGERS_HOLD_SLOTS: user app has 2 access keys: ${unused} \\(stranger, Active, 1 day old, never used\\) and ${used} ` +
          `\\(stranger, Active, 1 day old, last used \\S+ with sts in eu-central-1\\).*Look at ${unused} first, of which no use is known`,
      ),
    );
    simulation.account.deleteAccessKey(unused);
    await simulation.rotate('iam/app');
    await simulation.advanceWithPasses(30, 6);
    expect(simulation.keys('app')).toEqual({ [String(simulation.current('iam/app').AccessKeyId)]: 'Active' });
  });

  it('whose key is in the secret already has it superseded by the first rotation, and nothing adopted', async () => {
    for (const adopt of ['only-key', 'the key itself']) {
      const simulation = new Simulation();
      simulation.account.createUser('app');
      const own = storedByHand(simulation);
      simulation.adopt('app', adopt === 'only-key' ? adopt : own);
      await simulation.schedule('iam/app', 90);
      expect(simulation.current('iam/app').AccessKeyId).not.toBe(own);
      expect(ledgerOf(simulation, own)).toMatch(/^version=\S+ minted=\S+ promoted=\S+ superseded=/);
      await simulation.advanceWithPasses(2);
      expect(simulation.keys('app')[own]).toBe('Active');
      await simulation.advanceWithPasses(10, 6);
      expect(simulation.keys('app')).toEqual({ [String(simulation.current('iam/app').AccessKeyId)]: 'Active' });
    }
  });

  it('loses none whose key was deleted by hand before the first promotion, and is promoted all the same', async () => {
    const { simulation, made } = await user(1);
    simulation.account.faults.add({ match: { service: 'sts' }, kind: 'network', times: 300 });
    await simulation.schedule('iam/app', 90);
    expect(ledgerOf(simulation, made[0] ?? '')).toMatch(/^minted=/);
    simulation.account.deleteAccessKey(made[0] ?? '');
    simulation.account.faults.clear();
    await simulation.advance(HOUR);
    const later = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.advanceWithPasses(30, 6);
    expect(simulation.keys('app')).toEqual({
      [String(simulation.current('iam/app').AccessKeyId)]: 'Active',
      [later]: 'Active',
    });
    expect(ledgerOf(simulation, made[0] ?? '')).toMatch(/^deleted=/);
  });

  it('made again under the same name before the first promotion has no key of its second life adopted', async () => {
    const { simulation } = await user(1);
    simulation.account.faults.add({
      match: { action: 'CreateAccessKey', functionName: 'rotate' },
      kind: 'refuse',
      times: 99,
    });
    await simulation.schedule('iam/app', 90);
    simulation.account.deleteUser('app');
    simulation.account.faults.clear();
    simulation.account.createUser('app');
    const second = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.advance(HOUR);
    await simulation.rotate('iam/app');
    await simulation.advanceWithPasses(30, 6);
    expect(simulation.keys('app')).toEqual({
      [String(simulation.current('iam/app').AccessKeyId)]: 'Active',
      [second]: 'Active',
    });
  });

  it.each<[string, readonly (string | undefined)[], 'gone' | 'kept']>([
    ['stays adopted when the configuration names it', ['it'], 'gone'],
    ['stays adopted when the configuration named it before', ['it', 'only-key'], 'gone'],
    ['is kept when the configuration adopts nothing any more', [undefined], 'kept'],
    ['is adopted again when the configuration says so again', [undefined, 'only-key'], 'gone'],
    ['is kept when the configuration names another key', ['AKIAIOSFODNN7EXAMPLE'], 'kept'],
  ])('%s', async (_, changes, end) => {
    const { simulation, made } = await user(1);
    const [only = ''] = made;
    await simulation.schedule('iam/app', 90);
    await simulation.advanceWithPasses(1);
    for (const change of changes) {
      const { adopt: __, ...key } = simulation.deployment.keys[0] ?? { userName: '' };
      const adopt = change === 'it' ? only : change;
      const changed = { ...key, ...(adopt !== undefined && { adopt }) };
      simulation.deployment = { ...simulation.deployment, keys: [deployedKey({ ...changed, userName: 'app' })] };
      await simulation.advanceWithPasses(0.5);
    }
    await simulation.advanceWithPasses(20, 6);
    expect(simulation.keys('app')).toEqual({
      [String(simulation.current('iam/app').AccessKeyId)]: 'Active',
      ...(end === 'kept' && { [only]: 'Active' }),
    });
  });

  it('has none adopted by a configuration that says so only after the first promotion', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    const stranger = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.schedule('iam/app', 90);
    simulation.adopt('app', 'only-key');
    await simulation.advanceWithPasses(30, 6);
    expect(simulation.keys('app')[stranger]).toBe('Active');
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors().at(-1)).toContain(`put adopt: '${stranger}' for this user`);
    simulation.adopt('app', stranger);
    await simulation.advanceWithPasses(30, 6);
    await simulation.rotate('iam/app');
    expect(simulation.keys('app')).not.toHaveProperty(stranger);
    expect(simulation.what().filter((what) => what === 'promoted')).toHaveLength(2);
  });
});

describe('a rotation', () => {
  it('keeps the fields that a team has put into the value', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    simulation.account.operate('secretsmanager', 'PutSecretValue', {
      SecretId: 'iam/app',
      SecretString: JSON.stringify({ ...simulation.current('iam/app'), Endpoint: 'https://example.test' }),
    });
    const before = String(simulation.current('iam/app').AccessKeyId);
    await simulation.advanceWithPasses(0.1);
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.current('iam/app')).toMatchObject({ Endpoint: 'https://example.test' });
    expect(simulation.current('iam/app').AccessKeyId).not.toBe(before);
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')[before]).toBe('Active');
    await simulation.advanceWithPasses(10);
    expect(simulation.keys('app')[before]).toBeUndefined();
  });

  it('is refused with both keys named while strangers hold the slots, and touches neither', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    const ids = [1, 2].map(() => simulation.account.createAccessKey('app').accessKeyId);
    await simulation.advance(30 * DAY);
    await simulation.account.clock.run(simulation.useKey(String(ids[0])));
    await simulation.schedule('iam/app', 30);
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')).toEqual({ [String(ids[0])]: 'Active', [String(ids[1])]: 'Active' });
    const message = String(simulation.rotationErrors()[0]);
    expect(message).toMatch(/^STRANGERS_HOLD_SLOTS: user app has 2 access keys: /);
    expect(message).toContain(`${ids[0]} (stranger, Active, 30 days old, last used 2026-01-31T00:00:00Z with sts in`);
    expect(message).toContain(`${ids[1]} (stranger, Active, 30 days old, never used)`);
    expect(calls(simulation)).not.toContain('UpdateAccessKey');
    expect(calls(simulation)).not.toContain('DeleteAccessKey');
  });

  it('succeeds by itself once the stranger is gone', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    const [first] = [1, 2].map(() => simulation.account.createAccessKey('app').accessKeyId);
    await simulation.schedule('iam/app', 30);
    simulation.account.deleteAccessKey(String(first));
    await simulation.advance(2 * HOUR);
    expect(simulation.current('iam/app').AccessKeyId).toMatch(/^AKIA/);
  });

  it('that was started early says when the slot comes free', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    await simulation.rotate('iam/app');
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors()[0]).toContain('SLOT_NOT_FREE_YET');
    expect(simulation.rotationErrors()[0]).toContain('to be disabled from 2026-01-04T');
  });

  it('is refused for a user that was deleted and made again, before a key is minted', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    simulation.account.deleteUser('app');
    simulation.account.createUser('app');
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors()[0]).toContain('USER_RECREATED');
    expect(simulation.keys('app')).toEqual({});
  });

  it('finds a user with a path', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app', { path: '/team/ci/' });
    await simulation.schedule('iam/app', 30);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.current('iam/app').AccessKeyId).toMatch(/^AKIA/);
  });

  it('goes on after the current key was deleted by hand', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const lost = String(simulation.current('iam/app').AccessKeyId);
    simulation.account.deleteAccessKey(lost);
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.keys('app')).toEqual({ [String(simulation.current('iam/app').AccessKeyId)]: 'Active' });
  });

  it('understands the steps in the spelling of the user guide too', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const version = String(simulation.secret('iam/app').labels.get('AWSCURRENT'));
    for (const step of ['create_secret', 'finish_secret']) {
      expect(await simulation.step(step, 'iam/app', version)).toMatchObject({ ok: true });
    }
    expect(simulation.what().slice(-2)).toEqual(['nothing-to-do', 'nothing-to-do']);
  });

  it('with RotateImmediately=false tests the existing value only', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    const begin = () => {
      simulation.account.operate('secretsmanager', 'RotateSecret', {
        SecretId: 'iam/app',
        RotationLambdaARN: simulation.rotateArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: false,
      });
      return simulation.advance(600);
    };
    await begin();
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.keys('app')).toEqual({});
    await simulation.rotate('iam/app');
    const key = simulation.current('iam/app').AccessKeyId;
    await begin();
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.current('iam/app').AccessKeyId).toBe(key);
    expect(simulation.what().filter((what) => what === 'minted')).toHaveLength(1);
  });

  it("in mode 'observe' changes nothing and says so", async () => {
    const simulation = new Simulation({ keys: [{ userName: 'app', mode: 'observe' }] });
    simulation.account.createUser('app');
    await simulation.rotate('iam/app');
    expect(simulation.rotationErrors()[0]).toContain('OBSERVE_MODE');
    expect(simulation.keys('app')).toEqual({});
    expect(Object.keys(simulation.tags('iam/app'))).toEqual(['iam-key-rotator:deployment']);
  });

  it('takes up its stored key when Secrets Manager retries with a new token', async () => {
    const simulation = new Simulation({
      account: { rotationRetry: { attempts: 3, spacingMs: 20 * 60_000, token: 'new' } },
    });
    simulation.account.createUser('app');
    simulation.account.faults.add({
      match: { service: 'sts', action: 'GetCallerIdentity' },
      kind: 'network',
      times: 25,
    });
    await simulation.schedule('iam/app', 30);
    await simulation.advance(3 * HOUR);
    expect(simulation.rotationErrors().length).toBeGreaterThan(0);
    expect(simulation.rotationErrors()[0]).toContain('KEY_NOT_USABLE');
    expect(simulation.what().filter((what) => what === 'minted')).toHaveLength(1);
    expect(simulation.what()).toContain('taken-up');
    expect(simulation.keys('app')).toEqual({ [String(simulation.current('iam/app').AccessKeyId)]: 'Active' });
  });

  it('is not resumed against a rollback: the old version stays current, and the next rotation mints anew', async () => {
    const simulation = new Simulation();
    simulation.account.createUser('app');
    await simulation.schedule('iam/app', 30);
    const first = simulation.current('iam/app').AccessKeyId;
    const v1 = simulation.secret('iam/app').labels.get('AWSCURRENT');
    await simulation.rotate('iam/app');
    const second = simulation.current('iam/app').AccessKeyId;
    const v2 = simulation.secret('iam/app').labels.get('AWSCURRENT');
    simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: 'iam/app',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: v1,
      RemoveFromVersionId: v2,
    });
    // AWSPENDING still sits on the newer version: Secrets Manager takes the rotation up again instead of starting another.
    expect(await simulation.rotate('iam/app')).toBe('taken up');
    await simulation.advance(HOUR);
    expect(simulation.rotationErrors()[0]).toContain('ROLLED_BACK');
    expect(simulation.current('iam/app').AccessKeyId).toBe(first);
    await simulation.advanceWithPasses(31);
    expect([first, second]).not.toContain(simulation.current('iam/app').AccessKeyId);
    expect(Object.keys(simulation.keys('app'))).not.toContain(second);
    expect(START.getTime()).toBeLessThan(simulation.now.getTime());
  });
});
