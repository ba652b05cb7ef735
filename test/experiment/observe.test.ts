import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, it } from 'vitest';
import { SimulatedAccount } from '../../local/account.ts';
import { Observations } from '../../local/experiment/observe.ts';
import type { Credentials } from '../../local/model.ts';

let account: SimulatedAccount;
let observations: Observations;
let before: Credentials;
let after: Credentials;

beforeEach(async () => {
  account = new SimulatedAccount();
  account.createUser('app');
  before = account.createAccessKey('app');
  after = account.createAccessKey('app');
  account.createSecret('secret', { value: JSON.stringify({ AccessKeyId: before.accessKeyId }) });
  await account.clock.advance(60_000);
  observations = new Observations(account, new Map([['secret', 'app']]));
  observations.watching = true;
});

const promote = ({ accessKeyId: AccessKeyId }: Credentials) =>
  account.operate('secretsmanager', 'PutSecretValue', {
    SecretId: 'secret',
    SecretString: JSON.stringify({ AccessKeyId }),
  });

async function call(key: Credentials): Promise<void> {
  const sts = new STSClient(account.clientConfig(key));
  await account.clock.run(sts.send(new GetCallerIdentityCommand({}))).catch(() => {});
}

describe('the stalest key', () => {
  it('is the one that was accepted the longest time after its successor became current', async () => {
    await call(before);
    expect(observations.of('app').stalestMs).toBe(0);
    promote(after);
    await account.clock.advance(90_000);
    await call(after);
    expect(observations.of('app')).toMatchObject({ requests: 2, stalestMs: 0, promotions: 1 });
    await call(before);
    expect(observations.of('app')).toMatchObject({ requests: 3, stalestMs: 90_000 });
  });

  it('is none that was refused, though the request counts', async () => {
    promote(after);
    account.setAccessKeyStatus(before.accessKeyId, 'Inactive');
    await account.clock.advance(90_000);
    await call(before);
    expect(observations.of('app')).toMatchObject({ requests: 1, stalestMs: 0, disabled: 1 });
    account.deleteAccessKey(before.accessKeyId);
    await call(before);
    expect(observations.of('app')).toMatchObject({ requests: 2, deleted: 1 });
  });

  it('is none that became current again', async () => {
    promote(after);
    promote(before);
    await account.clock.advance(90_000);
    await call(before);
    expect(observations.of('app')).toMatchObject({ stalestMs: 0, promotions: 2 });
  });
});

describe('what is observed', () => {
  it('are the calls of clients only: the rotator tries new keys too', async () => {
    observations.watching = false;
    await call(before);
    expect(observations.of('app').requests).toBe(0);
  });

  it('are the changes of keys, each told once', () => {
    promote(after);
    account.setAccessKeyStatus(before.accessKeyId, 'Inactive');
    expect(observations.changed).toBe(true);
    expect(observations.takeChanges()).toEqual([
      { userName: 'app', what: 'promoted', keyId: before.accessKeyId },
      { userName: 'app', what: 'disabled', keyId: before.accessKeyId },
    ]);
    expect(observations.changed).toBe(false);
  });

  it('are reads of the secret by the role of the same name, those without an answer apart', async () => {
    const arn = `arn:aws:sts::${account.id}:assumed-role/app/application`;
    const reader = account.session({ kind: 'role', name: 'app', userId: 'AROAIOSFODNN7EXAMPLE:application', arn });
    const secrets = new SecretsManagerClient(account.clientConfig(reader));
    const read = () =>
      account.clock.run(secrets.send(new GetSecretValueCommand({ SecretId: 'secret' }))).catch(() => {});
    await read();
    account.faults.add({ match: { service: 'secretsmanager' }, kind: 'network' });
    await read();
    expect(observations.of('app')).toMatchObject({ reads: 2, readsUnanswered: 1 });
  });
});
