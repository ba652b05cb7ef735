/** Signed requests to the bucket and to Security Hub, in a simulated account that checks the signatures. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { reportBucket } from '../../lambdas/adapters/report-bucket.ts';
import { securityHub } from '../../lambdas/adapters/security-hub.ts';
import type { SignerConfig } from '../../lambdas/adapters/signed-request.ts';
import { SimulatedAccount } from '../../local/account.ts';
import { ConnectionLost } from '../../local/front-ends.ts';

const ENDPOINT = 'http://simulated';
const NAME = 'reports/2026/01/01/000000Z/report.json';

function world() {
  const account = new SimulatedAccount();
  account.buckets.set('b', { name: 'b', versioned: true, objects: new Map() });
  const { config } = new SecretsManagerClient(account.clientConfig());
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  const options = { region: account.region, endpoint: ENDPOINT, sleep };
  return {
    account,
    config,
    waits,
    store: reportBucket(config, { bucket: 'b', ...options }),
    hub: securityHub(config, options),
  };
}

const asff = (Id: string) => ({
  ...{ Id, AwsAccountId: 'x', CreatedAt: 'x', Description: 'x', GeneratorId: 'x', ProductArn: 'x', Resources: [{}] },
  ...{ SchemaVersion: '2018-10-08', Severity: {}, Title: 'x', Types: ['x'], UpdatedAt: 'x' },
});

describe('the bucket', () => {
  it('keeps what is written, byte for byte, and every version of it', async () => {
    const { account, store } = world();
    await store.put(NAME, 'application/json', '{"user":"Zoë <root>"}');
    await store.put(NAME, 'application/json', '{}');
    expect(await store.get(NAME)).toBe('{}');
    expect(account.buckets.get('b')?.objects.get(NAME)).toMatchObject([
      { body: '{"user":"Zoë <root>"}', contentType: 'application/json' },
      { body: '{}' },
    ]);
  });

  it('says of an object that is not there that it is not there, and of nothing else', async () => {
    const { account, store } = world();
    expect(await store.get(NAME)).toBeUndefined();
    account.faults.add({
      match: { action: 'GetObject' },
      kind: 'refuse',
      error: { code: 'AccessDenied', status: 403 },
    });
    await expect(store.get(NAME)).rejects.toMatchObject({
      operation: 'GetObject',
      awsCode: 'AccessDenied',
      refused: true,
    });
  });

  it.each<[string, Parameters<SimulatedAccount['faults']['add']>[0]]>([
    ['a slow-down', { match: {}, kind: 'refuse', times: 3, error: { code: 'SlowDown', status: 503 } }],
    ['a broken connection', { match: {}, kind: 'network', times: 3 }],
    ['a lost answer', { match: {}, kind: 'lose-answer', times: 3 }],
  ])('is asked again after %s, with longer and longer waits', async (_, fault) => {
    const { account, waits, store } = world();
    account.faults.add(fault);
    await store.put(NAME, 'text/plain', 'x');
    expect(await store.get(NAME)).toBe('x');
    expect(waits).toEqual([200, 400, 800]);
  });

  it.each<[string, Parameters<SimulatedAccount['faults']['add']>[0], object]>([
    [
      'throttling that lasts',
      { match: {}, kind: 'refuse', times: 9, error: { code: 'SlowDown', status: 503 } },
      { awsCode: 'SlowDown', refused: false },
    ],
    ['a network that is down', { match: {}, kind: 'network', times: 9 }, { awsCode: 'Error', refused: false }],
    [
      'a refusal',
      { match: {}, kind: 'refuse', times: 9, error: { code: 'AccessDenied', status: 403 } },
      { awsCode: 'AccessDenied', refused: true },
    ],
  ])('fails after %s', async (_, fault, expected) => {
    const { account, store } = world();
    account.faults.add(fault);
    await expect(store.put(NAME, 'text/plain', 'x')).rejects.toMatchObject({ operation: 'PutObject', ...expected });
  });

  it.each([
    ['eu-central-1', 'https://b.s3.eu-central-1.amazonaws.com/a/b.json'],
    ['cn-north-1', 'https://b.s3.cn-north-1.amazonaws.com.cn/a/b.json'],
  ])('is asked in %s by its own host name, over TLS', async (region, url) => {
    const asked: string[] = [];
    const { config } = world();
    const handler: SignerConfig['requestHandler'] = {
      async handle({ protocol, hostname, path, headers }) {
        asked.push(`${protocol}//${hostname}${path}`);
        expect(headers.authorization).toContain(`/${region}/s3/aws4_request`);
        expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
        return { response: { statusCode: 200, headers: {} } };
      },
    };
    await reportBucket({ ...config, requestHandler: handler }, { bucket: 'b', region }).put(
      'a/b.json',
      'text/plain',
      'x',
    );
    expect(asked).toEqual([url]);
  });

  it('tells what it could not read as an error without a message of its own', async () => {
    const { config, waits: _ } = world();
    const handler: SignerConfig['requestHandler'] = {
      handle: async () => ({ response: { statusCode: 404, headers: {} } }),
    };
    const store = reportBucket({ ...config, requestHandler: handler }, { bucket: 'b', region: 'eu-central-1' });
    await expect(store.get('x')).rejects.toMatchObject({ awsCode: 'HTTP 404' });
    const lost: SignerConfig['requestHandler'] = { handle: () => Promise.reject(new ConnectionLost('gone')) };
    const options = { bucket: 'b', region: 'eu-central-1', sleep: async () => {} };
    await expect(reportBucket({ ...config, requestHandler: lost }, options).get('x')).rejects.toMatchObject({
      refused: false,
    });
  });
});

describe('Security Hub', () => {
  it('gets findings a hundred at a time', async () => {
    const { account, hub } = world();
    await hub.send(Array.from({ length: 250 }, (_, n) => asff(`f${n}`)));
    expect(account.hubFindings.size).toBe(250);
    expect(account.history.filter((entry) => entry.kind === 'call')).toHaveLength(3);
  });

  it('fails when it refuses one of them, although the answer is a success, and when it is not enabled', async () => {
    const { account, hub } = world();
    await expect(hub.send([asff('a'), { Id: 'b' }])).rejects.toMatchObject({ awsCode: 'InvalidInput' });
    account.faults.add({ match: {}, kind: 'refuse', error: { code: 'InvalidAccessException', status: 401 } });
    await expect(hub.send([asff('a')])).rejects.toMatchObject({ awsCode: 'InvalidAccessException', refused: true });
  });
});
