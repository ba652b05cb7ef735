import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { secretVersions } from '../../lambdas/adapters/secret-versions.ts';
import { type Answer, answering } from './answering.ts';

const ok = (answer: object): Answer => ({ status: 200, body: JSON.stringify(answer) });

function asking(...answers: [Answer, ...Answer[]]) {
  const requestHandler = answering(...answers);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new SecretsManagerClient({ region: 'eu-central-1', credentials, maxAttempts: 1, requestHandler });
  return {
    versions: secretVersions(client),
    asked: () => requestHandler.bodies.map((body): unknown => JSON.parse(body)),
  };
}

describe('the versions of a secret', () => {
  it('are listed with their labels and the day of their last read, over all pages', async () => {
    const { versions, asked } = asking(
      ok({
        NextToken: 'next',
        Versions: [{ VersionId: 'v1', VersionStages: ['AWSPREVIOUS'], LastAccessedDate: 1_767_225_600 }],
      }),
      ok({ Versions: [{ VersionId: 'v2', VersionStages: ['AWSCURRENT'] }, { VersionId: 'v3' }] }),
    );
    expect(await versions.list('s')).toStrictEqual([
      { version: 'v1', labels: ['AWSPREVIOUS'], readOn: new Date('2026-01-01T00:00:00Z') },
      { version: 'v2', labels: ['AWSCURRENT'] },
      { version: 'v3', labels: [] },
    ]);
    expect(asked()).toEqual([
      { SecretId: 's', MaxResults: 100 },
      { SecretId: 's', MaxResults: 100, NextToken: 'next' },
    ]);
  });

  it('are an error where the answer is damaged, or runs in circles', async () => {
    await expect(asking(ok({})).versions.list('s')).rejects.toThrow(
      'an answer of ListSecretVersionIds without Versions',
    );
    await expect(asking(ok({ Versions: [{}] })).versions.list('s')).rejects.toThrow('without VersionId');
    const circle = ok({ Versions: [], NextToken: 'again' });
    await expect(asking(circle, circle, circle).versions.list('s')).rejects.toMatchObject({ code: 'LISTING_LOOPS' });
    const denied = { status: 400, body: JSON.stringify({ __type: 'AccessDeniedException', message: 'no' }) };
    await expect(asking(denied).versions.list('s')).rejects.toMatchObject({
      operation: 'ListSecretVersionIds',
      awsCode: 'AccessDeniedException',
    });
  });
});
