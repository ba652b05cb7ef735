import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { asError, call, isAws } from '../../lambdas/adapters/call.ts';
import { readDeployment } from '../../lambdas/adapters/deployment-file.ts';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { pages } from '../../lambdas/adapters/paging.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { deployedKey } from '../policy.ts';
import { type Answer, answering } from './answering.ts';

const sdkError = (name: string, metadata?: object) =>
  Object.assign(new Error(`${name} happened.`), { name, $metadata: metadata });
const failing = async (error: unknown) => {
  try {
    await call('SomeCall', () => Promise.reject(error));
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

describe('a failed call', () => {
  it.each([
    [
      'a 4xx at the first attempt proves that nothing changed',
      sdkError('AccessDenied', { httpStatusCode: 403, attempts: 1 }),
      true,
    ],
    ['so does one whose attempts are not told', sdkError('AccessDenied', { httpStatusCode: 400 }), true],
    [
      'a 4xx after a retry proves nothing: the first attempt may have taken effect',
      sdkError('X', { httpStatusCode: 400, attempts: 2 }),
      false,
    ],
    ['a 5xx proves nothing', sdkError('ServiceFailure', { httpStatusCode: 500, attempts: 1 }), false],
    [
      'a time-out at the server proves nothing',
      sdkError('RequestTimeout', { httpStatusCode: 408, attempts: 1 }),
      false,
    ],
    ['a broken connection proves nothing', Object.assign(sdkError('Error'), { code: 'ECONNRESET' }), false],
    ['a time-out proves nothing', sdkError('TimeoutError'), false],
  ])('%s', async (_, error, refused) => {
    expect(await failing(error)).toMatchObject({
      code: 'AWS_CALL_FAILED',
      operation: 'SomeCall',
      refused,
      cause: error,
    });
  });

  it('is named by its wire code, not by the name that the SDK makes of it', async () => {
    expect(await failing(sdkError('LimitExceededException', { httpStatusCode: 409 }))).toMatchObject({
      awsCode: 'LimitExceeded',
    });
    const error = await failing(sdkError('NoSuchEntityException', { httpStatusCode: 404 }));
    expect(isAws(error, 'Other', 'NoSuchEntity')).toBe(true);
    expect(isAws(error, 'Other')).toBe(false);
    expect(isAws(new Error('NoSuchEntity'), 'NoSuchEntity')).toBe(false);
  });

  it('becomes an Error whatever was thrown', () => {
    const error = new Error('x');
    expect(asError(error)).toBe(error);
    expect(asError('text')).toEqual(new Error('text'));
  });
});

describe('a paged listing', () => {
  const collect = async (answers: Record<string, { items: number[]; next?: string }>) => {
    const all: number[] = [];
    for await (const page of pages('List', async (token) => ({ next: undefined, items: [], ...answers[token ?? ''] })))
      all.push(...page);
    return all;
  };

  it('goes on past an empty page that has a token', async () => {
    expect(await collect({ '': { items: [1], next: 'a' }, a: { items: [], next: 'b' }, b: { items: [2] } })).toEqual([
      1, 2,
    ]);
  });

  it('fails rather than loop or stop when a token comes again', async () => {
    await expect(collect({ '': { items: [1], next: 'a' }, a: { items: [2], next: 'a' } })).rejects.toThrow(
      'LISTING_LOOPS: List answered',
    );
  });
});

describe('a damaged answer of AWS is never taken for an empty one', () => {
  const iam = (answer: Answer) => {
    const client = new IAMClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: answering(answer),
    });
    return iamKeys(client, client);
  };
  const store = (answer: Answer) =>
    secretStore(
      new SecretsManagerClient({
        region: 'eu-central-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        requestHandler: answering(answer),
      }),
    );
  const xml = (operation: string, result: string): Answer => ({
    status: 200,
    body: `<${operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${operation}Result>${result}</${operation}Result></${operation}Response>`,
  });

  it.each([
    [
      'a key without its id',
      () =>
        iam(
          xml('ListAccessKeys', '<AccessKeyMetadata><member><Status>Active</Status></member></AccessKeyMetadata>'),
        ).list('app'),
      'AccessKeyId',
    ],
    [
      'a truncated listing without a marker',
      () =>
        iam(xml('ListAccessKeys', '<IsTruncated>true</IsTruncated><AccessKeyMetadata></AccessKeyMetadata>')).list(
          'app',
        ),
      'Marker',
    ],
    [
      'a last use without its structure',
      () => iam(xml('GetAccessKeyLastUsed', '<UserName>app</UserName>')).lastUse('AKIA'),
      'AccessKeyLastUsed',
    ],
    [
      'a user without an id',
      () => iam(xml('GetUser', '<User><UserName>app</UserName></User>')).userId('app'),
      'User.UserId',
    ],
    [
      'a new key without its secret',
      () => iam(xml('CreateAccessKey', '<AccessKey><AccessKeyId>AKIA</AccessKeyId></AccessKey>')).mint('app'),
      'SecretAccessKey',
    ],
    ['a secret without a name', () => store({ status: 200, body: '{"ARN":"arn"}' }).describe('s'), 'Name'],
  ])('%s', async (_, read, field) => {
    await expect(read()).rejects.toThrow(new RegExp(`AWS_CALL_FAILED: an answer of \\w+ without ${field}`));
  });

  it('and a binary value is malformed, which is the fault of whoever stored it', async () => {
    const binary = store({ status: 200, body: '{"VersionId":"v","SecretBinary":"AA=="}' }).read('s', {});
    await expect(binary).rejects.toThrow('VALUE_MALFORMED: the value is binary');
  });

  it('while a key without a last use was never used', async () => {
    const answer = xml(
      'GetAccessKeyLastUsed',
      '<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>',
    );
    expect(await iam(answer).lastUse('AKIA')).toBeUndefined();
  });

  it('a failed read of a value is not "no value", but a missing value is', async () => {
    const denied = { status: 400, body: '{"__type":"AccessDeniedException","Message":"no"}' };
    await expect(store(denied).read('s', {})).rejects.toMatchObject({ awsCode: 'AccessDeniedException' });
    const missing = { status: 400, body: '{"__type":"ResourceNotFoundException","Message":"none"}' };
    expect(await store(missing).read('s', {})).toBeUndefined();
  });

  it('only secrets with exactly the tag of the deployment are listed: the filter of AWS matches prefixes', async () => {
    const tagged = (name: string, value: string) => ({
      ARN: name,
      Name: name,
      Tags: [{ Key: 'iam-key-rotator:deployment', Value: value }],
    });
    const body = JSON.stringify({ SecretList: [tagged('a', 'prod'), tagged('b', 'prod-2')] });
    const names: string[] = [];
    for await (const page of store({ status: 200, body }).list('prod'))
      names.push(...page.map((secret) => secret.name));
    expect(names).toEqual(['a']);
  });
});

