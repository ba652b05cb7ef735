/**
 * What the functions may do: one statement a concern, on exactly the secrets and users of the deployment.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
 */
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { TAGS } from '../lambdas/contract/names.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';
import type { RotatorFunction } from './rotator-function.ts';

type Keys = readonly RotatedAccessKey[];

const secretArns = (keys: Keys) => keys.map((key) => key.secret.secretArn);
const userArns = (keys: Keys) => keys.map((key) => key.userArn);

/** What the four steps of a rotation take. */
export function grantRotation(fn: RotatorFunction, keys: Keys): void {
  fn.grantNamed(
    'Secrets',
    new iam.PolicyStatement({
      sid: 'StoreAndPromoteKeys',
      actions: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:PutSecretValue',
        'secretsmanager:UpdateSecretVersionStage',
      ],
      resources: secretArns(keys),
    }),
  );
  fn.grantNamed(
    'Ledger',
    writeLedger(keys, [`${TAGS.keyPrefix}*`, `${TAGS.intentPrefix}*`, TAGS.verified, TAGS.userId]),
  );
  fn.grantNamed(
    'Users',
    new iam.PolicyStatement({
      sid: 'ReplaceKeysOfTheUsers',
      actions: [
        'iam:ListAccessKeys',
        'iam:GetAccessKeyLastUsed',
        'iam:GetUser',
        'iam:CreateAccessKey',
        'iam:UpdateAccessKey',
        'iam:DeleteAccessKey',
      ],
      resources: userArns(keys),
    }),
  );
}

/** What the retire pass takes: it neither mints a key nor stores one, and takes no label but AWSPENDING from a version. */
export function grantRetirement(fn: RotatorFunction, keys: Keys): void {
  fn.grantNamed(
    'Secrets',
    // ListSecrets has no resource: AWS offers no way to narrow it. It gives names, tags and labels, never a value.
    new iam.PolicyStatement({ sid: 'FindSecrets', actions: ['secretsmanager:ListSecrets'], resources: ['*'] }),
    new iam.PolicyStatement({
      sid: 'SeeWhichKeysAreCurrent',
      actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      resources: secretArns(keys),
    }),
  );
  fn.grantNamed(
    'Labels',
    new iam.PolicyStatement({
      sid: 'EndAbandonedRotations',
      actions: ['secretsmanager:UpdateSecretVersionStage'],
      resources: secretArns(keys),
      conditions: { StringEquals: { 'secretsmanager:VersionStage': 'AWSPENDING' } },
    }),
  );
  fn.grantNamed('Ledger', writeLedger(keys, [`${TAGS.keyPrefix}*`, `${TAGS.intentPrefix}*`]));
  fn.grantNamed(
    'Users',
    new iam.PolicyStatement({
      sid: 'RetireKeysOfTheUsers',
      actions: ['iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed', 'iam:UpdateAccessKey', 'iam:DeleteAccessKey'],
      resources: userArns(keys),
    }),
  );
}

/** The tags of the ledger and no others: not the one that says which deployment a secret belongs to, and none that grants access elsewhere. */
const writeLedger = (keys: Keys, tags: string[]) =>
  new iam.PolicyStatement({
    sid: 'WriteLedger',
    actions: ['secretsmanager:TagResource', 'secretsmanager:UntagResource'],
    resources: secretArns(keys),
    conditions: { 'ForAllValues:StringLike': { 'aws:TagKeys': tags } },
  });

/** Use of the customer managed KMS keys of the secrets, through Secrets Manager only; no statement if there are none. */
export function useEncryptionKeys(stack: Stack, keys: Keys, actions: readonly string[]): iam.PolicyStatement[] {
  const resources = [...new Set(keys.flatMap((key) => key.encryptionKey?.keyArn ?? []))];
  if (resources.length === 0) return [];
  return [
    new iam.PolicyStatement({
      sid: 'UseEncryptionKeys',
      actions: actions.map((action) => `kms:${action}`),
      resources,
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
    }),
  ];
}

export const sendTo = (queue: sqs.IQueue) =>
  new iam.PolicyStatement({ sid: 'SendDeadLetters', actions: ['sqs:SendMessage'], resources: [queue.queueArn] });
