/**
 * What the functions may do: one statement a concern, on exactly the secrets and users of the deployment.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
 */
import { type Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { EVENT_SOURCE } from '../lambdas/contract/events.ts';
import { TAGS } from '../lambdas/contract/names.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';
import type { RotatorFunction } from './rotator-function.ts';

type Keys = readonly RotatedAccessKey[];

const AWSCURRENT = 'AWSCURRENT';
const AWSPENDING = 'AWSPENDING';
const KEY_TAGS = `${TAGS.keyPrefix}*`;
const INTENT_TAGS = `${TAGS.intentPrefix}*`;
const LEAK_TAGS = `${TAGS.leakPrefix}*`;

const secretArns = (keys: Keys) => keys.map((key) => key.secret.secretArn);
const userArns = (keys: Keys) => keys.map((key) => key.userArn);

/** The keys that may be changed: what mode 'observe' promises does not rest on the functions alone. */
export const enforced = (keys: Keys): Keys => keys.filter((key) => key.deployed.mode === 'enforce');

/** What the four steps of a rotation take. A key in mode 'observe' is never rotated. */
export function grantRotation(fn: RotatorFunction, allKeys: Keys): void {
  const keys = enforced(allKeys);
  fn.grantNamed(
    'Secrets',
    new iam.PolicyStatement({
      sid: 'StoreKeys',
      actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      resources: secretArns(keys),
    }),
  );
  fn.grantNamed('Labels', moveLabels('PromoteKeys', keys, [AWSCURRENT, AWSPENDING]));
  fn.grantNamed('Ledger', writeLedger(keys, [KEY_TAGS, INTENT_TAGS, TAGS.verified, TAGS.userId]));
  fn.grantNamed('Clearing', clearLedger(keys));
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
  grantListing(fn);
  fn.grantNamed(
    'Secrets',
    new iam.PolicyStatement({
      sid: 'SeeWhichKeysAreCurrent',
      actions: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        // On which day AWSPREVIOUS was last read.
        'secretsmanager:ListSecretVersionIds',
      ],
      resources: secretArns(keys),
    }),
  );
  fn.grantNamed(
    'Users',
    new iam.PolicyStatement({
      sid: 'SeeKeysOfTheUsers',
      actions: ['iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed'],
      resources: userArns(keys),
    }),
  );
  fn.grantNamed('Labels', moveLabels('EndAbandonedRotations', enforced(keys), [AWSPENDING]));
  fn.grantNamed('Ledger', writeLedger(enforced(keys), [KEY_TAGS]));
  fn.grantNamed('Clearing', clearLedger(enforced(keys)));
  fn.grantNamed(
    'Changes',
    new iam.PolicyStatement({
      sid: 'RetireKeysOfTheUsers',
      actions: ['iam:UpdateAccessKey', 'iam:DeleteAccessKey'],
      resources: userArns(enforced(keys)),
    }),
  );
}

/**
 * What the response to a leak takes: it remembers the leak, starts a rotation and disables keys. It neither mints, stores nor deletes a key, and
 * takes no label but AWSPENDING from a version.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html for the permission to invoke
 */
export function grantResponse(fn: RotatorFunction, keys: Keys, rotateFunctionArn: string): void {
  grantListing(fn);
  fn.grantNamed(
    'Secrets',
    new iam.PolicyStatement({
      sid: 'SeeWhichKeysAreLeaked',
      actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      resources: secretArns(keys),
    }),
  );
  fn.grantNamed(
    'Users',
    new iam.PolicyStatement({
      sid: 'SeeLeakedKeys',
      actions: ['iam:ListAccessKeys'],
      resources: userArns(keys),
    }),
  );
  const changed = enforced(keys);
  fn.grantNamed('Labels', moveLabels('EndLeakedRotations', changed, [AWSPENDING]));
  fn.grantNamed('Ledger', writeLedger(changed, [KEY_TAGS, LEAK_TAGS]));
  fn.grantNamed(
    'Changes',
    new iam.PolicyStatement({
      sid: 'DisableLeakedKeys',
      actions: ['iam:UpdateAccessKey'],
      resources: userArns(changed),
    }),
  );
  fn.grantNamed(
    'Rotations',
    new iam.PolicyStatement({
      sid: 'StartRotations',
      actions: ['secretsmanager:RotateSecret'],
      resources: secretArns(changed),
    }),
    new iam.PolicyStatement({
      sid: 'InvokeRotation',
      actions: ['lambda:InvokeFunction'],
      resources: changed.length > 0 ? [rotateFunctionArn] : [],
    }),
  );
}

/** By itself, so that what is acknowledged is no more than this. */
function grantListing(fn: RotatorFunction): void {
  const listing = fn.grantNamed(
    'Listing',
    new iam.PolicyStatement({ sid: 'FindSecrets', actions: ['secretsmanager:ListSecrets'], resources: ['*'] }),
  );
  if (listing === undefined) return;
  Validations.of(listing).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'secretsmanager:ListSecrets has no resource: AWS offers no way to narrow it. It gives names, tags and labels, never a value.',
  });
}

/** These labels and no others. AWSPREVIOUS follows AWSCURRENT by itself. */
const moveLabels = (sid: string, keys: Keys, labels: string[]) =>
  new iam.PolicyStatement({
    sid,
    actions: ['secretsmanager:UpdateSecretVersionStage'],
    resources: secretArns(keys),
    conditions: { StringEquals: { 'secretsmanager:VersionStage': labels } },
  });

/** Tags of the ledger and no others: not the one that says which deployment a secret belongs to, and none that grants access elsewhere. */
const writeLedger = (keys: Keys, tags: string[]) =>
  new iam.PolicyStatement({
    sid: 'WriteLedger',
    actions: ['secretsmanager:TagResource'],
    resources: secretArns(keys),
    conditions: { 'ForAllValues:StringLike': { 'aws:TagKeys': tags } },
  });

/** What the ledger says of a key ends with the key. The pinned id of the user stays. */
const clearLedger = (keys: Keys) =>
  new iam.PolicyStatement({
    sid: 'ClearLedger',
    actions: ['secretsmanager:UntagResource'],
    resources: secretArns(keys),
    conditions: { 'ForAllValues:StringLike': { 'aws:TagKeys': [KEY_TAGS, INTENT_TAGS, LEAK_TAGS] } },
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

/** Events of this project, and of no other source, on the default bus. */
export const putEvents = (stack: Stack) =>
  new iam.PolicyStatement({
    sid: 'TellEvents',
    actions: ['events:PutEvents'],
    resources: [stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' })],
    // A call has many entries, and so many sources.
    conditions: { 'ForAllValues:StringEquals': { 'events:source': EVENT_SOURCE } },
  });