describe('storing a pending value', () => {
  it('names AWSPENDING, the token, and the RotationToken if there is one', async () => {
    const handler = answering({ status: 200, body: '{}' });
    const client = new SecretsManagerClient({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      requestHandler: handler,
    });
    await secretStore(client).storePending('s', 't'.repeat(32), 'value', 'r'.repeat(40));
    await secretStore(client).storePending('s', 't'.repeat(32), 'value');
    const common = {
      SecretId: 's',
      ClientRequestToken: 't'.repeat(32),
      SecretString: 'value',
      VersionStages: ['AWSPENDING'],
    };
    expect(handler.bodies.map((body) => JSON.parse(body))).toEqual([
      { ...common, RotationToken: 'r'.repeat(40) },
      common,
    ]);
  });
});

describe('the deployment file', () => {
  const deployment: Deployment = {
    formatVersion: 1,
    name: 'x',
    maxChangesPerRun: 25,
    rotateTimeout: 120,
    keys: [deployedKey({ userName: 'app', adopt: 'AKIAIOSFODNN7EXAMPLE' })],
  };
  const read = (content: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'deployment-'));
    writeFileSync(join(folder, 'deployment.json'), content);
    return () => readDeployment({ LAMBDA_TASK_ROOT: folder });
  };

  it('is read from beside the code', () => {
    expect(read(JSON.stringify(deployment))()).toEqual(deployment);
  });

  it.each([
    ['is not JSON', '{', 'read as JSON'],
    ['is of another format', JSON.stringify({ ...deployment, formatVersion: 2 }), 'formatVersion'],
    [
      'has a field that this version does not know',
      JSON.stringify({ ...deployment, keys: [{ ...deployment.keys[0], dryRun: true }] }),
      'keys.0.dryRun',
    ],
    ['allows no change', JSON.stringify({ ...deployment, maxChangesPerRun: 0 }), 'maxChangesPerRun'],
    [
      'has a time that is none',
      JSON.stringify({ ...deployment, keys: [{ ...deployment.keys[0], deleteAfter: -1 }] }),
      'keys.0.deleteAfter',
    ],
    ['is a list', '[]', 'formatVersion'],
    ['is a text', '""', 'the whole'],
  ])('is refused when it %s, before anything is done', (_, content, found) => {
    expect(read(content)).toThrow(/^DEPLOYMENT_MALFORMED/);
    expect(read(content)).toThrow(found);
  });

  it('is refused with all its problems at once', () => {
    const content = {
      ...deployment,
      name: '',
      rotateTimeout: 0.5,
      keys: [{ ...deployment.keys[0], mode: 'off', settle: '1' }],
    };
    for (const field of ['name', 'rotateTimeout', 'keys.0.mode', 'keys.0.settle']) {
      expect(read(JSON.stringify(content))).toThrow(`${field}: `);
    }
  });

  it('is missed when Lambda does not say where the code is, or when it is not there', () => {
    expect(() => readDeployment({})).toThrow('LAMBDA_TASK_ROOT');
    expect(() => readDeployment({ LAMBDA_TASK_ROOT: '/nowhere' })).toThrow('DEPLOYMENT_MALFORMED');
  });
});

