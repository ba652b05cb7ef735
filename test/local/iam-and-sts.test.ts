import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUsersCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { errorOf, MINUTE, simulate } from './helpers.ts';

const whoAmI = new GetCallerIdentityCommand({});

describe('access keys', () => {
  it('are two a user at most, inactive ones included', async () => {
    const { account, run, iam } = simulate();
    account.createUser('bob');
    const { accessKeyId } = account.createAccessKey('bob');
    account.createAccessKey('bob');
    account.setAccessKeyStatus(accessKeyId, 'Inactive');
    const error = await errorOf(run(iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }))));
    expect(error).toEqual({
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for AccessKeysPerUser: 2',
      status: 409,
    });
    account.createAccessKey('bob', { force: true });
    expect(account.users.get('bob')?.keys).toHaveLength(3);
  });

  it('are listed page by page, with dates to the second and without their secrets', async () => {
    const { account, run, iam } = simulate({ start: new Date('2026-03-04T05:06:07.890Z') });
    account.createUser('bob');
    const ids = [account.createAccessKey('bob'), account.createAccessKey('bob')].map(({ accessKeyId }) => accessKeyId);
    const first = await run(iam.send(new ListAccessKeysCommand({ UserName: 'bob', MaxItems: 1 })));
    const CreateDate = new Date('2026-03-04T05:06:07Z');
    expect(first.AccessKeyMetadata).toEqual([{ UserName: 'bob', AccessKeyId: ids[0], Status: 'Active', CreateDate }]);
    expect(first.IsTruncated).toBe(true);
    const second = await run(iam.send(new ListAccessKeysCommand({ UserName: 'bob', Marker: first.Marker })));
    expect(second.AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId)).toEqual([ids[1]]);
    expect(second.IsTruncated).toBe(false);
  });

  it('are out of reach through another user', async () => {
    const { account, run, iam } = simulate();
    account.createUser('bob');
    account.createUser('eve');
    const { accessKeyId: AccessKeyId } = account.createAccessKey('bob');
    const error = await errorOf(run(iam.send(new DeleteAccessKeyCommand({ UserName: 'eve', AccessKeyId }))));
    expect(error).toMatchObject({ name: 'NoSuchEntityException', status: 404 });
    expect(account.keys.has(AccessKeyId)).toBe(true);
    await run(iam.send(new DeleteAccessKeyCommand({ UserName: 'bob', AccessKeyId })));
    expect(account.keys.has(AccessKeyId)).toBe(false);
  });

  it('show no last use until there is one, then when, where and what for, once per quarter of an hour', async () => {
    const { account, run, iam, sts } = simulate({ activationDelay: 0, lastUsedLag: MINUTE });
    account.createUser('bob');
    const credentials = account.createAccessKey('bob');
    const lastUsed = async () =>
      (await run(iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: credentials.accessKeyId }))))
        .AccessKeyLastUsed;
    const start = account.clock.nowMs;
    await run(sts(credentials).send(whoAmI));
    expect(await lastUsed()).toEqual({ ServiceName: 'N/A', Region: 'N/A' });
    await account.clock.advance(MINUTE);
    expect(await lastUsed()).toEqual({ ServiceName: 'sts', Region: 'eu-central-1', LastUsedDate: new Date(start) });
    await account.clock.advance(13 * MINUTE);
    await run(sts(credentials).send(whoAmI));
    await account.clock.advance(MINUTE);
    expect((await lastUsed())?.LastUsedDate).toEqual(new Date(start));
    await run(sts(credentials).send(whoAmI));
    await account.clock.advance(MINUTE);
    expect((await lastUsed())?.LastUsedDate).toEqual(new Date(start + 15 * MINUTE));
  });

  it('belong to a user whose unique id changes when it is made again', async () => {
    const { account, run, iam } = simulate();
    account.createUser('bob', { path: '/apps/' });
    const before = await run(iam.send(new GetUserCommand({ UserName: 'bob' })));
    account.deleteUser('bob');
    expect((await errorOf(run(iam.send(new GetUserCommand({ UserName: 'bob' }))))).name).toBe('NoSuchEntityException');
    account.createUser('bob');
    const after = await run(iam.send(new GetUserCommand({ UserName: 'bob' })));
    expect(before.User?.Arn).toBe('arn:aws:iam::111122223333:user/apps/bob');
    expect(before.User?.UserId).toMatch(/^AIDA[A-Z2-7]{16}$/);
    expect(after.User?.UserId).not.toBe(before.User?.UserId);
  });
});

