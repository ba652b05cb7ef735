/** The audit's adapters against an account that nobody here wrote, and against the simulated one: reports, keys of any user, and the bucket. */
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { credentialReports } from '../../lambdas/adapters/credential-reports.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { reportBucket } from '../../lambdas/adapters/report-bucket.ts';
import { secretListing } from '../../lambdas/adapters/secret-listing.ts';
import { userKeys } from '../../lambdas/adapters/user-keys.ts';
import { parseCredentialReport } from '../../lambdas/audit/credential-report.ts';
import { parseCsv } from '../../lambdas/audit/csv.ts';
import { createSecret, motoAccount, REGION, simulatedAccount, type TestAccount } from './accounts.ts';

const adaptersOf = ({ iam, secrets }: TestAccount) => ({
  reports: credentialReports(iam),
  users: userKeys(iam, iamKeys(iam, iam)),
  secrets: secretListing(secrets),
});

describe.each([
  ['moto', motoAccount],
  ['the simulated account', simulatedAccount],
] as const)("the audit's adapters against %s", (_, make) => {
  it('get a credential report by asking for one and waiting, with a row for each user', async () => {
    const account = await make();
    await account.createUser('app');
    await account.adapters.iam.mint('app');
    const { reports } = adaptersOf(account);
    expect(await reports.fetch()).toBe('absent');
    expect(await reports.request()).toBe('started');
    let report = await reports.fetch();
    for (let tries = 0; typeof report === 'string' && tries < 10; tries += 1) {
      await reports.request();
      await account.settle();
      report = await reports.fetch();
    }
    if (typeof report === 'string') throw new Error(report);
    // moto's reports are all of one day in 2015, and have no row of the root user: a report that old is asked for anew, and one without is refused.
    if (account.name === 'moto') {
      expect(report.at.getUTCFullYear()).toBe(2015);
      const { content } = report;
      expect(() => parseCredentialReport(content)).toThrow(/no row of <root_account>/);
    } else {
      expect(Math.abs(report.at.getTime() - account.now())).toBeLessThan(60_000);
      expect(parseCredentialReport(report.content).users).toHaveLength(1);
    }
    const [header = [], ...rows] = [...parseCsv(report.content)];
    expect(header).toEqual(
      expect.arrayContaining(['user', 'arn', 'access_key_1_active', 'access_key_2_last_used_service']),
    );
    const app = rows.find(([user]) => user === 'app') ?? [];
    expect(app[header.indexOf('access_key_1_active')]).toBe('true');
    expect(app[header.indexOf('access_key_2_active')]).toBe('false');
    await account.close();
  });

  it('list the keys of any user, and tell a user that is gone from one without keys', async () => {
    const account = await make();
    const { users } = adaptersOf(account);
    await account.createUser('app');
    expect(await users.list('app')).toEqual([]);
    const { id } = await account.adapters.iam.mint('app');
    expect(await users.list('app')).toMatchObject([{ id, status: 'Active' }]);
    expect(await users.lastUse(id)).toBe('never');
    expect(await users.ownerOf(id)).toBe('app');
    expect(await users.list('nobody')).toBeUndefined();
    await account.close();
  });

  it('list the secrets of every deployment, those that are to be deleted too', async () => {
    const account = await make();
    await createSecret(account, 'a', 'x', { 'iam-key-rotator:deployment': 'one' });
    await createSecret(account, 'b', 'x', { 'iam-key-rotator:deployment': 'two' });
    await createSecret(account, 'c', 'x', { other: 'tag' });
    const names: string[] = [];
    for await (const page of adaptersOf(account).secrets.list()) names.push(...page.map(({ name }) => name));
    expect(names.sort()).toEqual(['a', 'b']);
    await account.close();
  });
});

describe('requests signed by hand', () => {
  it('put and get objects at moto as at any S3', async () => {
    const account = await motoAccount();
    const s3 = new S3Client({
      endpoint: account.endpoint,
      region: REGION,
      credentials: account.iam.config.credentials,
      forcePathStyle: true,
    });
    await s3.send(
      new CreateBucketCommand({ Bucket: 'reports', CreateBucketConfiguration: { LocationConstraint: REGION } }),
    );
    const store = reportBucket(account.iam.config, { bucket: 'reports', region: REGION, endpoint: account.endpoint });
    const name = 'reports/2026/01/01/000000Z/report.json';
    expect(await store.get(name)).toBeUndefined();
    await store.put(name, 'application/json', '{"user":"Zoë"}');
    expect(await store.get(name)).toBe('{"user":"Zoë"}');
    const { ContentType, ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: 'reports', Key: name }));
    expect([ContentType, ContentLength]).toEqual(['application/json', 15]);
    const elsewhere = reportBucket(account.iam.config, {
      bucket: 'nowhere',
      region: REGION,
      endpoint: account.endpoint,
    });
    await expect(elsewhere.put(name, 'text/plain', 'x')).rejects.toMatchObject({ awsCode: 'NoSuchBucket' });
    await account.close();
  });
});
