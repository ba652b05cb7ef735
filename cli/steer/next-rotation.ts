import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { call } from '../../lambdas/adapters/call.ts';

/** When Secrets Manager rotates the secret next by its schedule; undefined if it has none. */
export async function nextRotation(client: SecretsManagerClient, secretName: string): Promise<Date | undefined> {
  const answer = await call('DescribeSecret', () => client.send(new DescribeSecretCommand({ SecretId: secretName })));
  return answer.RotationEnabled === true ? answer.NextRotationDate : undefined;
}
