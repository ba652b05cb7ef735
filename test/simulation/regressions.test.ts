/** Single crashes, races and lags that once led somewhere else. Each is told as it happens, and ends where it should. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { iamOperations } from '../../local/services/iam.ts';
import type { Operation } from '../../local/services/registry.ts';
import { secretsManagerOperations } from '../../local/services/secrets-manager.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { finishAll, Simulation, type SimulationOptions } from './world.ts';

afterEach(() => {
  vi.restoreAllMocks();
  expect(finishAll()).toEqual([]);
});

const SECRET = 'iam/app';
const TOKEN = '11111111-2222-3333-4444-555555555555';
const retried = (token: 'same' | 'new') => ({ rotationRetry: { attempts: 3, spacingMs: 20 * 60_000, token } });
const NOT_RETRIED = { rotationRetry: { attempts: 1, spacingMs: 1, token: 'new' } } as const;

/** User app, whose key is rotated every `days` days; with days of 0 nothing has been rotated yet. */
async function begun(days: number, options: SimulationOptions = {}): Promise<Simulation> {
  const simulation = new Simulation(options);
  simulation.account.createUser('app');
  if (days > 0) await simulation.schedule(SECRET, days);
  return simulation;
}

const current = (simulation: Simulation) => String(simulation.current(SECRET).AccessKeyId);
const versionOf = (simulation: Simulation, label: string) => simulation.secret(SECRET).labels.get(label);
const onlyCurrent = (simulation: Simulation) => ({ [current(simulation)]: 'Active' });
const minted = (simulation: Simulation) => simulation.account.history.filter(isMint).length;
const isMint = (entry: Simulation['account']['history'][number]) =>
  entry.kind === 'call' && entry.action === 'CreateAccessKey' && entry.functionName !== undefined;

/** Starts a rotation, or has one that was left unfinished taken up again, and lets nothing happen yet. */
function startRotation(simulation: Simulation, more: Record<string, unknown> = {}): void {
  const input = { SecretId: SECRET, RotationLambdaARN: simulation.rotateArn, ...more };
  try {
    simulation.account.operate('secretsmanager', 'RotateSecret', input);
  } catch (error) {
    if (!String(error).includes('That rotation will be reattempted')) throw error;
  }
}

/** An operator moves AWSCURRENT back. */
function rollBack(simulation: Simulation, version: string | undefined): void {
  simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', {
    SecretId: SECRET,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: version,
    RemoveFromVersionId: versionOf(simulation, 'AWSCURRENT'),
  });
}

/** A team adds a field of its own to the value, which makes a new version. */
function edit(simulation: Simulation): void {
  const SecretString = JSON.stringify({ ...simulation.current(SECRET), Endpoint: 'https://example.test' });
  simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
}

function takePendingOff(simulation: Simulation): void {
  const RemoveFromVersionId = versionOf(simulation, 'AWSPENDING');
  const input = { SecretId: SECRET, VersionStage: 'AWSPENDING', RemoveFromVersionId };
  simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', input);
}

/** The next rotation succeeds, and in time its key is the only one. */
async function expectToGoOn(simulation: Simulation): Promise<void> {
  const before = simulation.current(SECRET).AccessKeyId;
  await simulation.rotate(SECRET);
  expect(simulation.current(SECRET).AccessKeyId).not.toBe(before);
  await simulation.advanceWithPasses(11, 6);
  expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
}

