import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { rotations } from '../../lambdas/adapters/rotations.ts';
import { type Answer, answering } from './answering.ts';

function asking(answer: Answer) {
  const requestHandler = answering(answer);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new SecretsManagerClient({ region: 'eu-central-1', credentials, maxAttempts: 1, requestHandler });
  return {
    start: () => rotations(client).start('s'),
    asked: () => requestHandler.bodies.map((body): unknown => JSON.parse(body)),
  };
}
const refused = (message: string): Answer => ({
  status: 400,
  body: JSON.stringify({ __type: 'InvalidRequestException', message }),
});

describe('a rotation', () => {
  it('is started at once, with the function and the schedule that the secret has', async () => {
    const { start, asked } = asking({ status: 200, body: '{"ARN":"a","Name":"s","VersionId":"v"}' });
    expect(await start()).toBe('started');
    expect(asked()).toEqual([{ SecretId: 's', ClientRequestToken: expect.any(String) }]);
  });

  it('is taken up where one is under way or has failed, as Secrets Manager says', async () => {
    const { start } = asking(refused("A previous rotation isn't complete. That rotation will be reattempted."));
    expect(await start()).toBe('taken-up');
  });

  it('is an error where Secrets Manager refuses for another reason', async () => {
    const { start } = asking(refused('No Lambda rotation function ARN is associated with this secret.'));
    await expect(start()).rejects.toThrow('RotateSecret failed with InvalidRequestException');
  });
});
