/** What follows a leak, in the simulated account; every single fault of it: `npm run faults -- --scenario leak`. */
import { afterAll, describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { Outcome } from '../../lambdas/respond/world.ts';
import { DAY, HOUR, MINUTE } from '../policy.ts';
import { exposed, finishAll, leakReported, quarantined, Simulation, type SimulationOptions } from './world.ts';

afterAll(() => expect(finishAll()).toEqual([]));

const SECRET = 'iam/app';

/** User app has a current key of the rotator. A new key takes ten seconds until it works. */
async function rotated(policy: Partial<DeployedKey> = {}, more: SimulationOptions = {}): Promise<Simulation> {
  const simulation = new Simulation({
    keys: [{ userName: 'app', ...policy }],
    ...more,
    account: { activationDelay: 10_000, ...more.account },
  });
  for (const { userName, secretName } of simulation.deployment.keys) {
    simulation.account.createUser(userName);
    await simulation.schedule(secretName, 90);
  }
  await simulation.advanceWithPasses(0.1, 1.2);
  return simulation;
}

const current = (simulation: Simulation) => String(simulation.currentKey(SECRET));
const status = (simulation: Simulation, keyId: string) => simulation.account.keys.get(keyId)?.status ?? 'gone';

/** Seconds until a function has disabled the key, from now on. */
function endOf(simulation: Simulation, keyId: string): () => number | undefined {
  const began = simulation.now.getTime();
  let ended: number | undefined;
  simulation.account.onChange(({ change }) => {
    if (change.what === 'key-status' && change.keyId === keyId)
      ended = change.status === 'Inactive' ? (simulation.now.getTime() - began) / 1000 : undefined;
  });
  return () => ended;
}

/** Invokes the function as the CLI does, and gives what it answers. */
async function revoke(simulation: Simulation, keyId: string): Promise<readonly Outcome[]> {
  const answer = await simulation.invoke('respond', leakReported(keyId));
  if (!answer.ok) throw new Error(answer.errorMessage);
  return answer.result as readonly Outcome[];
}

/** What has changed since: calls of functions that change anything. */
function changesSince(simulation: Simulation, seq: number): string[] {
  const changing = /^(?:Create|Update|Delete|Put|Tag|Untag|Rotate)/;
  return simulation.account.history
    .slice(seq)
    .flatMap((entry) =>
      entry.kind === 'call' && entry.functionName !== undefined && changing.test(entry.action) ? [entry.action] : [],
    );
}

describe('from the event to Inactive', () => {
  it.each<[string, Partial<DeployedKey>, number]>([
    ['while applications switch', {}, 60],
    ['at once, where the policy says so', { onLeak: 'disable-first' }, 1],
  ])('a leaked current key takes fewer than 60 seconds: %s', async (_, policy, limit) => {
    const simulation = await rotated(policy);
    const leaked = current(simulation);
    const seconds = endOf(simulation, leaked);
    simulation.reportLeak(leaked);
    await simulation.advance(MINUTE);
    expect(seconds()).toBeLessThan(limit);
    expect(current(simulation)).not.toBe(leaked);
    expect(status(simulation, current(simulation))).toBe('Active');
    expect(simulation.happenings.at(-1)).toMatchObject({ what: 'leak-contained', keyId: leaked, how: 'disabled' });
  });

  it('it takes no longer where another key holds the slot, which makes way', async () => {
    // Disabled and deleted, it is one key that is changed.
    const simulation = await rotated({}, { maxChangesPerRun: 1 });
    const retiring = current(simulation);
    await simulation.rotate(SECRET);
    const leaked = current(simulation);
    const seconds = endOf(simulation, leaked);
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'contained', secret: SECRET, user: 'app' }]);
    expect(seconds()).toBeLessThan(60);
    expect(status(simulation, retiring)).toBe('gone');
    expect(simulation.happenings).toContainEqual(expect.objectContaining({ keyId: retiring, reason: 'slot-for-leak' }));
  });

  it('a leaked retiring key takes a second, and nothing is rotated', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    await simulation.rotate(SECRET);
    const now = current(simulation);
    const seconds = endOf(simulation, leaked);
    expect(await revoke(simulation, leaked)).toMatchObject([{ keyId: leaked, outcome: 'contained' }]);
    expect([seconds(), current(simulation)]).toEqual([0, now]);
  });

  it('a leaked adopted key takes no longer, be it retiring or not', async () => {
    const simulation = await rotated();
    const adopted = simulation.account.createAccessKey('app').accessKeyId;
    simulation.adopt('app', adopted);
    const now = current(simulation);
    expect(await revoke(simulation, adopted)).toMatchObject([{ keyId: adopted, outcome: 'contained' }]);
    expect([status(simulation, adopted), current(simulation)]).toEqual(['Inactive', now]);
  });
});

