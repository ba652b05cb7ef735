import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { sesSmtpPassword } from '../../lambdas/adapters/ses-smtp.ts';
import type { DeployedKey } from '../../lambdas/contract/deployment.ts';
import type { IamKeys, SecretStore } from '../../lambdas/domain/ports.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { secretsFound, watchInvariants } from '../../local/oracle.ts';
import { DAY, deployedKey, HOUR, MINUTE } from '../policy.ts';

interface Doing {
  readonly iam: IamKeys;
  readonly secrets: SecretStore;
  readonly log: (line: string) => void;
}

/** An account with one bound user whose current key is in the secret, and functions that do whatever a test tells them. */
async function world(policy: Partial<DeployedKey> = {}, maxChangesPerRun = 25) {
  const account = new SimulatedAccount();
  account.createUser('app');
  account.createUser('admin');
  const current = account.createAccessKey('app');
  const value = (keyId: string) =>
    JSON.stringify({ Version: 1, AccessKeyId: keyId, SecretAccessKey: 'x', UserName: 'app' });
  account.createSecret('iam/app', { value: value(current.accessKeyId) });
  let keys = [deployedKey({ userName: 'app', ...policy })];
  const watch = watchInvariants(account, () => ({ maxChangesPerRun, keys }));
  let task: (doing: Doing) => Promise<unknown> = async () => undefined;
  for (const name of ['function', 'retire']) {
    account.functions.register({
      name,
      timeoutSeconds: 900,
      env: {},
      load: (sandbox) => {
        const config = { ...account.clientConfig(sandbox.credentials), requestHandler: sandbox.requestHandler };
        const client = new IAMClient(config);
        const doing = {
          iam: iamKeys(client, client),
          secrets: secretStore(new SecretsManagerClient(config)),
          log: (line: string) => sandbox.log(line),
        };
        return () => task(doing);
      },
    });
  }
  const run = async (what: typeof task, name = 'function') => {
    task = what;
    expect(await account.clock.run(account.functions.invoke(name, {}))).toMatchObject({ ok: true });
  };
  const invariants = () => watch.broken.map((broken) => broken.invariant);
  const deploy = (changed: Partial<DeployedKey>) => {
    keys = keys.map((key) => ({ ...key, ...changed }));
  };
  return { account, current: current.accessKeyId, watch, run, invariants, value, policy: deploy };
}

/** An application's call to STS: 'used', or the name of the error. */
async function use(account: SimulatedAccount, keyId: string): Promise<string> {
  const key = account.keys.get(keyId);
  const credentials = { accessKeyId: keyId, secretAccessKey: key?.secret ?? '' };
  const call = account.gateway.ask(credentials, account.region, 'sts', 'GetCallerIdentity', {});
  return call.then(
    () => 'used',
    (error: { code: string }) => error.code,
  );
}

const TOKEN = '11111111-2222-4333-8444-555555555555';