describe('a finishSecret that dies once the label has moved', () => {
  const labelMoved = { match: { action: 'UpdateSecretVersionStage', functionName: 'rotate' }, kind: 'crash-after' };

  it.each(['same', 'new'] as const)(
    'leaves an adopted key to be retired all the same, with the %s token',
    async (token) => {
      const simulation = await begun(0, { account: retried(token) });
      const adopted = simulation.account.createAccessKey('app').accessKeyId;
      simulation.adopt('app', adopted);
      simulation.account.faults.add({ ...labelMoved, kind: 'crash-after' });
      await simulation.schedule(SECRET, 30);
      await simulation.advanceWithPasses(12, 6);
      expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
      expect(simulation.keys('app')).not.toHaveProperty(adopted);
      await expectToGoOn(simulation);
    },
  );

  it('still has the user pinned: one made again under the same name is noticed', async () => {
    const simulation = await begun(0);
    simulation.account.faults.add({ ...labelMoved, kind: 'crash-after' });
    await simulation.schedule(SECRET, 30);
    await simulation.advanceWithPasses(1);
    const first = current(simulation);
    simulation.account.deleteUser('app');
    simulation.account.createUser('app');
    await simulation.advanceWithPasses(31, 6);
    expect(simulation.rotationErrors().at(-1)).toContain('USER_RECREATED');
    expect(simulation.keys('app')).toEqual({});
    expect(current(simulation)).toBe(first);
  });

  it('is not repeated over the head of an operator who has rolled back since', async () => {
    const simulation = await begun(90);
    const first = current(simulation);
    const version = versionOf(simulation, 'AWSCURRENT');
    simulation.account.faults.add({ ...labelMoved, kind: 'crash-after' });
    startRotation(simulation);
    await simulation.advance(5 * MINUTE);
    expect(current(simulation)).not.toBe(first);
    rollBack(simulation, version);
    await simulation.advanceWithPasses(1);
    expect(current(simulation)).toBe(first);
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).toEqual({ [first]: 'Active' });
    await expectToGoOn(simulation);
  });

  it('or right before it ends, has its rotation succeed even if a pass took AWSPENDING off meanwhile', async () => {
    const simulation = await begun(30, { account: retried('same') });
    const first = current(simulation);
    await simulation.advanceWithPasses(0.5);
    simulation.account.faults.add({
      match: { action: 'TagResource', functionName: 'rotate', nth: 4 },
      kind: 'crash-after',
    });
    await simulation.rotate(SECRET);
    expect(simulation.tags(SECRET)[`iam-key-rotator:key/${current(simulation)}`]).toContain('promoted=');
    await simulation.retire();
    expect(versionOf(simulation, 'AWSPENDING')).toBeUndefined();
    await simulation.advance(2 * HOUR);
    expect(simulation.rotationErrors()).toEqual([expect.stringContaining('Runtime exited')]);
    expect(current(simulation)).not.toBe(first);
    await simulation.advanceWithPasses(11, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });
});

describe('a user made again under the same name', () => {
  it('is rotated again once somebody has done what the refusal says', async () => {
    const simulation = await begun(30);
    simulation.account.deleteUser('app');
    const { id } = simulation.account.createUser('app');
    await simulation.rotate(SECRET);
    const message = String(simulation.rotationErrors().at(-1));
    const [, tag = '', value = ''] = /set the tag (\S+) of the secret to (\S+) /.exec(message) ?? [];
    expect([tag, value]).toEqual(['iam-key-rotator:user-id', id]);
    const Tags = [{ Key: tag, Value: value }];
    simulation.account.operate('secretsmanager', 'TagResource', { SecretId: SECRET, Tags });
    await simulation.advance(2 * HOUR);
    expect(simulation.rotationErrors().at(-1)).toBe(message);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });
});

describe('the key that was in a secret before its first rotation', () => {
  it('is known even if the first createSecret dies once it has stored the new one', async () => {
    const simulation = await begun(0, { account: retried('same') });
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = simulation.account.createAccessKey('app');
    const SecretString = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, UserName: 'app' });
    simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
    simulation.account.faults.add({ match: { action: 'PutSecretValue', functionName: 'rotate' }, kind: 'crash-after' });
    await simulation.schedule(SECRET, 30);
    await simulation.advanceWithPasses(11, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    expect(simulation.keys('app')).not.toHaveProperty(AccessKeyId);
  });
});

