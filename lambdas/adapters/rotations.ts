/** Rotations of managed secrets, over the AWS SDK. */
import { RotateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Rotations } from '../domain/ports.ts';
import { call, isAws } from './call.ts';

/**
 * What Secrets Manager answers while AWSPENDING stands on another version than AWSCURRENT: the rotation is taken up, all the same.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
const UNDER_WAY = /previous rotation isn.t complete/i;

/** RotateSecret needs `lambda:InvokeFunction` on the rotation function too (API reference). */
export function rotations(client: SecretsManagerClient): Rotations {
  return {
    async start(secretId) {
      try {
        await call('RotateSecret', () => client.send(new RotateSecretCommand({ SecretId: secretId })));
        return 'started';
      } catch (error) {
        if (isAws(error, 'InvalidRequestException') && UNDER_WAY.test(error.message)) return 'taken-up';
        throw error;
      }
    },
  };
}
