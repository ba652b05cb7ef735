/** The audit's adapters over the SDK's own clients and wire: what its names for errors, blobs and dates are. */
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { auditAdapters } from '../../lambdas/adapters/audit-clients.ts';
import { credentialReports } from '../../lambdas/adapters/credential-reports.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretListing } from '../../lambdas/adapters/secret-listing.ts';
import { userKeys } from '../../lambdas/adapters/user-keys.ts';
import { parseCredentialReport } from '../../lambdas/audit/credential-report.ts';
import { SimulatedAccount } from '../../local/account.ts';

function world() {
  const account = new SimulatedAccount();
  const iam = new IAMClient(account.clientConfig());
  return {
    account,
    reports: credentialReports(iam),
    users: userKeys(iam, iamKeys(iam, iam)),
    secrets: secretListing(new SecretsManagerClient(account.clientConfig())),
  };
}

describe('the credential report', () => {
  it('is absent, then in progress, then there, and stays for four hours', async () => {
    const { account, reports } = world();
    account.createUser('app');
    expect(await reports.fetch()).toBe('absent');
    expect(await reports.request()).toBe('started');
    expect(await reports.request()).toBe('started');
    expect(await reports.fetch()).toBe('in-progress');
    await account.clock.advance(5_000);
    expect(await reports.request()).toBe('ready');
    const report = await reports.fetch();
    if (typeof report === 'string') throw new Error(report);
    expect(report.at).toEqual(new Date('2026-01-01T00:00:05Z'));
    expect(parseCredentialReport(report.content).users.map(({ user }) => user)).toEqual(['app']);
    await account.clock.advance(4 * 3_600_000 - 1);
    expect(await reports.request()).toBe('ready');
    await account.clock.advance(1);
    expect(await reports.fetch()).toBe('absent');
    expect(await reports.request()).toBe('started');
  });

  it.each(['LimitExceeded', 'Throttling'])('is refused for a while by %s', async (code) => {
    const { account, reports } = world();
    account.faults.add({ match: {}, kind: 'refuse', times: 2, error: { code, status: 400 } });
    expect([await reports.request(), await reports.fetch()]).toEqual(['throttled', 'throttled']);
  });

  it.each(['request', 'fetch'] as const)('may not be seen: %s fails', async (method) => {
    const { account, reports } = world();
    account.faults.add({ match: {}, kind: 'refuse', error: { code: 'AccessDenied', status: 403 } });
    await expect(reports[method]()).rejects.toMatchObject({ awsCode: 'AccessDenied' });
  });
});

describe('the keys of any user', () => {
  it('are listed with their last uses; a user or key that is gone is told as such', async () => {
    const { account, users } = world();
    account.createUser('app');
    const { accessKeyId } = account.createAccessKey('app');
    expect(await users.list('app')).toMatchObject([{ id: accessKeyId, status: 'Active' }]);
    expect(await users.lastUse(accessKeyId)).toBe('never');
    expect(await users.ownerOf(accessKeyId)).toBe('app');
    account.deleteUser('app');
    expect(await users.list('app')).toBeUndefined();
    expect(await users.lastUse(accessKeyId)).toBe('gone');
    expect(await users.ownerOf(accessKeyId)).toBeUndefined();
  });

  it('that can not be read are never taken for none', async () => {
    const { account, users } = world();
    account.faults.add({ match: {}, kind: 'refuse', times: 9, error: { code: 'ServiceFailure', status: 500 } });
    await expect(users.list('app')).rejects.toMatchObject({ awsCode: 'ServiceFailureException' });
    await expect(users.lastUse('AKIAIOSFODNN7EXAMPLE')).rejects.toMatchObject({ awsCode: 'ServiceFailureException' });
    await expect(users.ownerOf('AKIAIOSFODNN7EXAMPLE')).rejects.toMatchObject({ awsCode: 'ServiceFailureException' });
  });
});

describe('the secrets under rotation', () => {
  it('are those with the tag, whichever deployment it names, and those that are to be deleted too', async () => {
    const { account, secrets } = world();
    account.createSecret('a', { value: 'x', tags: { 'iam-key-rotator:deployment': 'one' } });
    account.createSecret('b', { value: 'x', tags: { 'iam-key-rotator:deployment': 'two' } });
    account.createSecret('c', { value: 'x', tags: { 'iam-key-rotator:deployments': 'no' } });
    account.createSecret('d', { value: 'x' });
    account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'b' });
    const all = [];
    for await (const page of secrets.list()) all.push(...page);
    expect(all.map(({ name, scheduledForDeletion }) => [name, scheduledForDeletion])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    expect(all[0]?.created).toEqual(new Date('2026-01-01T00:00:00Z'));
    expect(all[1]?.deleted).toBeInstanceOf(Date);
    expect(await secrets.describe('d')).toMatchObject({ name: 'd', tags: {} });
    expect(await secrets.describe('e')).toBeUndefined();
    account.faults.add({ match: {}, kind: 'refuse', error: { code: 'AccessDeniedException' } });
    await expect(secrets.describe('d')).rejects.toMatchObject({ awsCode: 'AccessDeniedException' });
  });
});

describe('the clients of the function', () => {
  it('are patient with IAM, and find the endpoint that the environment names', () => {
    const { store, ...others } = auditAdapters('eu-central-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(Object.keys(others).sort()).toEqual(['hub', 'reports', 'secrets', 'users']);
    expect(typeof store('b').put).toBe('function');
  });
});