describe('an adopted key', () => {
  it('is retired although the pinned id was removed and the value edited since', async () => {
    const simulation = await begun(0);
    const adopted = simulation.account.createAccessKey('app').accessKeyId;
    simulation.adopt('app', adopted);
    await simulation.schedule(SECRET, 30);
    const TagKeys = ['iam-key-rotator:user-id'];
    simulation.account.operate('secretsmanager', 'UntagResource', { SecretId: SECRET, TagKeys });
    edit(simulation);
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });
});

describe('a version that was promoted', () => {
  it('is not promoted again by a retry after the value was edited twice', async () => {
    const simulation = await begun(30, { account: retried('same') });
    edit(simulation);
    const SecretString = JSON.stringify({ ...simulation.current(SECRET), Note: 'second edit' });
    simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString });
    startRotation(simulation);
    await simulation.advance(10 * MINUTE);
    await simulation.retire();
    await simulation.advance(2 * HOUR);
    expect(simulation.current(SECRET)).toMatchObject({ Note: 'second edit' });
    await expectToGoOn(simulation);
    expect(simulation.current(SECRET)).toMatchObject({ Note: 'second edit' });
  });
});

describe('a key that was rolled back to', () => {
  it('has its whole overlap when it is left again, though somebody has taken the pin of the user off', async () => {
    const simulation = await begun(30);
    const first = current(simulation);
    await simulation.advanceWithPasses(1);
    await simulation.rotate(SECRET);
    const TagKeys = ['iam-key-rotator:user-id'];
    simulation.account.operate('secretsmanager', 'UntagResource', { SecretId: SECRET, TagKeys });
    rollBack(simulation, versionOf(simulation, 'AWSPREVIOUS'));
    await simulation.advanceWithPasses(2);
    rollBack(simulation, versionOf(simulation, 'AWSPREVIOUS'));
    await simulation.advanceWithPasses(2);
    expect(simulation.keys('app')[first]).toBe('Active');
  });
});

describe('a key that was stored by a run which died', () => {
  it('stays known though it was disabled, its label taken off, and another one minted', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    simulation.account.faults.add({
      match: { action: 'PutSecretValue', functionName: 'rotate' },
      kind: 'crash-after',
    });
    await simulation.schedule(SECRET, 30);
    const [first = ''] = Object.keys(simulation.keys('app'));
    simulation.account.setAccessKeyStatus(first, 'Inactive');
    takePendingOff(simulation);
    await simulation.rotate(SECRET);
    expect(current(simulation)).not.toBe(first);
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });
});

describe('an adopted key, while somebody moves labels by hand', () => {
  it('is retired once the key that was minted beside it is made current, though no rotation promoted it', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    const adopted = simulation.account.createAccessKey('app').accessKeyId;
    simulation.adopt('app', adopted);
    simulation.account.faults.add({ match: { service: 'sts' }, kind: 'network', times: 200 });
    await simulation.schedule(SECRET, 30);
    simulation.account.faults.clear();
    rollBack(simulation, versionOf(simulation, 'AWSPENDING'));
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    expect(simulation.keys('app')).not.toHaveProperty(adopted);
  });
});

describe('a finishSecret that is overtaken', () => {
  it('does not move AWSCURRENT away from a version that somebody has put there since it looked', async () => {
    const simulation = await begun(30, { account: NOT_RETRIED });
    await simulation.advanceWithPasses(0.5);
    // The second DescribeSecret of a rotation is finishSecret's.
    simulation.account.faults.add({
      match: { action: 'DescribeSecret', functionName: 'rotate', nth: 2 },
      kind: 'late',
      ms: 4000,
    });
    simulation.account.onCall(({ fault }) => {
      if (fault === 'late') simulation.account.clock.setTimeout(() => edit(simulation), 2000);
    });
    startRotation(simulation);
    await simulation.advance(5 * MINUTE);
    expect(simulation.rotationErrors()).toEqual([expect.stringContaining('UpdateSecretVersionStage failed')]);
    expect(simulation.current(SECRET)).toHaveProperty('Endpoint');
    await expectToGoOn(simulation);
  });
});

