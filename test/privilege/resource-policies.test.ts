/** Who gets at the secrets, the KMS key, the rotate function and the queue: the policies on these, judged with those of whoever asks. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationRequest } from '../../local/account.ts';
import { evaluate } from '../../local/policy-engine.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { DeployedStack, type Statement } from './deployed-stack.ts';

const ACCOUNT = '111122223333';
const OTHER_ACCOUNT = '444455556666';
const REGION = 'eu-central-1';
const KMS_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`;
const roleArn = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`;

const stack = new DeployedStack([
  {
    user: 'closed',
    createUser: true,
    readers: [roleArn('reader')],
    ledgerOperators: [roleArn('operator')],
    replicas: [{ region: 'eu-west-1' }],
    exclusive: { breakGlassRoleArn: roleArn('break-glass') },
  },
  {
    user: 'open',
    createUser: true,
    readers: [roleArn('reader')],
    ledgerOperators: [roleArn('operator')],
    replicas: [{ region: 'eu-west-1' }],
  },
  { user: 'plain', createUser: true },
  { user: 'sealed', createUser: true, kmsKeyArn: KMS_KEY, readers: [roleArn('reader')] },
  { user: 'own', userPath: '/service/', createUser: true, userReads: true },
  { user: 'own-closed', createUser: true, userReads: true, exclusive: { breakGlassRoleArn: roleArn('break-glass') } },
]);

const EVERYTHING: readonly Statement[] = [{ Effect: 'Allow', Action: '*', Resource: '*' }];
const NOTHING: readonly Statement[] = [];

interface Asker {
  readonly arn: string;
  readonly may: readonly Statement[];
  readonly context?: AuthorizationRequest['context'];
}

const ofTemplate = (role: string): Asker => {
  const { arn = '', statements: may = NOTHING } = stack.roles[role] ?? {};
  return { arn, may };
};
const admin: Asker = { arn: roleArn('admin'), may: EVERYTHING };
/** The role that CDK's bootstrap stack gives CloudFormation. */
const deployer: Asker = { arn: roleArn(`cdk-hnb659fds-cfn-exec-role-${ACCOUNT}-${REGION}`), may: EVERYTHING };
const throughCloudFormation: Asker = { ...admin, context: { 'aws:CalledVia': ['cloudformation.amazonaws.com'] } };
const throughAnother: Asker = { ...admin, context: { 'aws:CalledVia': ['athena.amazonaws.com'] } };
const operator: Asker = { arn: roleArn('operator'), may: EVERYTHING };

async function may(
  { arn, may: statements, context = {} }: Asker,
  action: string,
  resource: string,
  policy: unknown,
  more = {},
) {
  const request = {
    principalArn: arn,
    action,
    resource,
    context: { 'aws:PrincipalArn': arn, ...context, ...more },
    ...(policy === undefined ? {} : { resourcePolicy: policy }),
  };
  return (await evaluate(statements, request, ACCOUNT)).allowed;
}

const TAGGING = ['TagResource', 'UntagResource'] as const;

/** Actions on a secret, each as it is asked for. */
const ON_SECRETS = {
  read: ['GetSecretValue'],
  describe: ['DescribeSecret'],
  write: ['PutSecretValue', 'UpdateSecretVersionStage'],
  change: ['UpdateSecret'],
  /** With a tag of a team. */
  tag: TAGGING,
  /** With a tag of the ledger. */
  ledger: TAGGING,
  repair: ['PutResourcePolicy', 'DeleteResourcePolicy', 'GetResourcePolicy'],
} as const;
type Group = keyof typeof ON_SECRETS;
const GROUPS = Object.keys(ON_SECRETS) as Group[];

const TAGS_OF_LEDGER = { 'aws:TagKeys': ['iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE'] };
const TAGS_OF_TEAM = { 'aws:TagKeys': ['Owner'] };
const taggingOf = (userName: string): Statement => ({
  Effect: 'Allow',
  Action: TAGGING.map((action) => `secretsmanager:${action}`),
  Resource: stack.secret(userName).arn,
});

/** The groups of which an asker may do all; of a group it must be allowed all or nothing. */
async function rights(asker: Asker, userName: string, region = REGION): Promise<Group[]> {
  const { arn, resourcePolicy } = stack.secret(userName);
  const held: Group[] = [];
  for (const group of GROUPS) {
    const verdicts = await Promise.all(
      ON_SECRETS[group].map((action) => {
        const label = action === 'UpdateSecretVersionStage' ? { 'secretsmanager:VersionStage': 'AWSCURRENT' } : {};
        const tags = group === 'ledger' ? TAGS_OF_LEDGER : group === 'tag' ? TAGS_OF_TEAM : {};
        const resource = arn.replace(`:${REGION}:`, `:${region}:`);
        return may(asker, `secretsmanager:${action}`, resource, resourcePolicy, { ...label, ...tags });
      }),
    );
    if (new Set(verdicts).size > 1) throw new Error(`${group} is allowed in part: ${verdicts}`);
    if (verdicts[0] === true) held.push(group);
  }
  return held;
}