describe('a repeated or late event', () => {
  it('changes nothing more', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.reportLeak(leaked);
    await simulation.advance(20 * MINUTE);
    const now = current(simulation);
    const seq = simulation.account.history.length;
    // CloudTrail tells of the quarantine when the successor is there already.
    const before = new Date(simulation.now.getTime() - 20 * MINUTE * 1000);
    for (const event of [leakReported(leaked), exposed(leaked), quarantined('app', before)])
      expect(await simulation.invoke('respond', event)).toMatchObject({ ok: true });
    expect(changesSince(simulation, seq)).toEqual([]);
    await simulation.advanceWithPasses(9, 12);
    expect(simulation.keys('app')).toEqual({ [now]: 'Active' });
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'reported' }]);
  });

  it('at the same time as another one starts no second rotation', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.account.functions.deliveries = 2;
    void simulation.account.functions.invoke('respond', exposed(leaked), { type: 'Event' });
    await simulation.advance(20 * MINUTE);
    expect(simulation.happenings.filter(({ what }) => what === 'minted').length).toBe(2);
    expect(status(simulation, leaked)).toBe('Inactive');
  });

  it.each<[string, Partial<DeployedKey>]>([
    ['', {}],
    [", under 'disable-first'", { onLeak: 'disable-first' }],
  ])('of a quarantine in the middle of a rotation ends both keys in two minutes%s', async (_, policy) => {
    const simulation = await rotated(policy);
    const leaked = current(simulation);
    simulation.account.operate('secretsmanager', 'RotateSecret', { SecretId: SECRET });
    await simulation.advance(5);
    const pending = Object.keys(simulation.keys('app')).find((keyId) => keyId !== leaked) ?? '';
    simulation.reportQuarantine('app');
    await simulation.advance(59);
    // A finishSecret that has not seen the mark may still move AWSCURRENT to it.
    expect(status(simulation, pending)).toBe('Active');
    await simulation.advance(MINUTE);
    expect([leaked, pending]).not.toContain(current(simulation));
    expect(status(simulation, current(simulation))).toBe('Active');
    expect(status(simulation, leaked)).toBe('Inactive');
    expect(status(simulation, pending)).toBe('gone');
  });

  it('in the middle of a rotation, which is taken up', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.account.operate('secretsmanager', 'RotateSecret', { SecretId: SECRET });
    await simulation.advance(5);
    const seconds = endOf(simulation, leaked);
    simulation.reportLeak(leaked);
    await simulation.advance(20 * MINUTE);
    expect(seconds()).toBeLessThan(60);
    expect(simulation.happenings.filter(({ what }) => what === 'minted').length).toBe(2);
  });
});

