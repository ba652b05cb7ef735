/** Whose key is it? Invariant 2: AWSCURRENT moves only to a key that STS has identified as the bound user's. */
import type { DeployedKey } from '../contract/deployment.ts';
import { RotatorError } from './errors.ts';
import type { Identity } from './model.ts';

/** Parts of a secret's full ARN. */
export interface SecretArn {
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** `arn:aws:secretsmanager:eu-central-1:111122223333:secret:NAME-a1b2c3`: Secrets Manager adds a hyphen and six characters to the name. */
const SECRET_ARN =
  /^arn:(?<partition>aws[a-z-]*):secretsmanager:(?<region>[a-z0-9-]+):(?<account>\d{12}):secret:(?<name>.+)-[A-Za-z0-9]{6}$/;

/** Takes a secret's full ARN apart; undefined if it is none. */
export function parseSecretArn(arn: string): SecretArn | undefined {
  const groups = SECRET_ARN.exec(arn)?.groups;
  if (groups === undefined) return undefined;
  // Stryker disable next-line StringLiteral: a match has all groups, so the empty texts, which the type asks for, are never taken.
  const { account = '', region = '', name = '' } = groups;
  return { arn, account, region, name };
}

/** Whether an identity is the bound user of the secret's account. The user's path doesn't matter. */
export function isBoundUser(identity: Identity, secret: SecretArn, policy: Pick<DeployedKey, 'userName'>): boolean {
  const [, , service, , account, resource] = identity.arn.split(':');
  return (
    service === 'iam' &&
    resource?.startsWith('user/') === true &&
    resource.split('/').at(-1) === policy.userName &&
    account === secret.account &&
    identity.account === secret.account
  );
}

/**
 * Checks that an identity is the bound user of the secret's account.
 *
 * @throws RotatorError IDENTITY_MISMATCH
 */
export function assertBoundUser(identity: Identity, secret: SecretArn, policy: DeployedKey): void {
  if (isBoundUser(identity, secret, policy)) return;
  throw new RotatorError('IDENTITY_MISMATCH', {
    found: `the pending key belongs to ${identity.arn}`,
    expected: `the user ${policy.userName} of account ${secret.account}, which the deployed configuration binds the secret ${secret.name} to`,
    remedy:
      'find out who changed the pending value; cancel the rotation (aws secretsmanager cancel-rotate-secret) and start another one',
  });
}