describe('an exclusive secret', () => {
  it.each<[string, Asker, Group[]]>([
    ['an administrator', admin, ['describe', 'repair']],
    [
      'an administrator through CloudFormation',
      throughCloudFormation,
      ['describe', 'change', 'tag', 'ledger', 'repair'],
    ],
    ['an administrator through another service', throughAnother, ['describe', 'repair']],
    ['the role that deploys', deployer, ['read', 'describe', 'change', 'tag', 'ledger', 'repair']],
    ['an operator of the ledger', operator, ['describe', 'tag', 'ledger', 'repair']],
    ['a reader', { arn: roleArn('reader'), may: NOTHING }, ['read', 'describe']],
    ['a reader who is an administrator', { arn: roleArn('reader'), may: EVERYTHING }, ['read', 'describe', 'repair']],
    ['the break-glass role', { arn: roleArn('break-glass'), may: EVERYTHING }, GROUPS],
    ['the break-glass role, whom IAM allows nothing', { arn: roleArn('break-glass'), may: NOTHING }, []],
    ['somebody with a similar name', { arn: roleArn('reader-2'), may: EVERYTHING }, ['describe', 'repair']],
    ['a reader of another account', { arn: roleArn('reader', OTHER_ACCOUNT), may: EVERYTHING }, []],
  ])('gives %s what is theirs and no more', async (_, asker, expected) => {
    expect(await rights(asker, 'closed')).toEqual(expected);
  });

  it('leaves the functions what their own roles grant', async () => {
    const { arn, resourcePolicy } = stack.secret('closed');
    const all = [...new Set(Object.values(ON_SECRETS).flat())];
    const allowed = async (role: string) => {
      const held: string[] = [];
      for (const action of all) {
        const label = { 'secretsmanager:VersionStage': 'AWSPENDING', ...TAGS_OF_LEDGER };
        if (await may(ofTemplate(role), `secretsmanager:${action}`, arn, resourcePolicy, label)) held.push(action);
      }
      return held;
    };
    const both = ['UpdateSecretVersionStage', 'TagResource', 'UntagResource'];
    expect(await allowed('rotate')).toEqual(['GetSecretValue', 'DescribeSecret', 'PutSecretValue', ...both]);
    expect(await allowed('retire')).toEqual(['GetSecretValue', 'DescribeSecret', ...both]);
  });

  it('is as closed in the Region of its copy, which has the same policy and an ARN of its own', async () => {
    const reader = { arn: roleArn('reader'), may: NOTHING };
    expect(await rights(admin, 'closed', 'eu-west-1')).toEqual(['describe', 'repair']);
    expect(await rights(reader, 'closed', 'eu-west-1')).toEqual(['read', 'describe']);
  });
});

/** All that a secret's policy leaves to IAM. */
const BUT_THE_LEDGER = GROUPS.filter((group) => group !== 'ledger');

describe('a secret with readers', () => {
  it('lets them read and describe it, and keeps nobody from what IAM allows, but for the ledger', async () => {
    expect(await rights({ arn: roleArn('reader'), may: NOTHING }, 'open')).toEqual(['read', 'describe']);
    expect(await rights(admin, 'open')).toEqual(BUT_THE_LEDGER);
    expect(await rights({ arn: roleArn('other'), may: NOTHING }, 'open')).toEqual([]);
  });

  it('is the only kind with a policy that grants anything, besides the exclusive', async () => {
    expect(JSON.stringify(stack.secret('plain').resourcePolicy)).not.toContain('Allow');
    expect(await rights({ arn: roleArn('reader'), may: NOTHING }, 'plain')).toEqual([]);
  });
});