describe('one event', () => {
  it('may name keys of several users, and one that is nobody’s', async () => {
    const simulation = await rotated({}, { keys: [{ userName: 'app' }, { userName: 'ops' }] });
    const leaked = ['iam/app', 'iam/ops'].map((secret) => String(simulation.currentKey(secret)));
    void simulation.account.functions.invoke('respond', exposed(...leaked, 'AKIANOBODYNOBODY2345'), { type: 'Event' });
    await simulation.advance(MINUTE);
    for (const keyId of leaked) expect(status(simulation, keyId)).toBe('Inactive');
    expect(simulation.happenings).toContainEqual(
      expect.objectContaining({ what: 'leak-reported', keyId: 'AKIANOBODYNOBODY2345', role: 'unmanaged' }),
    );
  });

  it('ends the keys that it can tell of, though IAM does not answer for a user: only a key that may be that one’s is told as open', async () => {
    const simulation = await rotated({}, { keys: [{ userName: 'moved' }, { userName: 'app' }] });
    const leaked = current(simulation);
    simulation.account.faults.add({
      match: { functionName: 'respond', action: 'ListAccessKeys', userName: 'moved' },
      kind: 'refuse',
      error: { code: 'AccessDenied' },
      times: 99,
    });
    // Not in the listing yet, as a young key.
    simulation.account.operate('secretsmanager', 'UntagResource', {
      SecretId: SECRET,
      TagKeys: [`iam-key-rotator:key/${leaked}`],
    });
    const answer = await simulation.invoke('respond', exposed('AKIANOBODYNOBODY2345', leaked));
    expect(answer).toMatchObject({ ok: false, errorMessage: expect.stringContaining('[AKIANOBODYNOBODY2345]') });
    expect(status(simulation, leaked)).toBe('Inactive');
    const open = simulation.happenings.filter(({ what }) => what === 'leak-not-contained');
    expect(open).toMatchObject([{ keyId: 'AKIANOBODYNOBODY2345' }]);
  });

  it('of a quarantine means each key of ours that worked then, and leaves the policy and strangers alone', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    const stranger = simulation.account.createAccessKey('app', { force: true }).accessKeyId;
    simulation.account.deleteAccessKey(stranger);
    simulation.reportQuarantine('app');
    await simulation.advance(20 * MINUTE);
    expect(status(simulation, leaked)).toBe('Inactive');
    simulation.reportQuarantine('somebody-else');
    await simulation.advance(MINUTE);
    expect(simulation.happenings.at(-1)).toMatchObject({ role: 'unmanaged', userName: 'somebody-else' });
  });
});

describe('a leak that can not be contained yet', () => {
  it('is told, with what to do, where rotation is off; when that is turned on, a pass ends the key', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.account.operate('secretsmanager', 'CancelRotateSecret', { SecretId: SECRET });
    await expect(revoke(simulation, leaked)).rejects.toThrow(/LEAK_NOT_CONTAINED.*rotation of iam\/app is off/);
    expect(simulation.happenings.at(-1)).toMatchObject({ what: 'leak-not-contained', keyId: leaked });
    expect([current(simulation), status(simulation, leaked)]).toEqual([leaked, 'Active']);
    await simulation.retire();
    expect(simulation.happenings.at(-1)).toMatchObject({ what: 'noticed', keyId: leaked, reason: 'current-leaked' });
    await simulation.rotate(SECRET);
    expect(status(simulation, leaked)).toBe('Inactive');
  });

  it('keeps no other one of the same event waiting, past the limit of changes', async () => {
    const users = ['one', 'two', 'app'];
    const simulation = await rotated({}, { keys: users.map((userName) => ({ userName })), maxChangesPerRun: 1 });
    const [one, two, app] = users.map((userName) => String(simulation.currentKey(`iam/${userName}`)));
    for (const userName of ['one', 'two']) await simulation.rotate(`iam/${userName}`);
    const answer = await simulation.invoke('respond', exposed(String(one), String(two), String(app)));
    expect(answer).toMatchObject({ ok: false });
    const ended = simulation.happenings.flatMap((told) =>
      told.what.startsWith('leak-') && 'keyId' in told ? [[told.keyId, told.what]] : [],
    );
    expect(Object.fromEntries(ended)).toEqual({
      [String(one)]: 'leak-contained',
      [String(two)]: 'leak-not-contained',
      [String(app)]: 'leak-contained',
    });
  });

  it('is looked at again though AWSCURRENT does not move: a pending key that no run could record yet', async () => {
    const simulation = await rotated();
    simulation.account.faults.add({
      match: { functionName: 'rotate', action: 'PutSecretValue' },
      kind: 'late',
      ms: 8000,
    });
    let pending = '';
    simulation.account.onChange(({ change }) => {
      if (change.what !== 'version-filled') return;
      pending = Object.keys(simulation.keys('app')).find((keyId) => keyId !== current(simulation)) ?? '';
      simulation.reportLeak(pending);
    });
    simulation.account.operate('secretsmanager', 'RotateSecret', { SecretId: SECRET });
    await simulation.advance(3 * MINUTE);
    expect(status(simulation, pending)).toBe('Inactive');
    expect(simulation.what()).not.toContain('leak-not-contained');
  });

  it('is told where strangers hold the slots, which stay as they are', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    const stranger = simulation.account.createAccessKey('app').accessKeyId;
    await expect(revoke(simulation, leaked)).rejects.toThrow(/LEAK_NOT_CONTAINED.*no other key has become current/);
    expect(simulation.keys('app')).toEqual({ [leaked]: 'Active', [stranger]: 'Active' });
    expect(simulation.rotationErrors().at(-1)).toContain('STRANGERS_HOLD_SLOTS');
    expect(await revoke(simulation, stranger)).toMatchObject([
      { outcome: 'reported', remedy: expect.stringContaining(`--access-key-id ${stranger}`) },
    ]);
    expect(status(simulation, stranger)).toBe('Active');
  });

  it('is seen through by a pass where the function died for good', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    const { faults } = simulation.account;
    faults.add({ match: { functionName: 'respond', action: 'RotateSecret' }, kind: 'crash-after', times: 3 });
    // The rotation dies too, once it has moved the label.
    faults.add({ match: { functionName: 'rotate', action: 'UpdateSecretVersionStage' }, kind: 'crash-after' });
    simulation.reportLeak(leaked);
    await simulation.advance(30);
    expect(status(simulation, leaked)).toBe('Active');
    await simulation.retire();
    expect(status(simulation, leaked)).toBe('Inactive');
  });

  it('changes nothing in observe mode, and says what would be done', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.deploy('app', { mode: 'observe' });
    const seq = simulation.account.history.length;
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'would-contain', keyId: leaked }]);
    expect(changesSince(simulation, seq)).toEqual([]);
  });
});