describe('a key that was current once', () => {
  it('has its whole overlap anew when the key that superseded it is promoted a second time', async () => {
    const simulation = await begun(30);
    const first = current(simulation);
    await simulation.advanceWithPasses(1);
    await simulation.rotate(SECRET);
    const old = simulation.account.valueOf(SECRET, 'AWSPREVIOUS');
    const put = (SecretString: string | undefined, more = {}) =>
      simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString, ...more });
    await simulation.advanceWithPasses(2);
    put(simulation.account.valueOf(SECRET), { VersionStages: ['AWSPENDING'] });
    put(JSON.stringify({ ...JSON.parse(old ?? '{}'), Note: 'back again' }));
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(2.5);
    expect(simulation.keys('app')[first]).toBe('Active');
  });

  it('is not taken up again after its version lost its labels to an edit', async () => {
    const simulation = await begun(30);
    const first = current(simulation);
    await simulation.advanceWithPasses(1);
    await simulation.rotate(SECRET);
    const second = current(simulation);
    edit(simulation);
    await simulation.advanceWithPasses(0.5);
    await simulation.rotate(SECRET);
    expect(current(simulation)).toBe(second);
    expect(simulation.rotationErrors().at(-1)).toContain('SLOT_NOT_FREE_YET');
    expect(simulation.what()).not.toContain('taken-up');
    await simulation.advanceWithPasses(11, 6);
    expect(simulation.keys('app')).not.toHaveProperty(first);
    await expectToGoOn(simulation);
  });

  it('is not taken up again after an operator has rolled back from it', async () => {
    const simulation = await begun(30);
    const first = current(simulation);
    const version = versionOf(simulation, 'AWSCURRENT');
    await simulation.advanceWithPasses(1);
    await simulation.rotate(SECRET);
    const second = current(simulation);
    await simulation.advanceWithPasses(0.1);
    rollBack(simulation, version);
    await simulation.advanceWithPasses(0.2);
    edit(simulation);
    await simulation.advanceWithPasses(0.2);
    await simulation.rotate(SECRET);
    expect(current(simulation)).toBe(first);
    expect(simulation.what()).not.toContain('taken-up');
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).not.toHaveProperty(second);
    await expectToGoOn(simulation);
  });

  it('has its whole recovery time anew after somebody activated and used it between two passes', async () => {
    const simulation = await begun(90);
    const first = current(simulation);
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(4);
    expect(simulation.keys('app')[first]).toBe('Inactive');
    simulation.account.setAccessKeyStatus(first, 'Active');
    await simulation.account.clock.run(simulation.useKey(first));
    await simulation.advance(5 * DAY);
    simulation.account.setAccessKeyStatus(first, 'Inactive');
    await simulation.advanceWithPasses(6.9);
    expect(simulation.keys('app')[first]).toBe('Inactive');
    await simulation.advanceWithPasses(1.5);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });

  it('is not deleted to free a slot while the current one is Inactive', async () => {
    const simulation = await begun(90);
    const first = current(simulation);
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(3.1);
    simulation.account.setAccessKeyStatus(current(simulation), 'Inactive');
    await simulation.advanceWithPasses(8);
    await simulation.rotate(SECRET);
    expect(simulation.keys('app')).toEqual({ [first]: 'Inactive', [current(simulation)]: 'Inactive' });
    expect(simulation.rotationErrors().at(-1)).toContain('SLOT_NOT_FREE_YET');
    simulation.account.setAccessKeyStatus(current(simulation), 'Active');
    await expectToGoOn(simulation);
  });
});

