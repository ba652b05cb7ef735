import { afterEach, describe, expect, it } from 'vitest';
import { DAY, deployedKey, HOUR } from '../policy.ts';
import { finishAll, Simulation } from './world.ts';

afterEach(() => expect(finishAll()).toEqual([]));

/** Users app0, app1 …, each rotated twice, so that each has one superseded key whose overlap is over. */
async function dueKeys(count: number, options: ConstructorParameters<typeof Simulation>[0] = {}) {
  const names = Array.from({ length: count }, (_, index) => `app${index}`);
  const simulation = new Simulation({ keys: names.map((userName) => ({ userName })), ...options });
  for (const name of names) {
    simulation.account.createUser(name);
    await simulation.schedule(`iam/${name}`, 90);
    await simulation.rotate(`iam/${name}`);
  }
  expect(simulation.rotationErrors()).toEqual([]);
  await simulation.advance(4 * DAY);
  return simulation;
}

const statuses = (simulation: Simulation, status: string) =>
  [...simulation.account.keys.values()].filter((key) => key.status === status).length;
const changes = (simulation: Simulation) =>
  simulation.account.history.flatMap((entry) =>
    entry.kind === 'call' &&
    entry.functionName !== undefined &&
    ['UpdateAccessKey', 'DeleteAccessKey'].includes(entry.action)
      ? [entry.action]
      : [],
  );