describe('an answer of AWS that was damaged on its way and holds a secret', () => {
  const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY';
  const config = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };
  const reads: Readonly<Record<string, { body: string; read: (answer: Answer) => Promise<unknown> }>> = {
    GetSecretValue: {
      body: JSON.stringify({
        Name: 's',
        VersionId: 'v',
        SecretString: JSON.stringify({ AccessKeyId: 'AKIA', SecretAccessKey: SECRET }),
      }),
      read: (answer) =>
        secretStore(new SecretsManagerClient({ ...config, requestHandler: answering(answer) })).read('s', {}),
    },
    CreateAccessKey: {
      body:
        '<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateAccessKeyResult><AccessKey>' +
        `<UserName>app</UserName><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey>` +
        '<CreateDate>2026-01-01T00:00:00Z</CreateDate></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>',
      read: (answer) => {
        const client = new IAMClient({ ...config, requestHandler: answering(answer) });
        return iamKeys(client, client).mint('app');
      },
    },
  };
  const pieces = Array.from({ length: SECRET.length - 4 }, (_, at) => SECRET.slice(at, at + 5));
  /** What a log would have of it: message, stack, fields, and the same of its causes. */
  const told = (error: unknown): string => inspect(error, { depth: 10, showHidden: true, maxStringLength: null });

  it.each(Object.entries(reads))('%s: not five characters of it get into the error', async (_, { body, read }) => {
    const start = body.indexOf(SECRET);
    const damaged = Array.from({ length: SECRET.length }, (_nothing, offset) => start + offset).flatMap((at) => [
      body.slice(0, at),
      ...['"', '\\', '\n', '<', '>', '&', '</'].map((damage) => body.slice(0, at) + damage + body.slice(at + 1)),
    ]);
    const errors: unknown[] = [];
    for (const answer of damaged) {
      await read({ status: 200, body: answer }).catch((error: unknown) => errors.push(error));
    }
    expect(errors.length).toBeGreaterThan(SECRET.length);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'AWS_CALL_FAILED', refused: false });
      expect(pieces.filter((piece) => told(error).includes(piece))).toEqual([]);
    }
  });
});