describe('a key made by hand', () => {
  const mint = { action: 'CreateAccessKey', functionName: 'rotate' };

  it('minutes after a mint that came to nothing is a stranger, though its use may not show yet', async () => {
    const simulation = await begun(30, { account: { lastUsedLag: 4 * HOUR * 1000 } });
    simulation.account.faults.add({ match: mint, kind: 'network' });
    startRotation(simulation);
    await simulation.advance(90);
    const byHand = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.advance(10);
    await simulation.account.clock.run(simulation.useKey(byHand));
    await simulation.advanceWithPasses(0.5);
    expect(simulation.keys('app')).toEqual({ [current(simulation)]: 'Active', [byHand]: 'Active' });
  });

  it('of a user made again in the minute of a mint that died is a stranger: nothing shows that the user is the same', async () => {
    const simulation = await begun(90, { account: NOT_RETRIED });
    await simulation.advanceWithPasses(0.5);
    simulation.account.faults.add({
      match: { action: 'CreateAccessKey', functionName: 'rotate' },
      kind: 'crash-after',
    });
    startRotation(simulation);
    await simulation.advance(10);
    simulation.account.deleteUser('app');
    simulation.account.createUser('app');
    const { accessKeyId } = simulation.account.createAccessKey('app');
    await simulation.advanceWithPasses(1);
    expect(simulation.keys('app')).toEqual({ [accessKeyId]: 'Active' });
  });

  it('beside one that was minted, stored and not recorded is a stranger: the stored one explains the announcement', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    simulation.account.faults.add({
      match: { action: 'TagResource', functionName: 'rotate', nth: 2 },
      kind: 'crash-before',
    });
    startRotation(simulation, { RotationRules: { AutomaticallyAfterDays: 30 } });
    await simulation.advance(30);
    const byHand = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.advance(10 * MINUTE);
    await simulation.retire();
    expect(simulation.keys('app')).toHaveProperty(byHand, 'Active');
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(1);
    expect(simulation.keys('app')).toEqual({ [current(simulation)]: 'Active', [byHand]: 'Active' });
    expect(current(simulation)).not.toBe(byHand);
    expect(minted(simulation)).toBe(1);
  });

  it('beside an orphan that only its date tells apart keeps both from being touched, until somebody says which it is', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    simulation.account.faults.add({ match: mint, kind: 'crash-after' });
    startRotation(simulation, { RotationRules: { AutomaticallyAfterDays: 30 } });
    await simulation.advance(30);
    const [orphan] = Object.keys(simulation.keys('app'));
    const byHand = simulation.account.createAccessKey('app').accessKeyId;
    await simulation.advance(10 * MINUTE);
    await simulation.retire();
    expect(simulation.keys('app')).toEqual({ [String(orphan)]: 'Active', [byHand]: 'Active' });
    await simulation.rotate(SECRET);
    expect(simulation.rotationErrors().at(-1)).toContain('STRANGERS_HOLD_SLOTS');
    simulation.account.deleteAccessKey(String(orphan));
    await simulation.rotate(SECRET);
    expect(simulation.keys('app')).toEqual({ [current(simulation)]: 'Active', [byHand]: 'Active' });
  });
});