describe('an operator', () => {
  it('who activates a leaked key again gets no overlap: the next pass disables it', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    await revoke(simulation, leaked);
    simulation.account.setAccessKeyStatus(leaked, 'Active');
    await simulation.advance(HOUR);
    await simulation.retire();
    expect(status(simulation, leaked)).toBe('Inactive');
  });

  it('who disables the leaked key by hand first gets a new one all the same', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.account.setAccessKeyStatus(leaked, 'Inactive');
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'contained' }]);
    expect(status(simulation, current(simulation))).toBe('Active');
  });

  it('who deletes the leaked key by hand first gets a new one all the same', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    simulation.account.deleteAccessKey(leaked);
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'contained' }]);
    expect(status(simulation, current(simulation))).toBe('Active');
  });

  it('who moves AWSCURRENT back to the leaked key is told so in every pass, and the next report rotates again', async () => {
    const simulation = await rotated();
    const leaked = current(simulation);
    await revoke(simulation, leaked);
    await simulation.retire();
    const { labels } = simulation.secret(SECRET);
    const [MoveToVersionId, RemoveFromVersionId] = [labels.get('AWSPREVIOUS'), labels.get('AWSCURRENT')];
    simulation.account.setAccessKeyStatus(leaked, 'Active');
    const back = { SecretId: SECRET, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId };
    simulation.account.operate('secretsmanager', 'UpdateSecretVersionStage', back);
    expect(current(simulation)).toBe(leaked);
    for (let pass = 0; pass < 3; pass += 1) {
      const told = simulation.happenings.length;
      await simulation.retire();
      if (pass === 0) continue;
      expect(simulation.happenings.slice(told)).toContainEqual(
        expect.objectContaining({ what: 'noticed', keyId: leaked, reason: 'current-leaked' }),
      );
    }
    expect(await revoke(simulation, leaked)).toMatchObject([{ outcome: 'contained' }]);
    expect(status(simulation, leaked)).toBe('Inactive');
    await simulation.advanceWithPasses(12, DAY / HOUR);
    expect(simulation.keys('app')).toEqual({ [current(simulation)]: 'Active' });
  });
});