describe('who may call', () => {
  it('identifies a key by account, ARN with path, and unique user id, once it has propagated', async () => {
    const { account, run, sts } = simulate({ activationDelay: 8000 });
    const user = account.createUser('bob', { path: '/apps/' });
    const client = sts(account.createAccessKey('bob'));
    await account.clock.advance(7999);
    const early = await errorOf(run(client.send(whoAmI)));
    expect(early).toMatchObject({ name: 'InvalidClientTokenId', status: 403 });
    await account.clock.advance(1);
    expect(await run(client.send(whoAmI))).toMatchObject({ Account: account.id, Arn: user.arn, UserId: user.id });
  });

  it('refuses inactive, deleted and unknown keys alike, and takes a key back that is active again', async () => {
    const { account, run, sts } = simulate({ activationDelay: 0 });
    account.createUser('bob');
    const credentials = account.createAccessKey('bob');
    const attempt = () => run(sts(credentials).send(whoAmI));
    account.setAccessKeyStatus(credentials.accessKeyId, 'Inactive');
    expect((await errorOf(attempt())).name).toBe('InvalidClientTokenId');
    account.setAccessKeyStatus(credentials.accessKeyId, 'Active');
    expect((await attempt()).Account).toBe(account.id);
    account.deleteAccessKey(credentials.accessKeyId);
    expect((await errorOf(attempt())).name).toBe('InvalidClientTokenId');
    const stray = sts({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' });
    expect((await errorOf(run(stray.send(whoAmI)))).name).toBe('InvalidClientTokenId');
  });

  it('refuses a signature by another secret, each service in its own words', async () => {
    const { account, run, sts } = simulate({ activationDelay: 0 });
    account.createUser('bob');
    const wrong = { ...account.createAccessKey('bob'), secretAccessKey: 'wrong' };
    expect(await errorOf(run(sts(wrong).send(whoAmI)))).toMatchObject({ name: 'SignatureDoesNotMatch', status: 403 });
    const secrets = new SecretsManagerClient(account.clientConfig(wrong));
    expect((await errorOf(run(secrets.send(new GetSecretValueCommand({ SecretId: 's' }))))).name).toBe(
      'InvalidSignatureException',
    );
  });

  it('refuses a session without its token', async () => {
    const { account, run, sts } = simulate();
    const { accessKeyId, secretAccessKey } = account.operator.credentials;
    expect((await errorOf(run(sts({ accessKeyId, secretAccessKey }).send(whoAmI)))).name).toBe('InvalidClientTokenId');
  });

  it('refuses what was signed more than five minutes ago', async () => {
    const { account, run } = simulate();
    const signedLate = (ms: number) =>
      new STSClient({ ...account.clientConfig(), requestHandler: account.requestHandler(() => Date.now() + ms) });
    expect((await errorOf(run(signedLate(6 * MINUTE).send(whoAmI)))).message).toContain('Signature expired');
    expect((await run(signedLate(4 * MINUTE).send(whoAmI))).Account).toBe(account.id);
  });

  it('refuses a body that is not the one that was signed', async () => {
    const { account, run } = simulate();
    const inner = account.requestHandler();
    const forger = {
      ...inner,
      handle: (request: Parameters<typeof inner.handle>[0]) =>
        inner.handle({ ...request, body: `${request.body}&UserName=eve` } as typeof request),
    };
    const iam = new IAMClient({ ...account.clientConfig(), requestHandler: forger });
    expect((await errorOf(run(iam.send(new ListAccessKeysCommand({}))))).name).toBe('SignatureDoesNotMatch');
  });

  it('answers an operation that it does not have with an error that names it', async () => {
    const { run, iam } = simulate();
    expect((await errorOf(run(iam.send(new ListUsersCommand({}))))).message).toContain('iam:ListUsers');
  });

  it('asks the policy engine about calls of roles, with resource and conditions, and takes its no', async () => {
    const { account, run } = simulate();
    account.createUser('bob', { path: '/apps/' });
    const role = account.createRole('rotate');
    const arn = `arn:aws:sts::${account.id}:assumed-role/rotate/x`;
    const credentials = account.session({ kind: 'role', name: 'rotate', arn, userId: role.id });
    const iam = new IAMClient(account.clientConfig(credentials));
    const asked: unknown[] = [];
    account.authorize = (request) => {
      asked.push(request);
      return { allowed: request.action !== 'iam:UpdateAccessKey', reason: 'because of the test' };
    };
    await run(iam.send(new ListAccessKeysCommand({ UserName: 'bob' })));
    const change = new UpdateAccessKeyCommand({
      UserName: 'bob',
      AccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      Status: 'Inactive',
    });
    const error = await errorOf(run(iam.send(change)));
    expect(error).toMatchObject({ name: 'AccessDenied', status: 403 });
    expect(error.message).toContain('because of the test');
    const request = { principalArn: role.arn, resource: 'arn:aws:iam::111122223333:user/apps/bob' };
    expect(asked).toMatchObject([
      { ...request, action: 'iam:ListAccessKeys' },
      { ...request, action: 'iam:UpdateAccessKey' },
    ]);
  });
});

describe('the loopback server', () => {
  it('speaks the same as in process, and checks signatures by the virtual clock', async () => {
    const { account } = simulate();
    const real = await account.listen(Date.now);
    const virtual = await account.listen();
    const config = { region: account.region, credentials: account.operator.credentials, maxAttempts: 1 };
    const identity = await new STSClient({ ...config, endpoint: real.endpoint }).send(whoAmI);
    const error = await errorOf(new STSClient({ ...config, endpoint: virtual.endpoint }).send(whoAmI));
    await Promise.all([real.close(), virtual.close()]);
    expect(identity.Arn).toBe(account.operator.principal.arn);
    expect(error.message).toContain('Signature expired');
  });
});

describe('the record', () => {
  it('has every call with its outcome, and every change with the call that caused it, but no secrets', async () => {
    const { account, run, iam } = simulate();
    const seen: string[] = [];
    account.onCall(({ action, outcome }) => seen.push(`${action} ${outcome === 'ok'}`));
    account.onChange(({ change }) => seen.push(change.what));
    account.createUser('bob');
    await run(iam.send(new CreateAccessKeyCommand({ UserName: 'bob' })));
    await errorOf(run(iam.send(new GetUserCommand({ UserName: 'nobody' }))));
    account.createSecret('s', { value: 'hidden material' });
    expect(seen.slice(0, 5)).toEqual([
      'user-created',
      'CreateUser true',
      'key-minted',
      'CreateAccessKey true',
      'GetUser false',
    ]);
    const minted = account.history.find((entry) => entry.kind === 'change' && entry.change.what === 'key-minted');
    const call = account.history.find((entry) => entry.kind === 'call' && entry.action === 'CreateAccessKey');
    expect(minted).toMatchObject({ cause: call?.seq });
    expect(account.mintedSecrets).toHaveLength(2);
    const record = JSON.stringify(account.history);
    for (const secret of [...account.mintedSecrets, 'hidden material']) expect(record).not.toContain(secret);
  });

  it('has calls that failed to authenticate too, under the key that made them', async () => {
    const { account, run, sts } = simulate();
    account.createUser('bob');
    const credentials = account.createAccessKey('bob', { id: 'AKIAIOSFODNN7EXAMPLE' });
    await errorOf(run(sts(credentials).send(whoAmI)));
    expect(account.history.at(-1)).toMatchObject({
      principal: 'AKIAIOSFODNN7EXAMPLE',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'bob',
      action: 'GetCallerIdentity',
      outcome: { code: 'InvalidClientTokenId' },
    });
  });

  it('makes the same identifiers for the same seed, and others for another', () => {
    const ids = [1, 1, 2].map((seed) => {
      const { account } = simulate({ seed });
      account.createUser('bob');
      return account.createAccessKey('bob').accessKeyId;
    });
    expect(ids[0]).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
});
