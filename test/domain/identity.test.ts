import { describe, expect, it } from 'vitest';
import { assertBoundUser, parseSecretArn } from '../../lambdas/domain/identity.ts';
import { deployedKey } from '../policy.ts';

describe("a secret's ARN", () => {
  it.each([
    ['aws', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam/app-A1b2C3', 'eu-central-1', 'iam/app'],
    ['China', 'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:app-A1b2C3', 'cn-north-1', 'app'],
    [
      'GovCloud',
      'arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:a-b-c-A1b2C3',
      'us-gov-west-1',
      'a-b-c',
    ],
    [
      'a name that ends like a suffix',
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-abcdef-A1b2C3',
      'eu-central-1',
      'app-abcdef',
    ],
  ])('is taken apart in %s', (_, arn, region, name) => {
    expect(parseSecretArn(arn)).toEqual({ arn, account: '111122223333', region, name });
  });

  it.each([
    'iam/app',
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app',
    'arn:aws:iam::111122223333:user/app',
    'the arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam/app-A1b2C3',
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:iam/app-A1b2C3:AWSCURRENT',
    '',
  ])("is not seen in '%s'", (text) => expect(parseSecretArn(text)).toBeUndefined());
});

describe('the identity behind a pending key', () => {
  const secret = { arn: '', account: '111122223333', region: 'eu-central-1', name: 'iam/app' };
  const policy = deployedKey({ userName: 'app' });
  const identity = (arn: string, account = '111122223333') => ({ account, arn, userId: 'AIDA1' });

  it.each([
    'arn:aws:iam::111122223333:user/app',
    'arn:aws:iam::111122223333:user/team/ci/app',
    'arn:aws-cn:iam::111122223333:user/app',
  ])('is the bound user at %s', (arn) => {
    expect(() => assertBoundUser(identity(arn), secret, policy)).not.toThrow();
  });

  it.each([
    ['another user', 'arn:aws:iam::111122223333:user/admin', '111122223333'],
    ['a user whose path has the bound name', 'arn:aws:iam::111122223333:user/app/admin', '111122223333'],
    ['the same name in another account', 'arn:aws:iam::999999999999:user/app', '999999999999'],
    ['an ARN that disagrees with its account', 'arn:aws:iam::999999999999:user/app', '111122223333'],
    ['an account that disagrees with its ARN', 'arn:aws:iam::111122223333:user/app', '999999999999'],
    ['a role of that name', 'arn:aws:iam::111122223333:role/app', '111122223333'],
    ['a session of that name', 'arn:aws:sts::111122223333:assumed-role/user/app', '111122223333'],
    ['the root user', 'arn:aws:iam::111122223333:root', '111122223333'],
    ['something else of that name', 'arn:aws:sts::111122223333:user/app', '111122223333'],
    ['an ARN that names nobody', 'arn:aws:iam::111122223333', '111122223333'],
    ['no ARN', 'app', '111122223333'],
  ])('is refused when it is %s', (_, arn, account) => {
    expect(() => assertBoundUser(identity(arn, account), secret, policy)).toThrow(
      `IDENTITY_MISMATCH: the pending key belongs to ${arn}. ` +
        'Expected: the user app of account 111122223333, which the deployed configuration binds the secret iam/app to. ' +
        'To do: find out who changed the pending value; cancel the rotation (aws secretsmanager cancel-rotate-secret) and start another one.',
    );
  });
});
