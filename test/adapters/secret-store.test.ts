import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import type { SecretFacts } from '../../lambdas/domain/model.ts';
import { type Answer, answering } from './answering.ts';

const DEPLOYMENT_TAG = { Key: 'iam-key-rotator:deployment', Value: 'prod' };
const ok = (answer: object): Answer => ({ status: 200, body: JSON.stringify(answer) });
const refused = (type: string): Answer => ({ status: 400, body: JSON.stringify({ __type: type, message: 'no' }) });

function asking(...answers: [Answer, ...Answer[]]) {
  const requestHandler = answering(...answers);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new SecretsManagerClient({ region: 'eu-central-1', credentials, maxAttempts: 1, requestHandler });
  return { store: secretStore(client), asked: () => requestHandler.bodies.map((body): unknown => JSON.parse(body)) };
}

describe('the secrets of a deployment', () => {
  const all = async (listing: AsyncIterable<readonly SecretFacts[]>) => {
    const pages: (readonly SecretFacts[])[] = [];
    for await (const page of listing) pages.push(page);
    return pages;
  };

  it('are listed by their tag, a hundred at a time, over all pages', async () => {
    const { store, asked } = asking(
      ok({
        NextToken: 'next',
        SecretList: [
          {
            ARN: 'arn1',
            Name: 'one',
            SecretVersionsToStages: { v1: ['AWSCURRENT', 'theirs'], v2: ['AWSPENDING'] },
            Tags: [DEPLOYMENT_TAG, { Key: 'empty' }, { Value: 'nameless' }],
            RotationEnabled: true,
            DeletedDate: 1_767_225_600,
          },
          { ARN: 'arn2', Name: 'two', Tags: [{ ...DEPLOYMENT_TAG, Value: 'prod-2' }] },
          { ARN: 'arn3', Name: 'three' },
        ],
      }),
      ok({ SecretList: [{ ARN: 'arn4', Name: 'four', Tags: [DEPLOYMENT_TAG] }] }),
    );
    const tags = { 'iam-key-rotator:deployment': 'prod' };
    expect(await all(store.list('prod'))).toEqual([
      [
        {
          arn: 'arn1',
          name: 'one',
          labels: new Map([
            ['v1', ['AWSCURRENT', 'theirs']],
            ['v2', ['AWSPENDING']],
          ]),
          tags: { ...tags, empty: '' },
          rotationEnabled: true,
          scheduledForDeletion: true,
        },
      ],
      [{ arn: 'arn4', name: 'four', labels: new Map(), tags, rotationEnabled: false, scheduledForDeletion: false }],
    ]);
    const request = {
      MaxResults: 100,
      Filters: [
        { Key: 'tag-key', Values: ['iam-key-rotator:deployment'] },
        { Key: 'tag-value', Values: ['prod'] },
      ],
    };
    expect(asked()).toEqual([request, { ...request, NextToken: 'next' }]);
  });

  it.each([
    ['no list', ok({}), 'SecretList'],
    ['a secret without an ARN', ok({ SecretList: [{ Name: 'one' }] }), 'ARN'],
    ['a secret without a name', ok({ SecretList: [{ ARN: 'arn1' }] }), 'Name'],
  ])('are not taken for listed with %s', async (_, answer, field) => {
    await expect(all(asking(answer).store.list('prod'))).rejects.toThrow(
      `AWS_CALL_FAILED: an answer of ListSecrets without ${field}.`,
    );
  });

  it('are not taken for listed when the same token comes again', async () => {
    await expect(all(asking(ok({ NextToken: 'next', SecretList: [] })).store.list('prod'))).rejects.toThrow(
      'LISTING_LOOPS: ListSecrets answered the same page token twice.',
    );
  });

  it('are not listed when that is denied', async () => {
    await expect(all(asking(refused('AccessDeniedException')).store.list('prod'))).rejects.toMatchObject({
      operation: 'ListSecrets',
      awsCode: 'AccessDeniedException',
    });
  });
});

