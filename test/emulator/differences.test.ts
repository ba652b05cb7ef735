/**
 * Where moto is not like AWS, one by one. Each is observed in both accounts, so that a change on either side shows: once moto does as AWS
 * does, its line goes and the contract gets a test; if the simulated account stops doing so, it is wrong.
 *
 * What AWS does is said in the API reference of the operation named, unless another source is given.
 */
import { ListAccessKeysCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { AWSCURRENT, AWSPENDING, versionWith } from '../../lambdas/domain/model.ts';
import { createSecret, motoAccount, REGION, simulatedAccount, type TestAccount } from './accounts.ts';
import { TOKEN } from './contract.ts';

interface Difference {
  readonly id: string;
  /** What AWS does. */
  readonly aws: string;
  /** What is looked at. */
  observe(account: TestAccount): Promise<unknown>;
  readonly moto: { readonly does: string; readonly seen: unknown };
  readonly simulated: { readonly does: string; readonly seen: unknown };
}

const AS_AWS = 'the same as AWS';
const DAY_MS = 86_400_000;
const NEXT_TOKEN = '22222222-2222-4222-8222-222222222222';

const DIFFERENCES: readonly Difference[] = [
  {
    id: 'inactive-key',
    aws: 'STS refuses a key that is Inactive',
    async observe({ adapters, createUser }) {
      await createUser('app');
      const { id, secret } = await adapters.iam.mint('app');
      await adapters.iam.disable('app', id);
      return (await adapters.identities.identify({ keyId: id, secret }, REGION)).kind;
    },
    moto: { does: 'identifies it', seen: 'identified' },
    simulated: { does: AS_AWS, seen: 'refused' },
  },
  {
    id: 'same-token-other-content',
    aws: 'PutSecretValue refuses other content under a token that has content',
    async observe(account) {
      const arn = await pendingSecret(account);
      return outcome(account.adapters.secrets.storePending(arn, TOKEN, 'another'));
    },
    moto: { does: 'overwrites it while it is pending', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'ResourceExistsException' },
  },
  {
    id: 'status-of-not-found',
    aws: 'ResourceNotFoundException comes with the status 400',
    async observe({ secrets }) {
      return status(secrets.send(new DescribeSecretCommand({ SecretId: 'none' })));
    },
    moto: { does: 'answers 404', seen: 404 },
    simulated: { does: AS_AWS, seen: 400 },
  },
  {
    id: 'status-of-wrong-label',
    aws: 'InvalidRequestException comes with the status 400',
    async observe(account) {
      const SecretId = await pendingSecret(account);
      return status(
        account.secrets.send(new GetSecretValueCommand({ SecretId, VersionId: TOKEN, VersionStage: AWSCURRENT })),
      );
    },
    moto: { does: 'answers 404', seen: 404 },
    simulated: { does: AS_AWS, seen: 400 },
  },
  {
    id: 'pages-of-users',
    aws: 'ListUsers gives at most MaxItems users and a marker',
    async observe({ iam, createUser }) {
      for (const name of ['a', 'b', 'c']) await createUser(name);
      const answer = iam.send(new ListUsersCommand({ PathPrefix: '/', MaxItems: 2 }));
      return answer.then(({ Users, IsTruncated }) => [Users?.length, IsTruncated], nameOf);
    },
    moto: { does: 'gives all of them (a, b, c, and the operator) on one page', seen: [4, false] },
    simulated: { does: 'has no such operation: nothing in this project calls it', seen: 'InvalidAction' },
  },
  {
    id: 'pages-of-keys',
    aws: 'ListAccessKeys gives at most MaxItems keys and a marker',
    async observe({ adapters, iam, createUser }) {
      await createUser('app');
      for (let keys = 0; keys < 2; keys += 1) await adapters.iam.mint('app');
      const { AccessKeyMetadata, IsTruncated } = await iam.send(
        new ListAccessKeysCommand({ UserName: 'app', MaxItems: 1 }),
      );
      return [AccessKeyMetadata?.length, IsTruncated === true];
    },
    moto: { does: 'gives all of them on one page', seen: [2, false] },
    simulated: { does: AS_AWS, seen: [1, true] },
  },
  {
    id: 'resource-scoped-policy',
    aws: 'a policy that allows an action on one secret allows it there (IAM user guide, policy evaluation logic)',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      const credentials = await account.roleSession(['secretsmanager:DescribeSecret'], [SecretId]);
      const client = new SecretsManagerClient({ endpoint: account.endpoint, region: REGION, credentials });
      // The name of moto's refusal is lost: it is in XML, where the SDK awaits JSON.
      return (await status(client.send(new DescribeSecretCommand({ SecretId })))) ?? 'done';
    },
    moto: { does: 'refuses: it compares every resource but a role with *', seen: 403 },
    simulated: { does: AS_AWS, seen: 'done' },
  },
  {
    id: 'failed-rotation',
    aws: 'a rotation whose function stores nothing fails, and the value stays (user guide, rotation by Lambda function)',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      const RotationLambdaARN = await account.idleFunction();
      const RotationRules = { AutomaticallyAfterDays: 30 };
      await account.secrets.send(new RotateSecretCommand({ SecretId, RotationLambdaARN, RotationRules }));
      await account.settle();
      return account.secrets
        .send(new GetSecretValueCommand({ SecretId }))
        .then(({ SecretString }) => SecretString, nameOf);
    },
    moto: { does: 'makes the empty version the default one all the same', seen: 'ResourceNotFoundException' },
    simulated: { does: AS_AWS, seen: 'first' },
  },
  {
    id: 'rotation-without-function',
    aws: 'RotateSecret fails for a secret that has no rotation function and is not managed by a service',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      await outcome(account.secrets.send(new RotateSecretCommand({ SecretId, ClientRequestToken: TOKEN })));
      return account.adapters.secrets.read(SecretId, { label: AWSCURRENT });
    },
    moto: { does: 'moves AWSCURRENT to a version without a value', seen: undefined },
    simulated: { does: AS_AWS, seen: { version: expect.any(String), value: 'first' } },
  },
  {
    id: 'rotation-after-a-finished-one',
    aws: 'AWSPENDING on the version that is AWSCURRENT means that the last rotation is over: another one begins',
    async observe(account) {
      const arn = await pendingSecret(account);
      await promote(account, arn);
      return outcome(account.beginRotation(arn, NEXT_TOKEN));
    },
    moto: { does: 'takes it for one that is still under way', seen: 'InvalidRequestException' },
    simulated: { does: AS_AWS, seen: 'done' },
  },
  {
    id: 'rotation-during-another-one',
    aws: 'AWSPENDING on a version that is not AWSCURRENT means that a rotation is under way: RotateSecret fails',
    async observe(account) {
      const arn = await pendingSecret(account);
      return outcome(account.beginRotation(arn, NEXT_TOKEN));
    },
    moto: { does: 'begins another one', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'InvalidRequestException' },
  },
  {
    id: 'default-version',
    aws: 'GetSecretValue without version and label gives AWSCURRENT',
    async observe(account) {
      const SecretId = await pendingSecret(account);
      await promote(account, SecretId);
      return (await account.secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    },
    moto: { does: 'gives the version that was current before UpdateSecretVersionStage', seen: 'first' },
    simulated: { does: AS_AWS, seen: 'second' },
  },
  {
    id: 'versions-without-labels',
    aws: 'DescribeSecret leaves out the versions that have no label',
    async observe(account) {
      const arn = await pendingSecret(account);
      await account.adapters.secrets.moveLabel(arn, AWSPENDING, TOKEN);
      return (await account.adapters.secrets.describe(arn)).labels.get(TOKEN);
    },
    moto: { does: 'shows them with an empty list', seen: [] },
    simulated: { does: AS_AWS, seen: undefined },
  },
  {
    id: 'current-without-successor',
    aws: 'UpdateSecretVersionStage refuses to take AWSCURRENT off without giving it to another version',
    async observe(account) {
      const arn = await createSecret(account, 'iam/app', 'first');
      const from = versionWith((await account.adapters.secrets.describe(arn)).labels, AWSCURRENT) ?? '';
      return outcome(account.adapters.secrets.moveLabel(arn, AWSCURRENT, from));
    },
    moto: { does: 'takes it off', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'InvalidParameterException' },
  },
  {
    id: 'label-left-unnamed',
    aws: 'UpdateSecretVersionStage refuses to move a label whose version RemoveFromVersionId does not name',
    async observe(account) {
      const arn = await createSecret(account, 'iam/app', 'first');
      const MoveToVersionId = versionWith((await account.adapters.secrets.describe(arn)).labels, AWSCURRENT);
      await account.beginRotation(arn, TOKEN);
      const request = { SecretId: arn, VersionStage: AWSPENDING, MoveToVersionId };
      return outcome(account.secrets.send(new UpdateSecretVersionStageCommand(request)));
    },
    moto: { does: 'puts it on a second version, unless it is AWSCURRENT', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'InvalidParameterException' },
  },
  {
    id: 'number-of-tags',
    aws: 'a secret has at most 50 tags',
    async observe(account) {
      const arn = await createSecret(account, 'iam/app', 'first');
      const tags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag-${index}`, 'x']));
      return outcome(account.adapters.secrets.tag(arn, tags, []));
    },
    moto: { does: 'takes any number', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'InvalidParameterException' },
  },
  {
    id: 'characters-of-tags',
    aws: 'tags consist of letters, digits, spaces and _ . : / = + - @',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      return outcome(account.secrets.send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'a', Value: 'b,c' }] })));
    },
    moto: { does: 'takes any character', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'InvalidParameterException' },
  },
  {
    id: 'length-of-tags',
    aws: 'the value of a tag has at most 256 characters',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      const Tags = [{ Key: 'a', Value: 'b'.repeat(257) }];
      return outcome(account.secrets.send(new TagResourceCommand({ SecretId, Tags })));
    },
    moto: { does: 'takes any length', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'ValidationException' },
  },
  {
    id: 'size-of-values',
    aws: 'a value has at most 65,536 bytes',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      const SecretString = 'x'.repeat(65_537);
      return outcome(account.secrets.send(new PutSecretValueCommand({ SecretId, SecretString })));
    },
    moto: { does: 'takes any size', seen: 'done' },
    simulated: { does: AS_AWS, seen: 'ValidationException' },
  },
  {
    id: 'precision-of-dates',
    aws: "a key's CreateDate is to the second",
    async observe({ adapters, createUser }) {
      await createUser('app');
      const dates: number[] = [];
      for (let tries = 0; tries < 4; tries += 1) {
        const { id, created } = await adapters.iam.mint('app');
        dates.push(created.getTime());
        await adapters.iam.remove('app', id);
      }
      return dates.every((date) => date % 1000 === 0) ? 'seconds' : 'milliseconds';
    },
    moto: { does: 'tells milliseconds', seen: 'milliseconds' },
    simulated: { does: AS_AWS, seen: 'seconds' },
  },
  {
    id: 'form-of-user-ids',
    aws: 'the unique id of a user starts with AIDA (IAM user guide, unique identifiers)',
    async observe({ adapters, createUser }) {
      await createUser('app');
      return (await adapters.iam.userId('app')).startsWith('AIDA');
    },
    moto: { does: 'gives small letters and digits', seen: false },
    simulated: { does: AS_AWS, seen: true },
  },
  {
    id: 'refusal-of-a-signature',
    aws: 'Secrets Manager refuses a wrong signature in JSON, as InvalidSignatureException',
    async observe(account) {
      const session = await account.roleSession(['secretsmanager:DescribeSecret'], ['*']);
      const credentials = { ...session, secretAccessKey: 'another' };
      const client = new SecretsManagerClient({ endpoint: account.endpoint, region: REGION, credentials });
      return outcome(client.send(new DescribeSecretCommand({ SecretId: 'none' })));
    },
    moto: { does: "refuses it in XML, which the SDK can't read", seen: 'SyntaxError' },
    simulated: { does: AS_AWS, seen: 'InvalidSignatureException' },
  },
  {
    id: 'end-of-versions',
    aws: 'the last page of ListSecretVersionIds has no token, as the last one of every listing',
    async observe(account) {
      const SecretId = await pendingSecret(account);
      return (await account.secrets.send(new ListSecretVersionIdsCommand({ SecretId }))).NextToken;
    },
    moto: { does: 'gives an empty one', seen: '' },
    simulated: { does: AS_AWS, seen: undefined },
  },
  {
    id: 'versions-without-a-label',
    aws: 'ListSecretVersionIds leaves out versions without a label',
    async observe(account) {
      const SecretId = await pendingSecret(account);
      await account.adapters.secrets.storePending(SecretId, NEXT_TOKEN, 'third');
      const { Versions = [] } = await account.secrets.send(new ListSecretVersionIdsCommand({ SecretId }));
      return Versions.map(({ VersionStages = [] }) => VersionStages.join()).sort();
    },
    moto: { does: 'lists them', seen: ['', AWSCURRENT, AWSPENDING] },
    simulated: { does: AS_AWS, seen: [AWSCURRENT, AWSPENDING] },
  },
  {
    id: 'day-of-a-read',
    aws: 'ListSecretVersionIds tells the day on which a version was last read, without the time',
    async observe(account) {
      const SecretId = await createSecret(account, 'iam/app', 'first');
      await account.adapters.secrets.read(SecretId, { label: AWSCURRENT });
      const { Versions = [] } = await account.secrets.send(new ListSecretVersionIdsCommand({ SecretId }));
      const read = Versions[0]?.LastAccessedDate?.getTime();
      return read === undefined ? 'nothing' : account.now() - (account.now() % DAY_MS) === read;
    },
    moto: { does: 'tells another moment', seen: false },
    simulated: { does: AS_AWS, seen: true },
  },
  {
    id: 'versions-of-no-secret',
    aws: 'ListSecretVersionIds of a secret that is not there answers ResourceNotFoundException',
    async observe({ secrets }) {
      return outcome(secrets.send(new ListSecretVersionIdsCommand({ SecretId: 'none' })));
    },
    moto: { does: 'fails inside, in HTML', seen: 'SyntaxError' },
    simulated: { does: AS_AWS, seen: 'ResourceNotFoundException' },
  },
];

describe('a known difference between moto and AWS', () => {
  for (const { id, aws, observe, moto, simulated } of DIFFERENCES) {
    test(`${id}: ${aws}; moto ${moto.does}`, () => seenIn(motoAccount, observe, moto.seen));
    test(`${id}: ${aws}; the simulated account does: ${simulated.does}`, () =>
      seenIn(simulatedAccount, observe, simulated.seen));
  }

  test('no two have the same id', () => {
    expect(new Set(DIFFERENCES.map(({ id }) => id)).size).toBe(DIFFERENCES.length);
  });
});

async function seenIn(make: () => Promise<TestAccount>, observe: Difference['observe'], seen: unknown): Promise<void> {
  const account = await make();
  try {
    expect(await observe(account)).toEqual(seen);
  } finally {
    await account.close();
  }
}

/** A secret in the middle of a rotation: 'first' is current, 'second' is pending under `TOKEN`. */
async function pendingSecret(account: TestAccount): Promise<string> {
  const arn = await createSecret(account, 'iam/app', 'first');
  await account.beginRotation(arn, TOKEN);
  await account.adapters.secrets.storePending(arn, TOKEN, 'second');
  return arn;
}

async function promote(account: TestAccount, arn: string): Promise<void> {
  const from = versionWith((await account.adapters.secrets.describe(arn)).labels, AWSCURRENT) ?? '';
  await account.adapters.secrets.moveLabel(arn, AWSCURRENT, from, TOKEN);
}

/** 'done', or the name of the error. */
function outcome(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(() => 'done', nameOf);
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  const code: unknown = Reflect.get(error, 'awsCode') ?? Reflect.get(error.cause ?? {}, 'name');
  return typeof code === 'string' ? code : error.name;
}

/** HTTP status of the refusal; undefined if there was none. */
async function status(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
    if (typeof metadata !== 'object' || metadata === null) throw error;
    return Reflect.get(metadata, 'httpStatusCode');
  }
}
