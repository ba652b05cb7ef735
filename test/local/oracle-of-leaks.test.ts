/** The oracle knows the exceptions that are made for leaks, and nothing beyond them. */
import { describe, expect, it } from 'vitest';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { watchInvariants } from '../../local/oracle.ts';
import { DAY, deployedKey } from '../policy.ts';
import { type Adapters, direct } from '../simulation/world.ts';

const SECRET = 'iam/app';
const value = (keyId: string) =>
  JSON.stringify({ Version: 1, AccessKeyId: keyId, SecretAccessKey: 'x', UserName: 'app' });

/** User app with a key that is superseded and one that is current. */
async function world(policy: Partial<DeployedKey> = {}) {
  const account = new SimulatedAccount();
  account.createUser('app');
  const old = account.createAccessKey('app').accessKeyId;
  account.createSecret(SECRET, { value: value(old) });
  const watch = watchInvariants(account, () => ({
    maxChangesPerRun: 25,
    keys: [deployedKey({ userName: 'app', ...policy })],
  }));
  const current = account.createAccessKey('app').accessKeyId;
  account.operate('secretsmanager', 'PutSecretValue', { SecretId: SECRET, SecretString: value(current) });
  let task: (adapters: Adapters) => Promise<unknown> = async () => undefined;
  for (const name of ['rotate', 'retire', 'respond'])
    account.functions.register({ name, load: (sandbox) => () => task(direct(sandbox)) });
  const run = async (name: string, what: typeof task) => {
    task = what;
    expect(await account.clock.run(account.functions.invoke(name, {}))).toMatchObject({ ok: true });
  };
  const mark = (keyId: string, name = 'respond') =>
    run(name, ({ secrets }) =>
      secrets.tag(SECRET, { [`iam-key-rotator:leak/${keyId}`]: 'at=2026-01-01T00:00:00Z signal=health' }, []),
    );
  const disable = (name: string, keyId: string) => run(name, ({ iam }) => iam.disable('app', keyId));
  const unmark = (keyId: string) =>
    run('retire', ({ secrets }) => secrets.tag(SECRET, {}, [`iam-key-rotator:leak/${keyId}`]));
  const promote = (keyId: string) =>
    run('rotate', async ({ secrets, identities }) => {
      const key = account.keys.get(keyId);
      for (let asked = 0; asked < 3; asked += 1)
        await identities.identify({ keyId, secret: key?.secret ?? '' }, account.region);
      const { labels } = await secrets.describe(SECRET);
      const versionOf = (label: string) => [...labels].find(([, has]) => has.includes(label))?.[0] ?? '';
      await secrets.moveLabel(SECRET, 'AWSCURRENT', versionOf('AWSCURRENT'), versionOf('AWSPREVIOUS'));
    });
  const remove = (name: string, keyId: string) => run(name, ({ iam }) => iam.remove('app', keyId));
  return {
    account,
    old,
    current,
    mark,
    unmark,
    promote,
    disable,
    remove,
    broken: () => watch.broken.map(({ invariant }) => invariant),
  };
}