describe('while a retire pass is under way', () => {
  it.each(['ListAccessKeys', 'GetAccessKeyLastUsed'])(
    'a rollback to the key that it means to disable is seen, even while %s takes long',
    async (action) => {
      const simulation = await begun(90);
      const first = current(simulation);
      const version = versionOf(simulation, 'AWSCURRENT');
      await simulation.rotate(SECRET);
      await simulation.advance(4 * DAY);
      simulation.account.faults.add({ match: { functionName: 'retire', action }, kind: 'late', ms: 15_000 });
      simulation.account.clock.setTimeout(() => rollBack(simulation, version), 8000);
      await simulation.retire();
      expect(simulation.keys('app')[first]).toBe('Active');
      expect(current(simulation)).toBe(first);
    },
  );

  it('the announcement of a rotation is not taken for the settled one before it, and its orphan is cleared', async () => {
    const simulation = await begun(30, { account: NOT_RETRIED });
    const mint = { action: 'CreateAccessKey', functionName: 'rotate' };
    simulation.account.faults.add({ match: mint, kind: 'network' });
    await simulation.rotate(SECRET);
    simulation.account.faults.add({
      match: { action: 'ListAccessKeys', functionName: 'retire' },
      kind: 'late',
      ms: 5000,
    });
    simulation.account.faults.add({ match: mint, kind: 'crash-after' });
    simulation.account.clock.setTimeout(() => startRotation(simulation), 2000);
    await simulation.retire();
    await simulation.advance(1);
    expect(Object.keys(simulation.keys('app'))).toHaveLength(2);
    await simulation.advanceWithPasses(1);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    await expectToGoOn(simulation);
  });

  it('a promotion between two of its reads is not recorded under the version left', async () => {
    const simulation = await begun(90);
    const first = current(simulation);
    const version = versionOf(simulation, 'AWSCURRENT');
    await simulation.advanceWithPasses(0.5);
    // Without the tag the listing lacks the secret, so that every pass looks closely.
    const TagKeys = ['iam-key-rotator:deployment'];
    simulation.account.operate('secretsmanager', 'UntagResource', { SecretId: SECRET, TagKeys });
    startRotation(simulation);
    simulation.account.faults.add({
      match: { action: 'DescribeSecret', functionName: 'retire' },
      kind: 'late',
      ms: 30_000,
    });
    await simulation.advance(9);
    expect(current(simulation)).toBe(first);
    await simulation.retire();
    const second = current(simulation);
    expect(second).not.toBe(first);
    expect(simulation.tags(SECRET)[`iam-key-rotator:key/${second}`]).toContain(
      `version=${versionOf(simulation, 'AWSCURRENT')}`,
    );
    rollBack(simulation, version);
    await simulation.advanceWithPasses(12, 6);
    expect(simulation.keys('app')).toEqual({ [first]: 'Active' });
  });

  it('a change that AWS refuses costs no other key its turn', async () => {
    const names = ['app', 'app1', 'app2'];
    const simulation = new Simulation({ keys: names.map((userName) => ({ userName })), maxChangesPerRun: 1 });
    for (const name of names) {
      simulation.account.createUser(name);
      await simulation.schedule(`iam/${name}`, 90);
      await simulation.rotate(`iam/${name}`);
    }
    const heal = simulation.account.faults.add({
      match: { functionName: 'retire', action: 'UpdateAccessKey', userName: 'app' },
      kind: 'refuse',
      error: { code: 'AccessDenied', status: 403 },
      times: Number.POSITIVE_INFINITY,
    });
    await simulation.advanceWithPasses(12, 6);
    expect(names.map((name) => Object.keys(simulation.keys(name)).length)).toEqual([2, 1, 1]);
    expect(simulation.passes.at(-1)).toMatchObject({ examined: 3, changes: 0, failures: [{ secret: SECRET }] });
    heal();
    await simulation.advanceWithPasses(8, 6);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });
});