describe('a secret that its user reads', () => {
  const user = (name: string, may = NOTHING): Asker => ({ arn: `arn:aws:iam::${ACCOUNT}:user${name}`, may });

  it.each([
    ['own', '/service/own'],
    ['own-closed', '/own-closed'],
  ])('%s: lets the user read and describe it, and nothing else', async (secret, name) => {
    expect(await rights(user(name), secret)).toEqual(['read', 'describe']);
  });

  it('is open to no other user, and no other secret to this one', async () => {
    expect(await rights(user('/own'), 'own')).toEqual([]);
    expect(await rights(user('/service/other'), 'own')).toEqual([]);
    expect(await rights(user('/other', EVERYTHING), 'own-closed')).not.toContain('read');
    expect(await rights(user('/service/own'), 'plain')).toEqual([]);
  });

  it('is not the default', async () => {
    expect(await rights(user('/plain'), 'plain')).toEqual([]);
    expect(await rights(user('/open'), 'open')).toEqual([]);
  });
});

describe('the ledger of any secret', () => {
  it.each<[string, Asker, string, Group[]]>([
    ['an administrator', admin, 'plain', BUT_THE_LEDGER],
    ['an administrator through CloudFormation', throughCloudFormation, 'plain', GROUPS],
    ['an administrator through another service', throughAnother, 'plain', BUT_THE_LEDGER],
    ['the role that deploys', deployer, 'plain', GROUPS],
    ['an operator whom the configuration names', operator, 'open', GROUPS],
    ['an operator of another secret', operator, 'plain', BUT_THE_LEDGER],
    ['an operator, whom IAM allows nothing', { ...operator, may: NOTHING }, 'open', []],
    ['an operator of another account', { ...operator, arn: roleArn('operator', OTHER_ACCOUNT) }, 'open', []],
    ['somebody with a similar name', { ...operator, arn: roleArn('operator-2') }, 'open', BUT_THE_LEDGER],
    ['a reader who is an administrator', { arn: roleArn('reader'), may: EVERYTHING }, 'open', BUT_THE_LEDGER],
    ['a team that may only tag', { arn: roleArn('team'), may: [taggingOf('plain')] }, 'plain', ['tag']],
  ])('gives %s what is theirs, and the ledger to none but those named', async (_, asker, userName, expected) => {
    expect(await rights(asker, userName)).toEqual(expected);
  });

  it('is as closed in the Region of its copy', async () => {
    expect(await rights(admin, 'open', 'eu-west-1')).toEqual(BUT_THE_LEDGER);
    expect(await rights(operator, 'open', 'eu-west-1')).toEqual(GROUPS);
  });

  it.each([
    'key/AKIAIOSFODNN7EXAMPLE',
    'intent/11111111-2222-3333-4444-555555555555',
    'verified',
    'user-id',
    'deployment',
    'a-tag-of-tomorrow',
  ])('is closed to an administrator for the tag %s, alone or among those of teams', async (name) => {
    const { arn, resourcePolicy } = stack.secret('plain');
    const tag = `iam-key-rotator:${name}`;
    for (const action of TAGGING)
      for (const TagKeys of [[tag], ['Owner', tag], [tag, 'Owner']]) {
        const asked = { 'aws:TagKeys': TagKeys };
        expect(await may(admin, `secretsmanager:${action}`, arn, resourcePolicy, asked)).toBe(false);
      }
  });

  it.each(['Owner', 'iam-key-rotator', 'x-iam-key-rotator:key', 'IAM-KEY-ROTATOR:KEY/AKIA', 'aws-cdk:x'])(
    'is no other tag: an administrator may write %s',
    async (tag) => {
      const { arn, resourcePolicy } = stack.secret('plain');
      const asked = { 'aws:TagKeys': [tag] };
      for (const action of TAGGING)
        expect(await may(admin, `secretsmanager:${action}`, arn, resourcePolicy, asked)).toBe(true);
    },
  );

  it.each(['rotate', 'retire'])('takes from %s the tags that its own role grants', async (role) => {
    for (const user of ['plain', 'open', 'sealed']) {
      const { arn, resourcePolicy } = stack.secret(user);
      for (const action of TAGGING)
        expect(await may(ofTemplate(role), `secretsmanager:${action}`, arn, resourcePolicy, TAGS_OF_LEDGER)).toBe(true);
    }
  });
});