describe('the oracle lets', () => {
  it('a marked key that left AWSCURRENT be disabled within its overlap, and no unmarked one', async () => {
    const marked = await world();
    await marked.mark(marked.old);
    await marked.disable('retire', marked.old);
    expect(marked.broken()).toEqual([]);
    const other = await world();
    await other.mark(other.current);
    await other.disable('retire', other.old);
    expect(other.broken()).toContain(5);
  });

  it('a marked key be deleted no sooner than any other', async () => {
    const { account, old, mark, disable, remove, broken } = await world();
    await mark(old);
    await disable('retire', old);
    await account.clock.advance(6 * DAY * 1000);
    await remove('retire', old);
    expect(broken()).toEqual([3]);
  });

  it.each<[string, Partial<DeployedKey>, string, 'marked' | 'unmarked', number[]]>([
    ['by the response, if the policy says so and it is marked', { onLeak: 'disable-first' }, 'respond', 'marked', []],
    ['not if it is not marked', { onLeak: 'disable-first' }, 'respond', 'unmarked', [1]],
    ['not by a pass', { onLeak: 'disable-first' }, 'retire', 'marked', [1]],
    ['not by a rotation', { onLeak: 'disable-first' }, 'rotate', 'marked', [1]],
    ['not if the policy does not say so', {}, 'respond', 'marked', [1]],
  ])('the current key be disabled %s', async (_, policy, by, marked, expected) => {
    const { current, mark, disable, broken } = await world(policy);
    if (marked === 'marked') await mark(current);
    await disable(by, current);
    expect(broken()).toEqual(expected);
  });

  it('the current key be deleted by nobody', async () => {
    const { current, mark, remove, broken } = await world({ onLeak: 'disable-first' });
    await mark(current);
    await remove('respond', current);
    expect(broken()).toContain(1);
  });

  it.each<[string, string, 'current' | 'old' | undefined, number[]]>([
    ['by a rotation, while the current key is marked', 'rotate', 'current', []],
    ['not by a pass', 'retire', 'current', [3]],
    ['not while only the key itself is marked', 'rotate', 'old', [3]],
    ['not without a mark', 'rotate', undefined, [3]],
  ])('the slot of a superseded key be taken %s', async (_, by, marked, expected) => {
    const { account, old, current, mark, remove, broken } = await world();
    account.setAccessKeyStatus(old, 'Inactive');
    if (marked !== undefined) await mark(marked === 'old' ? old : current);
    await remove(by, old);
    expect(broken()).toEqual(expected);
  });

  it('the slot of a key that works be taken only once that is disabled, which no rotation does while it may be the last one', async () => {
    const working = await world();
    await working.mark(working.current);
    await working.remove('rotate', working.old);
    expect(working.broken()).toEqual([3]);
    for (const [policy, expected] of [[{}, [1]] as const, [{ onLeak: 'disable-first' }, []] as const]) {
      const { account, old, current, mark, disable, remove, broken } = await world(policy);
      await mark(current);
      account.setAccessKeyStatus(current, 'Inactive');
      await account.clock.advance(61_000);
      await disable('rotate', old);
      await remove('rotate', old);
      expect(broken()).toEqual(expected);
    }
  });

  it('a marked key that may be the last one be disabled by nobody', async () => {
    const { account, old, current, mark, disable, broken } = await world();
    await mark(old);
    account.setAccessKeyStatus(current, 'Inactive');
    await account.clock.advance(61_000);
    await disable('retire', old);
    expect(broken()).toEqual([1]);
  });

  it('a mark be removed only once its key is gone', async () => {
    const { account, old, mark, unmark, broken } = await world();
    await mark(old);
    account.deleteAccessKey(old);
    await unmark(old);
    expect(broken()).toEqual([]);
    const early = await world();
    await early.mark(early.current);
    await early.unmark(early.current);
    expect(early.broken()).toEqual([1]);
  });

  it('AWSCURRENT move to no marked key', async () => {
    const { account, old, mark, promote, broken } = await world();
    await mark(old);
    await account.clock.advance(61_000);
    await promote(old);
    expect(broken()).toEqual([2]);
  });

  it("a stranger's slot be taken by nobody", async () => {
    const { account, old, current, mark, remove, broken } = await world();
    account.deleteAccessKey(old);
    const stranger = account.createAccessKey('app').accessKeyId;
    account.setAccessKeyStatus(stranger, 'Inactive');
    await mark(current);
    await remove('rotate', stranger);
    expect(broken()).toEqual([4]);
  });

  it.each(['rotate', 'retire'])('no mark be written by %s', async (name) => {
    const { current, mark, broken } = await world();
    await mark(current, name);
    expect(broken()).toEqual([1]);
  });
});