describe('an announcement', () => {
  it('is not settled by the key that another run of the same token has stored', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    const late = (action: string, nth: number, ms: number) =>
      simulation.account.faults.add({ match: { action, functionName: 'rotate', nth }, kind: 'late', ms });
    // Both look before either announces; the second stores its key, and only then the first announces and mints one, and dies.
    late('ListAccessKeys', 1, 2000);
    late('ListAccessKeys', 2, 600);
    simulation.account.faults.add({
      match: { action: 'CreateAccessKey', functionName: 'rotate', nth: 2 },
      kind: 'crash-after',
    });
    startRotation(simulation, { RotationRules: { AutomaticallyAfterDays: 30 }, ClientRequestToken: TOKEN });
    simulation.account.clock.setTimeout(() => void simulation.account.functions.invoke('rotate', again), 500);
    const again = { Step: 'createSecret', SecretId: simulation.secret(SECRET).arn, ClientRequestToken: TOKEN };
    await simulation.advance(15 * MINUTE);
    expect(minted(simulation)).toBe(2);
    await simulation.retire();
    const stored: unknown = JSON.parse(simulation.account.valueOf(SECRET, 'AWSPENDING') ?? '{}');
    expect(Object.keys(simulation.keys('app'))).toEqual([Reflect.get(Object(stored), 'AccessKeyId')]);
    await simulation.rotate(SECRET);
    await simulation.advanceWithPasses(1);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    await expectToGoOn(simulation);
  });

  it('of two runs at once has both stand back while there is room for two keys, and neither is lost', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    simulation.account.functions.deliveries = 2;
    await simulation.schedule(SECRET, 30);
    expect(minted(simulation)).toBe(0);
    expect(simulation.rotationErrors()).toEqual([expect.stringContaining('MINT_UNSETTLED')]);
    expect(Object.keys(simulation.tags(SECRET)).filter((tag) => tag.includes('intent'))).toEqual([]);
    simulation.account.functions.deliveries = 1;
    await simulation.rotate(SECRET);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
  });

  it('is not settled by a key that is taken up and comes of an earlier one', async () => {
    const simulation = await begun(0, { account: NOT_RETRIED });
    simulation.account.faults.add({ match: { service: 'sts' }, kind: 'network', times: 200 });
    await simulation.schedule(SECRET, 30);
    simulation.account.faults.clear();
    const first = String(Object.keys(simulation.keys('app'))[0]);
    simulation.account.setAccessKeyStatus(first, 'Inactive');
    takePendingOff(simulation);
    simulation.account.faults.add({
      match: { action: 'CreateAccessKey', functionName: 'rotate' },
      kind: 'crash-after',
    });
    await simulation.rotate(SECRET);
    expect(minted(simulation)).toBe(2);
    simulation.account.setAccessKeyStatus(first, 'Active');
    takePendingOff(simulation);
    await simulation.rotate(SECRET);
    expect(simulation.what()).toContain('taken-up');
    expect(current(simulation)).toBe(first);
    await simulation.advanceWithPasses(1);
    expect(simulation.keys('app')).toEqual({ [first]: 'Active' });
    await expectToGoOn(simulation);
  });
});

describe('a rotation succeeds at its first attempt', () => {
  const LAG = 5000;

  /** Replaces an operation of the simulated account until the test is over. */
  function replace(
    operations: Readonly<Record<string, Operation>>,
    name: string,
    by: (real: Operation) => Operation,
  ): void {
    const real = operations[name];
    if (real === undefined) throw new Error(`no operation ${name}`);
    vi.spyOn(operations, name).mockImplementation(by(real));
  }

  it('although IAM lists a new key only after some seconds', async () => {
    replace(iamOperations, 'ListAccessKeys', (real) => (account, input, principal) => {
      const output = real(account, input, principal);
      const listed = Array.isArray(output.AccessKeyMetadata) ? output.AccessKeyMetadata : [];
      const visible = ({ AccessKeyId }: { AccessKeyId: string }) =>
        account.clock.nowMs - (account.keys.get(AccessKeyId)?.createdAt ?? 0) >= LAG;
      return { ...output, AccessKeyMetadata: listed.filter(visible) };
    });
    const simulation = await begun(30);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    await simulation.advanceWithPasses(1);
    await expectToGoOn(simulation);
    expect(simulation.rotationErrors()).toEqual([]);
  });

  it('although the tags of a step show only after some seconds', async () => {
    const simulation = await begun(0);
    const written: { at: number; tags: object[] }[] = [];
    simulation.account.onChange(({ change }) => {
      if (change.what !== 'tag-set' && change.what !== 'tag-removed') return;
      const tags = [...simulation.secret(SECRET).tags].map(([Key, Value]) => ({ Key, Value }));
      written.push({ at: simulation.account.clock.nowMs, tags });
    });
    replace(secretsManagerOperations, 'DescribeSecret', (real) => (account, input, principal) => {
      const output = real(account, input, principal);
      const shown = written.findLast(({ at }) => at <= account.clock.nowMs - LAG);
      return { ...output, ...(shown && { Tags: shown.tags }) };
    });
    await simulation.schedule(SECRET, 30);
    expect(simulation.rotationErrors()).toEqual([]);
    expect(simulation.keys('app')).toEqual(onlyCurrent(simulation));
    await simulation.advanceWithPasses(1);
    await expectToGoOn(simulation);
    expect(simulation.rotationErrors()).toEqual([]);
  });
});