describe('a secret with a customer managed key', () => {
  const viaSecretsManager = `secretsmanager.${REGION}.amazonaws.com`;
  const REFUSED = 'Access to KMS is not allowed';

  /** What the account answers to a role with these statements, KMS asked as well. */
  async function answer(statements: readonly Statement[], action: string, userName = 'sealed', role = 'reader') {
    const { arn: principalArn } = stack.account.createRole(role, statements);
    const { arn: resource, resourcePolicy } = stack.secret(userName);
    const policy = resourcePolicy === undefined ? {} : { resourcePolicy };
    const context = { 'aws:PrincipalArn': principalArn };
    return stack.account.authorize?.({
      principalArn,
      action: `secretsmanager:${action}`,
      resource,
      context,
      ...policy,
    });
  }

  it.each([
    ['rotate', 'GetSecretValue'],
    ['rotate', 'PutSecretValue'],
    ['retire', 'GetSecretValue'],
  ])('is used by %s, in %s, by what the statement on its key grants', async (role, action) => {
    const { may: statements } = ofTemplate(role);
    expect(await answer(statements, action, 'sealed', 'copy')).toMatchObject({ allowed: true });
    const less = statements.filter(({ Sid }) => Sid !== 'UseEncryptionKeys');
    const verdict = await answer(less, action, 'sealed', 'copy');
    expect(verdict).toMatchObject({ allowed: false, reason: expect.stringContaining(REFUSED) });
    expect(await answer(less, action, 'plain', 'copy')).toMatchObject({ allowed: true });
  });

  it.each([
    ['kms:GenerateDataKey', 'kms:Decrypt'],
    ['kms:Decrypt', 'kms:GenerateDataKey'],
  ])('takes no value from whom the key allows %s and not %s', async (Action, missing) => {
    const half = ofTemplate('rotate').may.map((statement) =>
      statement.Sid === 'UseEncryptionKeys' ? { ...statement, Action } : statement,
    );
    const verdict = await answer(half, 'PutSecretValue', 'sealed', 'copy');
    expect(verdict).toMatchObject({ allowed: false, reason: expect.stringContaining(`${REFUSED} (${missing}`) });
  });

  it('is not opened by its readers unless they may decrypt with its key, through Secrets Manager in its Region', async () => {
    const reads = async (...statements: Statement[]) => (await answer(statements, 'GetSecretValue'))?.allowed;
    const decrypt = (Resource: string, via: string): Statement => ({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource,
      Condition: { StringEquals: { 'kms:ViaService': via } },
    });
    expect(await reads()).toBe(false);
    expect(await reads(decrypt(KMS_KEY, 'secretsmanager.us-east-1.amazonaws.com'))).toBe(false);
    expect(await reads(decrypt(KMS_KEY.replace('0123', '3210'), viaSecretsManager))).toBe(false);
    expect(await reads(decrypt(KMS_KEY, viaSecretsManager))).toBe(true);
  });

  it('is the only kind that asks for a key: the AWS managed one is for everybody in the account', async () => {
    expect(await answer(NOTHING, 'GetSecretValue', 'open')).toMatchObject({ allowed: true });
  });
});

describe('the rotate function', () => {
  const functionArn = stack.arnOf('AWS::Lambda::Function', 'Rotate');

  /** The policy that Lambda makes of the template's permissions. @see https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html */
  const policyOf = (arn: string) => ({
    Version: '2012-10-17',
    Statement: stack
      .properties('AWS::Lambda::Permission')
      .filter(({ FunctionName }) => FunctionName === arn)
      .map(({ Action, Principal, SourceAccount, SourceArn }) => ({
        Effect: 'Allow',
        Principal: { Service: Principal },
        Action,
        Resource: arn,
        Condition: {
          StringEquals: { 'aws:SourceAccount': SourceAccount },
          ArnLike: { 'aws:SourceArn': SourceArn },
        },
      })),
  });

  const invokes = (service: string, sourceArn: string, sourceAccount = ACCOUNT) =>
    may({ arn: service, may: NOTHING }, 'lambda:InvokeFunction', functionArn, policyOf(functionArn), {
      'aws:SourceAccount': sourceAccount,
      'aws:SourceArn': sourceArn,
    });
  const SERVICE = 'secretsmanager.amazonaws.com';

  it.each(['closed', 'open', 'plain', 'sealed'])('is invoked by Secrets Manager for the secret of %s', async (user) => {
    expect(await invokes(SERVICE, stack.secret(user).arn)).toBe(true);
  });

  it('is invoked for no other secret, account or service', async () => {
    const { arn } = stack.secret('plain');
    expect(await invokes(SERVICE, arn.replace('plain', 'other'))).toBe(false);
    expect(await invokes(SERVICE, `${arn.slice(0, -6)}AAAAAA`)).toBe(false);
    expect(await invokes(SERVICE, arn, OTHER_ACCOUNT)).toBe(false);
    expect(await invokes(SERVICE, arn.replace(ACCOUNT, OTHER_ACCOUNT), OTHER_ACCOUNT)).toBe(false);
    expect(await invokes('events.amazonaws.com', arn)).toBe(false);
    expect(await invokes('scheduler.amazonaws.com', arn)).toBe(false);
  });

  it('is invoked by the role of the response to leaks, which RotateSecret asks for, and that one invokes no other function', async () => {
    const asker = ofTemplate('respond');
    expect(await may(asker, 'lambda:InvokeFunction', functionArn, undefined)).toBe(true);
    for (const name of ['RetireFunction', 'RespondFunction'])
      expect(await may(asker, 'lambda:InvokeFunction', stack.arnOf('AWS::Lambda::Function', name), undefined)).toBe(
        false,
      );
  });

  it('and the retire function are invoked by no other role but that of the schedule, which may invoke exactly the retire function', async () => {
    const retire = stack.arnOf('AWS::Lambda::Function', 'RetireFunction');
    const schedule = ofTemplate('scheduler');
    const invoked = (asker: Asker, arn: string) =>
      may(asker, 'lambda:InvokeFunction', arn, policyOf(arn).Statement.length > 0 ? policyOf(arn) : undefined);
    expect(await invoked(schedule, retire)).toBe(true);
    expect(await invoked(schedule, `${retire}:1`)).toBe(false);
    expect(await invoked(schedule, functionArn)).toBe(false);
    for (const role of ['rotate', 'retire']) {
      for (const arn of [functionArn, retire]) expect(await invoked(ofTemplate(role), arn)).toBe(false);
    }
  });
});

