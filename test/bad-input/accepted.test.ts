/** What looks wrong and is not: none of it is refused. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { assertBoundUser, parseSecretArn } from '../../lambdas/domain/identity.ts';
import { parseRotation, STEPS } from '../../lambdas/rotate/rotation.ts';
import { DAY, deployedKey } from '../policy.ts';
import { finishAll, Simulation } from '../simulation/world.ts';
import { GOOD, readContent } from './files.ts';
import {
  answer,
  begin,
  changedValue,
  currentKey,
  goodValue,
  play,
  SECRET,
  setCurrent,
  setTag,
  step,
  TOKEN,
} from './row.ts';

afterEach(() => {
  vi.restoreAllMocks();
  expect(finishAll()).toEqual([]);
});

const SPELLED = ['create_secret', 'set_secret', 'test_secret', 'finish_secret'];
const PARTITIONS = [
  ['aws', 'eu-central-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-cn', 'cn-north-1'],
] as const;

describe('an event is accepted', () => {
  const deployment: Deployment = {
    formatVersion: 1,
    name: 'iam-key-rotator',
    maxChangesPerRun: 25,
    rotateTimeout: 120,
    keys: [deployedKey({ userName: 'app' }), deployedKey({ userName: 'six', secretName: 'iam/app-abcdef' })],
  };
  const event = (Step: string, name = SECRET, partition = 'aws', region = 'eu-central-1') => ({
    Step,
    SecretId: `arn:${partition}:secretsmanager:${region}:111122223333:secret:${name}-a1B2c3`,
    ClientRequestToken: '11111111-2222-3333-4444-555555555555',
  });

  it.each(STEPS.map((step, n) => [step, String(SPELLED[n])] as const))(
    'in both spellings of %s, %s',
    (step, spelled) => {
      expect(parseRotation(event(step), deployment).step).toBe(step);
      expect(parseRotation(event(spelled), deployment).step).toBe(step);
    },
  );

  it('with fields that nobody knows', () => {
    expect(parseRotation({ ...event('createSecret'), Priority: 1 }, deployment).policy.userName).toBe('app');
  });

  it('for a secret whose name ends like the suffix of an ARN, and it is not taken for the one without that ending', () => {
    expect(parseRotation(event('createSecret', 'iam/app-abcdef'), deployment).policy.userName).toBe('six');
    expect(parseRotation(event('createSecret'), deployment).policy.userName).toBe('app');
  });

  it.each(PARTITIONS)('in the partition %s', (partition, region) => {
    const { secret } = parseRotation(event('createSecret', SECRET, partition, region), deployment);
    expect(secret).toMatchObject({ name: SECRET, region, account: '111122223333' });
  });
});

it("an abandoned version with another user's key is no reason to fail: it is not taken up", async () => {
  const abandoned = '99999999-2222-3333-4444-555555555555';
  const end = await play({
    bring: (world) => {
      world.account.operate('secretsmanager', 'PutSecretValue', {
        SecretId: SECRET,
        SecretString: JSON.stringify(goodValue({ UserName: 'admin' })),
        ClientRequestToken: abandoned,
        VersionStages: ['OLD'],
      });
      world.secret(SECRET).labels.delete('OLD');
      setTag(world, 'key/AKIAIOSFODNN7EXAMPLE', `version=${abandoned}`);
      begin(world);
    },
    run: step('createSecret'),
  });
  expect(end.message).toBeUndefined();
});

it.each(PARTITIONS)('an identity is accepted in the partition %s', (partition, region) => {
  const secret = parseSecretArn(`arn:${partition}:secretsmanager:${region}:111122223333:secret:iam/app-a1B2c3`);
  if (secret === undefined) throw new Error('no ARN');
  const policy = deployedKey({ userName: 'app' });
  const identity = (arn: string) => ({ account: '111122223333', arn, userId: 'AIDAX' });
  expect(() =>
    assertBoundUser(identity(`arn:${partition}:iam::111122223333:user/a/b/app`), secret, policy),
  ).not.toThrow();
  const other = `arn:${partition}:iam::111122223333:user/app/admin`;
  expect(() => assertBoundUser(identity(other), secret, policy)).toThrow('IDENTITY_MISMATCH');
});

describe('a rotation succeeds', () => {
  it('for a user with a path', async () => {
    const world = new Simulation();
    world.account.createUser('app', { path: '/service/mail/' });
    await world.schedule(SECRET, 30);
    expect(world.rotationErrors()).toEqual([]);
    expect(world.keys('app')).toEqual({ [currentKey(world)]: 'Active' });
  });

  it('while the clock of the function is ten minutes off', async () => {
    for (const minutes of [10, -10]) {
      const world = new Simulation();
      world.account.createUser('app');
      world.account.clock.skew = minutes * 60_000;
      await world.schedule(SECRET, 30);
      expect(world.rotationErrors()).toEqual([]);
      expect(world.keys('app')).toEqual({ [currentKey(world)]: 'Active' });
    }
  });

  it('and keeps the fields of the team, whatever they are', async () => {
    const world = new Simulation();
    world.account.createUser('app');
    await world.schedule(SECRET, 30);
    const team = { Endpoint: 'https://example.test', nested: { list: [1, 'two', null] }, '': 'nameless' };
    setCurrent(world, changedValue(world, team));
    const before = currentKey(world);
    // A pass takes AWSPENDING off the version that the edit has superseded (docs/adr/0005).
    await world.advanceWithPasses(0.1);
    await world.rotate(SECRET);
    expect(world.current(SECRET)).toMatchObject(team);
    expect(currentKey(world)).not.toBe(before);
  });

  it('although AWS lists the keys after two empty pages', async () => {
    let asked = 0;
    answer('ListAccessKeys', (real) => {
      asked += 1;
      return asked % 3 === 0 ? real : { AccessKeyMetadata: [], IsTruncated: true, Marker: '0'.repeat(asked % 3) };
    });
    const world = new Simulation();
    world.account.createUser('app');
    await world.schedule(SECRET, 30);
    expect(world.rotationErrors()).toEqual([]);
    expect(asked).toBe(6);
  });
});

describe('a step has nothing to do', () => {
  it.each(STEPS)('when its version is current already: %s', async (name) => {
    const end = await play({
      run: (world) => world.step(name, SECRET, String(world.secret(SECRET).labels.get('AWSCURRENT'))),
    });
    expect(end.message).toBeUndefined();
    expect(end.changed.filter((line) => !line.includes('iam-key-rotator:verified'))).toEqual([]);
  });
});

it('a pass leaves a secret alone that is scheduled for deletion', async () => {
  const end = await play({
    from: 'superseded',
    bring: (world) => world.account.operate('secretsmanager', 'DeleteSecret', { SecretId: SECRET }),
    run: (world) => world.retire(),
  });
  expect(end).toEqual({ message: undefined, changed: [], leaks: [] });
});

it.each(['holdAtMost', 'quietFor'] as const)(
  'the longest %s that is allowed means what it says: a key in use is held',
  async (field) => {
    const { keys } = readContent(JSON.stringify({ ...GOOD, keys: [{ ...GOOD.keys[0], [field]: 3650 * DAY }] }));
    const world = new Simulation({ keys });
    world.account.createUser('app');
    await world.schedule(SECRET, 90);
    const first = currentKey(world);
    await world.rotate(SECRET);
    for (let day = 0; day < 4; day += 1) {
      await world.advance(DAY);
      await world.account.clock.run(world.useKey(first));
    }
    await world.retire();
    expect(world.keys('app')[first]).toBe('Active');
  },
);

it('an announcement in the future keeps no rotation waiting: no run wrote it', async () => {
  const world = new Simulation();
  world.account.createUser('app');
  await world.schedule(SECRET, 30);
  const first = currentKey(world);
  setTag(world, 'intent/other', `token=${TOKEN} at=2099-01-01T00:00:00Z`);
  await world.advanceWithPasses(0.1);
  await world.rotate(SECRET);
  expect(world.rotationErrors()).toEqual([]);
  expect(currentKey(world)).not.toBe(first);
});

it('a pending version without a key is got rid of by the rotations that find it', async () => {
  const world = new Simulation();
  world.account.createUser('app');
  await world.schedule(SECRET, 90);
  const first = currentKey(world);
  begin(world, { Bootstrap: 'none yet' });
  await world.rotate(SECRET);
  await world.advanceWithPasses(1);
  await world.rotate(SECRET);
  expect(currentKey(world)).not.toBe(first);
});