describe('a retire pass', () => {
  it('changes at most as many keys as the limit allows, says so, and the next pass goes on', async () => {
    const simulation = await dueKeys(3, {
      keys: ['app0', 'app1', 'app2'].map((userName) => ({ userName })),
      maxChangesPerRun: 2,
    });
    await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(2);
    expect(simulation.passes[0]).toMatchObject({ changes: 2, stopped: 'change-limit' });
    await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(3);
    expect(simulation.passes[1]).toMatchObject({ changes: 1 });
    expect(simulation.passes[1]).not.toHaveProperty('stopped');
  });

  it('that reaches the limit with its last change is not stopped by it', async () => {
    const simulation = await dueKeys(2, {
      keys: ['app0', 'app1'].map((userName) => ({ userName })),
      maxChangesPerRun: 2,
    });
    await simulation.retire();
    expect(simulation.passes[0]).toEqual({ examined: 2, changes: 2, failures: [] });
  });

  it('goes on after a secret that fails, and fails at its end, naming every one of them and why', async () => {
    const simulation = await dueKeys(3);
    for (const name of ['iam/app0', 'iam/app2']) {
      simulation.account.operate('secretsmanager', 'PutSecretValue', { SecretId: name, SecretString: 'not json' });
    }
    const result = await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(1);
    expect(result).toMatchObject({ ok: false, errorType: 'RotatorError' });
    const message = 'errorMessage' in result ? result.errorMessage : '';
    expect(message).toMatch(
      /^PASS_FAILED: 2 secrets failed: \[iam\/app0\] VALUE_MALFORMED: .*\[iam\/app2\] VALUE_MALFORMED: /,
    );
  });

  it("in mode 'observe' changes nothing, and reports what it would do", async () => {
    const simulation = await dueKeys(1);
    const [policy] = simulation.deployment.keys;
    if (policy === undefined) throw new Error('no key');
    simulation.deployment = { ...simulation.deployment, keys: [{ ...policy, mode: 'observe' }] };
    const before = simulation.tags('iam/app0');
    await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(0);
    expect(simulation.tags('iam/app0')).toEqual(before);
    expect(simulation.secret('iam/app0').labels.get('AWSPENDING')).toBeDefined();
    const told = simulation.happenings.filter((happening) => 'observed' in happening && happening.observed);
    expect(told.map(({ what }) => what)).toEqual(['disabled', 'intent-resolved', 'intent-resolved', 'label-taken-off']);
    expect(simulation.passes[0]).toMatchObject({ changes: 0 });
  });

  it('reads n secrets with one call per hundred while nothing is due', async () => {
    const userNames = Array.from({ length: 101 }, (_, index) => `user${index}`);
    const simulation = new Simulation({ keys: userNames.map((userName) => ({ userName })) });
    const before = simulation.account.history.length;
    await simulation.retire();
    const calls = simulation.account.history.slice(before).filter((entry) => entry.kind === 'call');
    expect(calls.map((entry) => entry.kind === 'call' && entry.action)).toEqual(['ListSecrets', 'ListSecrets']);
    expect(simulation.passes[0]).toMatchObject({ examined: 101 });
  });

  it('does with six calls for a key that is due, and reads the secret last, directly before the change', async () => {
    const simulation = await dueKeys(1);
    await simulation.retire();
    const callsOf = async () => {
      const before = simulation.account.history.length;
      await simulation.retire();
      const calls = simulation.account.history
        .slice(before)
        .flatMap((entry) => (entry.kind === 'call' ? [entry.action] : []));
      return calls.filter((action) => action !== 'ListSecrets');
    };
    const reads = ['ListAccessKeys', 'GetAccessKeyLastUsed', 'DescribeSecret', 'GetSecretValue'];
    expect(await callsOf()).toEqual([]);
    // And a minute, by which clocks may differ.
    await simulation.advance(7 * DAY + 60);
    expect(await callsOf()).toEqual([...reads, 'DeleteAccessKey', 'UntagResource']);
    await simulation.rotate('iam/app0');
    await simulation.advance(HOUR);
    await simulation.retire();
    await simulation.advance(3 * DAY);
    expect(await callsOf()).toEqual([...reads, 'UpdateAccessKey', 'TagResource']);
  });

  it('finds a secret that the listing lacks because somebody removed its tag', async () => {
    const simulation = await dueKeys(1);
    simulation.account.operate('secretsmanager', 'UntagResource', {
      SecretId: 'iam/app0',
      TagKeys: ['iam-key-rotator:deployment'],
    });
    await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(1);
  });

  it('fails for a configured secret that does not exist', async () => {
    const simulation = await dueKeys(1);
    simulation.deployment = {
      ...simulation.deployment,
      keys: [deployedKey({ userName: 'app0', secretName: 'iam/none' })],
    };
    expect(await simulation.retire()).toMatchObject({
      ok: false,
      errorMessage: expect.stringContaining('[iam/none] AWS_CALL_FAILED'),
    });
  });

  it('leaves a secret alone that is scheduled for deletion, and one that the configuration dropped', async () => {
    const simulation = await dueKeys(2);
    simulation.account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'iam/app0' });
    simulation.deployment = { ...simulation.deployment, keys: simulation.deployment.keys.slice(0, 1) };
    expect(await simulation.retire()).toMatchObject({ ok: true });
    expect(changes(simulation)).toEqual([]);
  });

  it('goes by what it reads afresh, not by a listing that is five minutes old', async () => {
    const simulation = await dueKeys(1, { account: { listingLag: 5 * 60_000 } });
    const labels = simulation.secret('iam/app0').labels;
    const old = simulation.current('iam/app0').AccessKeyId;
    // Just now an operator rolls back: the key that the listing calls superseded is current again.
    simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: 'iam/app0',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: labels.get('AWSPREVIOUS'),
      RemoveFromVersionId: labels.get('AWSCURRENT'),
    });
    const current = String(simulation.current('iam/app0').AccessKeyId);
    expect(current).not.toBe(old);
    await simulation.retire();
    expect(simulation.keys('app0')[current]).toBe('Active');
  });

  it('retires nothing while the current key is Inactive: the old one may be the last that works', async () => {
    const simulation = await dueKeys(1);
    const current = String(simulation.current('iam/app0').AccessKeyId);
    simulation.account.setAccessKeyStatus(current, 'Inactive');
    await simulation.retire();
    expect(changes(simulation)).toEqual([]);
    expect(simulation.happenings).toContainEqual(
      expect.objectContaining({ what: 'noticed', reason: 'current-not-usable' }),
    );
  });

  it('starts anew with a disabled key that an operator has activated again', async () => {
    const simulation = await dueKeys(1);
    await simulation.retire();
    const old = [...simulation.account.keys.values()].find((key) => key.status === 'Inactive');
    simulation.account.setAccessKeyStatus(String(old?.id), 'Active');
    await simulation.advanceWithPasses(9.9);
    expect(simulation.keys('app0')[String(old?.id)]).toBe('Active');
    await simulation.advanceWithPasses(8);
    expect(simulation.keys('app0')[String(old?.id)]).toBeUndefined();
  });

  it('stops in time, before Lambda stops it, and says so', async () => {
    const simulation = await dueKeys(2);
    simulation.account.faults.add({
      match: { functionName: 'retire', action: 'DescribeSecret' },
      kind: 'late',
      ms: 880_000,
    });
    // What was asked for so long ago is not acted upon either.
    expect(await simulation.retire()).toMatchObject({ ok: false, errorMessage: expect.stringContaining('READ_STALE') });
    expect(simulation.passes[0]).toMatchObject({ examined: 1, changes: 0, stopped: 'time' });
    expect(statuses(simulation, 'Inactive')).toBe(0);
    await simulation.retire();
    expect(statuses(simulation, 'Inactive')).toBe(2);
  });
});