describe('the oracle catches', () => {
  it.each(['disable', 'remove'] as const)('1: %s of the key in AWSCURRENT, naming the call', async (verb) => {
    const { run, current, watch, account } = await world();
    await run(({ iam }) => iam[verb]('app', current));
    expect(watch.broken[0]).toMatchObject({ invariant: 1, what: expect.stringContaining(current) });
    const call = account.history[watch.broken[0]?.call ?? -1];
    expect(call).toMatchObject({ kind: 'call', action: verb === 'disable' ? 'UpdateAccessKey' : 'DeleteAccessKey' });
  });

  it('2: a promotion without three identifications in a row by STS', async () => {
    const { run, account, watch, value } = await world();
    const from = String(account.findSecret('iam/app')?.labels.get('AWSCURRENT'));
    await run(async ({ iam, secrets }) => {
      const key = await iam.mint('app');
      await secrets.storePending('iam/app', TOKEN, value(key.id));
      await secrets.moveLabel('iam/app', 'AWSCURRENT', from, TOKEN);
    });
    expect(watch.broken).toMatchObject([{ invariant: 2, what: expect.stringContaining('after 0 identifications') }]);
  });

  it("2: a promotion of another user's key", async () => {
    const { run, account, watch, value } = await world();
    const from = String(account.findSecret('iam/app')?.labels.get('AWSCURRENT'));
    const foreign = account.createAccessKey('admin').accessKeyId;
    await run(async ({ secrets }) => {
      await secrets.storePending('iam/app', TOKEN, value(foreign));
      await secrets.moveLabel('iam/app', 'AWSCURRENT', from, TOKEN);
    });
    expect(watch.broken).toMatchObject([{ invariant: 2, what: expect.stringContaining('no Active key of app') }]);
  });

  it('3: a deletion a second before the recovery time is over, and none at the end of it', async () => {
    for (const [seconds, broken] of [
      [7 * DAY - 1, [3]],
      [7 * DAY, []],
    ] as const) {
      const { run, account, current, invariants, value } = await world();
      const other = account.createAccessKey('app').accessKeyId;
      account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(other) });
      await account.clock.advance(3 * DAY * 1000);
      await run(({ iam }) => iam.disable('app', current));
      await account.clock.advance(seconds * 1000);
      await run(({ iam }) => iam.remove('app', current));
      expect(invariants()).toEqual(broken);
    }
  });

  it('4: a change of a stranger, and of a key of a user that is not bound', async () => {
    const { run, account, invariants } = await world();
    const stranger = account.createAccessKey('app').accessKeyId;
    const foreign = account.createAccessKey('admin').accessKeyId;
    await run(({ iam }) => iam.disable('app', stranger));
    await run(({ iam }) => iam.disable('admin', foreign));
    expect(invariants()).toEqual([4, 4]);
  });

  it("4: a change of a key that 'only-key' does not adopt, and none of the one that it does", async () => {
    const intent = { 'iam-key-rotator:intent/run': 'x' };
    const announced = async (keysMade: number, more: { readonly stored?: boolean; readonly adopt?: string } = {}) => {
      const { run, account, watch, current, policy } = await world({ adopt: more.adopt ?? 'only-key' });
      const keys = [current];
      if (more.stored !== true) {
        // Nothing is stored in the secret yet, and the key that was current is gone.
        account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: '{"Bootstrap":""}' });
        account.deleteAccessKey(keys.pop() ?? '');
      }
      while (keys.length < keysMade) keys.push(account.createAccessKey('app').accessKeyId);
      await run(({ secrets }) => secrets.tag('iam/app', intent, []));
      if (more.adopt !== undefined) {
        await run(({ secrets }) => secrets.tag('iam/app', { [`iam-key-rotator:key/${keys.at(-1)}`]: 'minted=x' }, []));
        policy({ adopt: 'only-key' });
      }
      await account.clock.advance(DAY * 1000);
      await run(({ iam }) => iam.disable('app', keys.at(-1) ?? ''));
      return watch.broken.map(({ invariant }) => invariant);
    };
    expect(await announced(1)).toEqual([]);
    expect(await announced(2)).toEqual([4]);
    expect(await announced(2, { stored: true })).toEqual([4]);
    // Recorded while another key was named.
    expect(await announced(1, { adopt: 'AKIAIOSFODNN7EXAMPLE' })).toEqual([4]);
  });

  it("nothing in a change of a key that was named and recorded before the configuration said 'only-key'", async () => {
    const { run, account, watch, policy } = await world();
    const adopt = account.createAccessKey('app').accessKeyId;
    policy({ adopt });
    await run(({ secrets }) => secrets.tag('iam/app', { [`iam-key-rotator:key/${adopt}`]: 'minted=x' }, []));
    policy({ adopt: 'only-key' });
    await run(({ iam }) => iam.disable('app', adopt));
    expect(watch.broken).toEqual([]);
  });

  it("4: a change of the key that was made beside the one which 'only-key' adopts", async () => {
    const { run, account, watch } = await world({ adopt: 'only-key' });
    await account.clock.advance(60_000);
    const made = account.createAccessKey('app').accessKeyId;
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: '{"Bootstrap":""}' });
    // The older key counts as the rotator's, since it was current.
    await run(({ secrets }) => secrets.tag('iam/app', { 'iam-key-rotator:intent/run': 'x' }, []));
    await account.clock.advance(DAY * 1000);
    await run(({ iam }) => iam.disable('app', made));
    expect(watch.broken.map(({ invariant }) => invariant)).toEqual([4]);
  });

  it('5: a second orphan, and one that remains; but not the clearing of one that was never used', async () => {
    const { run, account, current, invariants, watch } = await world();
    account.deleteAccessKey(current);
    let orphan = '';
    await run(async ({ iam }) => {
      orphan = (await iam.mint('app')).id;
    });
    await run(({ iam }) => iam.remove('app', orphan));
    expect(invariants()).toEqual([]);
    await run(async ({ iam }) => [await iam.mint('app'), await iam.mint('app')]);
    expect(invariants()).toEqual([5]);
    expect(watch.finish().map((broken) => broken.invariant)).toEqual([5, 5, 5]);
  });

  it('5: a key disabled before its overlap is over, and one that is in use while its hold is not over', async () => {
    for (const [disabledAfter, usedAfter, broken] of [
      [3 * DAY - 1, undefined, [5]],
      [3 * DAY, undefined, []],
      [3 * DAY, 3 * HOUR, []],
      [3 * DAY, 5 * HOUR, [5]],
      [17 * DAY, 16 * DAY, []],
    ] as const) {
      const { run, account, current, invariants, value } = await world();
      const next = account.createAccessKey('app').accessKeyId;
      account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(next) });
      await account.clock.advance((usedAfter ?? 0) * 1000);
      if (usedAfter !== undefined) expect(await use(account, current)).toBe('used');
      await account.clock.advance((disabledAfter - (usedAfter ?? 0)) * 1000);
      await run(({ iam }) => iam.disable('app', current));
      expect(invariants()).toEqual(broken);
    }
  });

  it('5: an application that is turned away with a key that a function has ended too early, and not one that an operator has', async () => {
    for (const [byOperator, broken] of [
      [false, [1, 5]],
      [true, []],
    ] as const) {
      const { run, account, current, invariants } = await world();
      await account.clock.advance(MINUTE * 1000);
      if (byOperator) account.setAccessKeyStatus(current, 'Inactive');
      else await run(({ iam }) => iam.disable('app', current));
      expect(await use(account, current)).toBe('InvalidClientTokenId');
      expect(invariants()).toEqual(broken);
    }
  });

  it('nothing in an application that is turned away because an operator has rolled back to a disabled key', async () => {
    const { run, account, current, invariants, value } = await world();
    const version = account.findSecret('iam/app')?.labels.get('AWSCURRENT');
    const next = account.createAccessKey('app').accessKeyId;
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(next) });
    await account.clock.advance(3 * DAY * 1000);
    await run(({ iam }) => iam.disable('app', current));
    account.operate('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: 'iam/app',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: version,
      RemoveFromVersionId: account.findSecret('iam/app')?.labels.get('AWSCURRENT'),
    });
    expect(await use(account, current)).toBe('InvalidClientTokenId');
    expect(invariants()).toEqual([]);
  });

  it('nothing in an application that is turned away with a key disabled at once, by the overlap of zero of then', async () => {
    const { run, account, current, invariants, value, policy } = await world({ deactivateAfter: 0 });
    const next = account.createAccessKey('app').accessKeyId;
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(next) });
    await run(({ iam }) => iam.disable('app', current));
    policy({ deactivateAfter: 3 * DAY });
    expect(await use(account, current)).toBe('InvalidClientTokenId');
    expect(invariants()).toEqual([]);
  });

  it('6: a change after a read that failed, and none after one that was repeated, or was about somebody else', async () => {
    const { run, account, invariants } = await world();
    const fail = (action: string) => account.faults.add({ match: { action }, kind: 'lose-answer' });
    fail('ListAccessKeys');
    await run(async ({ iam }) => {
      await iam.list('app').catch(() => []);
      await iam.list('app');
      fail('ListAccessKeys');
      await iam.list('admin').catch(() => []);
      await iam.mint('app');
    });
    expect(invariants()).toEqual([]);
    fail('DescribeSecret');
    await run(async ({ iam, secrets }) => {
      await secrets.describe('iam/app').catch(() => undefined);
      await iam.disable('app', String(account.users.get('app')?.keys.at(-1)?.id));
    });
    expect(invariants()).toEqual([6]);
  });

  it('3, as a limit that is named: an activation by hand that no pass saw or could record, and no limit if the key was used', async () => {
    for (const [what, broken] of [
      ['unseen', [{ invariant: 3, residual: 'reactivated-unseen' }]],
      ['used', [{ invariant: 3 }]],
      ['seen', [{ invariant: 3 }]],
      ['seen while the secret takes no record', [{ invariant: 3, residual: 'reactivated-unseen' }]],
    ] as const) {
      const { run, account, current, watch, value } = await world();
      const next = account.createAccessKey('app').accessKeyId;
      account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(next) });
      await account.clock.advance(3 * DAY * 1000);
      await run(({ iam }) => iam.disable('app', current));
      account.setAccessKeyStatus(current, 'Active');
      if (what === 'used') await use(account, current);
      account.setAccessKeyStatus(current, 'Inactive');
      await account.clock.advance(7 * DAY * 1000);
      account.setAccessKeyStatus(current, 'Active');
      if (what.startsWith('seen')) {
        const taken = what !== 'seen';
        if (taken) account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'iam/app' });
        await run(({ iam }) => iam.list('app'), 'retire');
        const secret = account.findSecret('iam/app');
        if (secret !== undefined) delete secret.deletedAt;
      }
      account.setAccessKeyStatus(current, 'Inactive');
      await run(({ iam }) => iam.remove('app', current));
      const found = watch.broken.map(({ invariant, residual }) => ({ invariant, ...(residual && { residual }) }));
      expect(found).toEqual(broken);
    }
  });

  it('4, as a limit that is named: a key made by hand within a minute of an announcement, and no later', async () => {
    for (const [seconds, residual] of [
      [60, 'made-beside-announcement'],
      [62, undefined],
    ] as const) {
      const { run, account, watch } = await world();
      await run(({ secrets }) => secrets.tag('iam/app', { 'iam-key-rotator:intent/run': 'x' }, []));
      await account.clock.advance(seconds * 1000);
      const stranger = account.createAccessKey('app').accessKeyId;
      await run(({ iam }) => iam.remove('app', stranger));
      expect(watch.broken.map((broken) => [broken.invariant, broken.residual])).toEqual([
        [4, residual],
        [3, residual],
      ]);
    }
  });

  it('7: a secret in a log, a tag or an event, raw, base64- or URL-encoded', async () => {
    const { run, account, watch } = await world();
    const [secret = ''] = account.mintedSecrets.slice(-1);
    expect(secretsFound(account)).toEqual([]);
    await run(async ({ log }) => log(`{"key":"${encodeURIComponent(secret)}"}`));
    expect(secretsFound(account)).toEqual(['the logs of function']);
    await run(({ secrets }) => secrets.tag('iam/app', { note: Buffer.from(secret).toString('base64') }, []));
    expect(secretsFound(account)).toContain('the tags of iam/app');
    account.emit('Something', { secret });
    expect(secretsFound(account)).toContain('the history of calls and events');
    expect(watch.finish().every((broken) => broken.invariant === 7)).toBe(true);
  });

  it('7: a secret in what the runs tell, and in the middle of a longer text that is base64-encoded as a whole', async () => {
    const { account, run } = await world();
    const [secret = ''] = account.mintedSecrets.slice(-1);
    expect(secretsFound(account, `an error about ${secret}`)).toEqual(['what the runs tell']);
    for (const before of ['', '{', '{"', '{"k']) {
      const told = Buffer.from(`${before}${secret}"}`).toString('base64');
      expect(secretsFound(account, told)).toEqual(['what the runs tell']);
    }
    expect(secretsFound(account, Buffer.from(secret.slice(1)).toString('base64'))).toEqual([]);
    await run(async () => account.functions.send('arn:queue', { secret }));
    expect(secretsFound(account)).toEqual(['the queues']);
  });

  it('7: an SMTP password that was computed from a secret access key, wherever the value has it', async () => {
    const { account } = await world();
    const password = sesSmtpPassword('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'eu-west-1');
    expect(secretsFound(account, password)).toEqual([]);
    const put = (value: string) =>
      account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value });
    put(JSON.stringify({ anyName: password, other: 'known to all' }));
    put('no JSON');
    expect(secretsFound(account, `the password is ${password}`)).toEqual(['what the runs tell']);
    expect(secretsFound(account, 'known to all')).toEqual([]);
  });

  it('8: a key minted for a user that no secret is bound to', async () => {
    const { run, invariants } = await world();
    await run(({ iam }) => iam.mint('admin'));
    expect(invariants()).toEqual([8]);
  });

  it('9: one change more than the limit in one run, and not the same changes in two runs', async () => {
    const { run, account, invariants, value } = await world({}, 1);
    const next = account.createAccessKey('app').accessKeyId;
    const [current] = account.users.get('app')?.keys ?? [];
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(next) });
    await account.clock.advance(3 * DAY * 1000);
    const again = async (iam: IamKeys) => {
      await iam.disable('app', String(current?.id));
      account.setAccessKeyStatus(String(current?.id), 'Active');
    };
    await run(({ iam }) => again(iam));
    await run(({ iam }) => again(iam));
    expect(invariants()).toEqual([]);
    await run(async ({ iam }) => {
      await again(iam);
      await again(iam);
    });
    expect(invariants()).toEqual([9]);
  });

  it("10: any change in mode 'observe'", async () => {
    const { run, invariants } = await world({ mode: 'observe' });
    await run(({ secrets }) => secrets.tag('iam/app', { note: 'x' }, []));
    await run(({ iam }) => iam.mint('app'));
    expect(invariants()).toEqual([10, 10]);
  });

  it('nothing in what an operator does by hand', async () => {
    const { account, current, invariants, value } = await world();
    account.setAccessKeyStatus(current, 'Inactive');
    account.deleteAccessKey(current);
    const key = account.createAccessKey('app').accessKeyId;
    account.operate('secretsmanager', 'PutSecretValue', { SecretId: 'iam/app', SecretString: value(key) });
    account.deleteUser('admin');
    expect(invariants()).toEqual([]);
  });
});