describe('a secret', () => {
  it('is described', async () => {
    const { store, asked } = asking(
      ok({
        ARN: 'arn1',
        Name: 'one',
        VersionIdsToStages: { v1: ['AWSCURRENT'] },
        Tags: [DEPLOYMENT_TAG],
        RotationEnabled: true,
      }),
    );
    expect(await store.describe('arn1')).toEqual({
      arn: 'arn1',
      name: 'one',
      labels: new Map([['v1', ['AWSCURRENT']]]),
      tags: { 'iam-key-rotator:deployment': 'prod' },
      rotationEnabled: true,
      scheduledForDeletion: false,
    });
    expect(asked()).toEqual([{ SecretId: 'arn1' }]);
  });

  it('without rotation, versions and tags is described too', async () => {
    expect(await asking(ok({ ARN: 'arn1', Name: 'one', RotationEnabled: false })).store.describe('arn1')).toEqual({
      arn: 'arn1',
      name: 'one',
      labels: new Map(),
      tags: {},
      rotationEnabled: false,
      scheduledForDeletion: false,
    });
  });

  it('is not described by a damaged answer, nor by none', async () => {
    await expect(asking(ok({ Name: 'one' })).store.describe('arn1')).rejects.toThrow(
      'AWS_CALL_FAILED: an answer of DescribeSecret without ARN.',
    );
    await expect(asking(refused('ResourceNotFoundException')).store.describe('arn1')).rejects.toMatchObject({
      operation: 'DescribeSecret',
      awsCode: 'ResourceNotFoundException',
    });
  });
});

describe('a value', () => {
  it.each([
    ['version and label', { version: 'v1', label: 'AWSPENDING' }, { VersionId: 'v1', VersionStage: 'AWSPENDING' }],
    ['version', { version: 'v1' }, { VersionId: 'v1' }],
    ['label', { label: 'AWSCURRENT' }, { VersionStage: 'AWSCURRENT' }],
  ])('is read by %s', async (_, which, named) => {
    const { store, asked } = asking(ok({ VersionId: 'v1', SecretString: 'text' }));
    expect(await store.read('arn1', which)).toEqual({ version: 'v1', value: 'text' });
    expect(asked()).toEqual([{ SecretId: 'arn1', ...named }]);
  });

  it('that is empty is a value', async () => {
    expect(await asking(ok({ VersionId: 'v1', SecretString: '' })).store.read('s', {})).toEqual({
      version: 'v1',
      value: '',
    });
  });

  it.each([
    ['its version', { SecretString: 'text' }, 'VersionId'],
    ['its text', { VersionId: 'v1' }, 'SecretString'],
  ])('is not read out of an answer without %s', async (_, answer, field) => {
    await expect(asking(ok(answer)).store.read('s', {})).rejects.toThrow(
      `AWS_CALL_FAILED: an answer of GetSecretValue without ${field}.`,
    );
  });

  it('that is denied is told so', async () => {
    await expect(asking(refused('AccessDeniedException')).store.read('s', {})).rejects.toMatchObject({
      operation: 'GetSecretValue',
    });
  });
});

describe('a change of a secret', () => {
  const denied = () => asking(refused('AccessDeniedException')).store;
  const deniedAs = (operation: string) => ({ operation, awsCode: 'AccessDeniedException', refused: true });

  it('stores a pending value, and fails when that is denied', async () => {
    await expect(denied().storePending('s', 't'.repeat(32), 'value')).rejects.toMatchObject(deniedAs('PutSecretValue'));
  });

  it('moves a label from one version to another one, or to none', async () => {
    const { store, asked } = asking(ok({}));
    await store.moveLabel('s', 'AWSCURRENT', 'v1', 'v2');
    await store.moveLabel('s', 'AWSPENDING', 'v1');
    expect(asked()).toEqual([
      { SecretId: 's', VersionStage: 'AWSCURRENT', RemoveFromVersionId: 'v1', MoveToVersionId: 'v2' },
      { SecretId: 's', VersionStage: 'AWSPENDING', RemoveFromVersionId: 'v1' },
    ]);
    await expect(denied().moveLabel('s', 'AWSPENDING', 'v1')).rejects.toMatchObject(
      deniedAs('UpdateSecretVersionStage'),
    );
  });

  it('writes tags, then removes others', async () => {
    const { store, asked } = asking(ok({}));
    await store.tag('s', { a: '1', b: '' }, ['c', 'd']);
    expect(asked()).toEqual([
      {
        SecretId: 's',
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
      },
      { SecretId: 's', TagKeys: ['c', 'd'] },
    ]);
  });

  it('writes no tags and removes none where there are none', async () => {
    const { store, asked } = asking(ok({}));
    await store.tag('s', {}, []);
    expect(asked()).toEqual([]);
    await store.tag('s', {}, ['c']);
    await store.tag('s', { a: '1' }, []);
    expect(asked()).toEqual([
      { SecretId: 's', TagKeys: ['c'] },
      { SecretId: 's', Tags: [{ Key: 'a', Value: '1' }] },
    ]);
  });

  it('of tags fails when either is denied', async () => {
    await expect(denied().tag('s', { a: '1' }, [])).rejects.toMatchObject(deniedAs('TagResource'));
    await expect(denied().tag('s', {}, ['c'])).rejects.toMatchObject(deniedAs('UntagResource'));
  });
});