describe('the roles', () => {
  /** Trust policies by what the roles are for. */
  const trust = Object.fromEntries(
    stack.resources
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .map(({ attributes, properties }) => [stack.roleName(attributes.Arn ?? ''), properties.AssumeRolePolicyDocument]),
  );
  const assumes = (service: string, role: string, more = {}) =>
    may({ arn: service, may: NOTHING }, 'sts:AssumeRole', stack.roles[role]?.arn ?? '', trust[role], more);
  const source = (account: string, group = 'default') => ({
    'aws:SourceAccount': account,
    'aws:SourceArn': `arn:aws:scheduler:${REGION}:${account}:schedule-group/${group}`,
  });

  it('of the functions are assumed by Lambda alone', async () => {
    for (const role of ['rotate', 'retire', 'respond', 'audit']) {
      expect(await assumes('lambda.amazonaws.com', role)).toBe(true);
      expect(await assumes('scheduler.amazonaws.com', role, source(ACCOUNT))).toBe(false);
      expect(await may(admin, 'sts:AssumeRole', stack.roles[role]?.arn ?? '', trust[role])).toBe(false);
    }
  });

  it("of the schedules are assumed by the scheduler alone, for this account's schedules", async () => {
    expect(await assumes('scheduler.amazonaws.com', 'scheduler', source(ACCOUNT))).toBe(true);
    expect(await assumes('scheduler.amazonaws.com', 'scheduler', source(OTHER_ACCOUNT))).toBe(false);
    expect(await assumes('scheduler.amazonaws.com', 'scheduler', source(ACCOUNT, 'other'))).toBe(false);
    expect(await assumes('scheduler.amazonaws.com', 'scheduler')).toBe(false);
    expect(await assumes('lambda.amazonaws.com', 'scheduler', source(ACCOUNT))).toBe(false);
  });
});

describe('the queue of failed passes', () => {
  const queue = stack.arnOf('AWS::SQS::Queue');
  const [policy] = stack.properties('AWS::SQS::QueuePolicy').map(({ PolicyDocument }) => PolicyDocument);
  const sends = (asker: Asker, tls: boolean, action = 'SendMessage') =>
    may(asker, `sqs:${action}`, queue, policy, { 'aws:SecureTransport': String(tls) });

  it('takes messages of the retire pass and of the schedule, and of nobody whom IAM does not allow', async () => {
    expect(isRecord(policy)).toBe(true);
    expect(await sends(ofTemplate('retire'), true)).toBe(true);
    expect(await sends(ofTemplate('scheduler'), true)).toBe(true);
    expect(await sends(ofTemplate('rotate'), true)).toBe(false);
    expect(await sends({ arn: roleArn('other'), may: NOTHING }, true)).toBe(false);
    expect(await sends({ arn: roleArn('admin', OTHER_ACCOUNT), may: EVERYTHING }, true)).toBe(false);
  });

  it.each(['SendMessage', 'ReceiveMessage', 'PurgeQueue', 'SetQueueAttributes', 'DeleteQueue'])(
    'does nothing without TLS, not even %s for an administrator',
    async (action) => {
      expect(await sends(admin, true, action)).toBe(true);
      expect(await sends(admin, false, action)).toBe(false);
    },
  );
});
