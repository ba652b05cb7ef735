import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import type { KeyInput } from '../../infra/config/index.ts';
import { type DeployedKey, parseDeployment } from '../../lambdas/contract/deployment.ts';
import { stacksOf, statement, statementsOf, templateOf } from './synth.ts';

const GLASS = 'arn:aws:iam::123456789012:role/break-glass';
const READER = 'arn:aws:iam::123456789012:role/app';
const OPERATOR = 'arn:aws:iam::123456789012:role/operator';
const KMS_KEY = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';

const keys: KeyInput[] = [
  { user: 'deploy-prod', createUser: true },
  {
    user: 'ses-sender',
    userPath: '/service/mail/',
    kmsKeyArn: KMS_KEY,
    replicas: [{ region: 'eu-west-1' }],
    ledgerOperators: [OPERATOR],
  },
  { user: 'closed', readers: [READER], ledgerOperators: [OPERATOR], exclusive: { breakGlassRoleArn: GLASS } },
];
const watched: KeyInput = { user: 'watched', mode: 'observe', kmsKeyArn: `${KMS_KEY.slice(0, -1)}0` };
const template = templateOf({ keys });
const withSchedule = (key: Omit<KeyInput, 'user'>) => templateOf({ keys: [{ user: 'u', ...key }] });

/** Logical ids of the secrets by name. */
const secretIds = Object.fromEntries(
  Object.entries(template.findResources('AWS::SecretsManager::Secret')).map(([id, { Properties }]) => [
    String(Properties.Name),
    id,
  ]),
);
const roleIdOf = (description: string) =>
  Object.keys(
    template.findResources('AWS::IAM::Role', { Properties: { Description: Match.stringLikeRegexp(description) } }),
  )[0];
/** In an order of its own: that of a list in a policy means nothing. */
const sorted = (list: unknown) =>
  [list]
    .flat()
    .map((item) => JSON.stringify(item))
    .sort();
const user = (tail: string) => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, `:user${tail}`]],
});

describe('secrets', () => {
  test('start with the bootstrap value, byte for byte: any change would overwrite the current key of every application', () => {
    const values = Object.values(template.findResources('AWS::SecretsManager::Secret')).map(
      ({ Properties }) => Properties.SecretString,
    );
    const frozen = '{"Bootstrap":"iam-key-rotator: no key yet, the first rotation stores one here"}';
    expect(values).toEqual([frozen, frozen, frozen]);
  });

  test('and users outlive the stack, also when they are replaced', () => {
    template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    template.allResources('AWS::IAM::User', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('carry the tag by which the functions find them', () => {
    template.allResourcesProperties('AWS::SecretsManager::Secret', {
      Tags: [{ Key: 'iam-key-rotator:deployment', Value: 'iam-key-rotator' }],
    });
  });

  test('are encrypted and replicated as configured', () => {
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: 'iam-key-rotator/ses-sender',
      KmsKeyId: KMS_KEY,
      ReplicaRegions: [{ Region: 'eu-west-1' }],
    });
  });

  test('only the user that asks for it is created', () => {
    template.resourceCountIs('AWS::IAM::User', 1);
    template.hasResourceProperties('AWS::IAM::User', { UserName: 'deploy-prod', Path: '/' });
  });
});

describe('rotation schedules', () => {
  test.each([
    ['30d', { AutomaticallyAfterDays: 30 }],
    [
      { every: '30d', window: '4h' },
      { ScheduleExpression: 'rate(30 days)', Duration: '4h' },
    ],
    [
      { cron: 'cron(0 3 1 * ? *)', window: '4h' },
      { ScheduleExpression: 'cron(0 3 1 * ? *)', Duration: '4h' },
    ],
  ] as const)('%j', (schedule, rules) => {
    const schedules = withSchedule({ schedule }).findResources('AWS::SecretsManager::RotationSchedule');
    expect(Object.values(schedules).map(({ Properties }) => Properties.RotationRules)).toEqual([rules]);
  });

  test('rotate when they are deployed, unless told not to', () => {
    template.allResourcesProperties('AWS::SecretsManager::RotationSchedule', { RotateImmediatelyOnUpdate: true });
    withSchedule({ rotateOnDeploy: false }).hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      RotateImmediatelyOnUpdate: false,
    });
  });

  test('wait for all that the first rotation needs: invoke permission, permissions of the role, and the user', () => {
    const [schedule] = Object.values(template.findResources('AWS::SecretsManager::RotationSchedule'));
    const needed = (type: string) => Object.keys(template.findResources(type));
    const needs: string[] = schedule?.DependsOn;
    const rotatePolicies = needed('AWS::IAM::ManagedPolicy').filter((id) => id.startsWith('RotatorRotate'));
    expect(needs).toEqual(expect.arrayContaining([...rotatePolicies, ...needed('AWS::IAM::User')]));
    expect(needs.some((id) => needed('AWS::Lambda::Permission').includes(id))).toBe(true);
  });

  test('wait until the ledger of their secret is closed', () => {
    const policyOf = (secret: string) =>
      Object.entries(template.findResources('AWS::SecretsManager::ResourcePolicy')).find(
        ([, { Properties }]) => Properties.SecretId.Ref === secret,
      )?.[0];
    const schedules = Object.values(template.findResources('AWS::SecretsManager::RotationSchedule'));
    expect(schedules).toHaveLength(3);
    for (const { Properties, DependsOn } of schedules) expect(DependsOn).toContain(policyOf(Properties.SecretId.Ref));
  });

  test('are not created in observe mode', () => {
    withSchedule({ mode: 'observe' }).resourceCountIs('AWS::SecretsManager::RotationSchedule', 0);
  });
});

describe('invoke permissions', () => {
  test('let Secrets Manager call the rotate function for each secret, naming account and secret', () => {
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission'))
      .map(({ Properties }) => Properties)
      .filter(({ Principal }) => Principal === 'secretsmanager.amazonaws.com');
    expect(permissions).toHaveLength(3);
    for (const permission of permissions) {
      expect(permission).toMatchObject({
        Action: 'lambda:InvokeFunction',
        Principal: 'secretsmanager.amazonaws.com',
        SourceAccount: { Ref: 'AWS::AccountId' },
      });
    }
    expect(permissions.map(({ SourceArn }) => SourceArn.Ref).sort()).toEqual(Object.values(secretIds).sort());
  });
});

describe('policies', () => {
  test('have no wildcard in an action that they allow', () => {
    const actions = statementsOf(template).flatMap(({ Effect, Action }) => (Effect === 'Allow' ? Action : []));
    expect(actions.length).toBeGreaterThan(30);
    // What AWS puts into the policy of every KMS key: the account administers it.
    const administers = [statement(template, 'AccountAdministersKey').Action].flat();
    expect(actions.filter((action) => action.includes('*'))).toEqual(administers);
  });

  test('have no wildcard in a resource but where AWS offers nothing else, and for what the audit sees and writes', () => {
    const wild = statementsOf(template).filter(
      ({ Principal, Resource }) => Principal === undefined && JSON.stringify(Resource ?? '').includes('*'),
    );
    const reports = Object.keys(template.findResources('AWS::S3::Bucket'))[0];
    expect(wild.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      ['secretsmanager:ListSecrets', '*'],
      ['secretsmanager:ListSecrets', '*'],
      [['iam:GenerateCredentialReport', 'iam:GetCredentialReport', 'secretsmanager:ListSecrets'], '*'],
      [['iam:GetAccessKeyLastUsed', 'iam:ListAccessKeys'], user('/*')],
      ['s3:PutObject', { 'Fn::Join': ['', [{ 'Fn::GetAtt': [reports, 'Arn'] }, '/reports/*']] }],
    ]);
  });

  test('are no more than the ten managed ones that IAM attaches to a role', () => {
    const attached = Object.values(template.findResources('AWS::IAM::ManagedPolicy')).map(({ Properties }) =>
      String(Properties.Roles[0].Ref),
    );
    const counts = [...new Set(attached)].map((role) => attached.filter((other) => other === role).length);
    expect(counts).toHaveLength(4);
    expect(Math.max(...counts)).toBeLessThanOrEqual(10);
  });

  test('have a Sid for each concern', () => {
    const unnamed = statementsOf(template).filter(({ Sid }) => Sid === undefined);
    expect(new Set(unnamed.map(({ Action }) => Action))).toEqual(new Set(['sts:AssumeRole', 'sqs:*', 's3:*']));
  });

  test('name the users exactly, with their paths', () => {
    const users = [user('/deploy-prod'), user('/service/mail/ses-sender'), user('/closed')];
    const ofLeaks = ['SeeLeakedKeys', 'DisableLeakedKeys'];
    for (const sid of ['ReplaceKeysOfTheUsers', 'SeeKeysOfTheUsers', 'RetireKeysOfTheUsers', ...ofLeaks]) {
      expect(sorted(statement(template, sid).Resource)).toEqual(sorted(users));
    }
  });

  test('name the secrets exactly', () => {
    const secrets = Object.values(secretIds).map((Ref) => ({ Ref }));
    const ofLeaks = ['SeeWhichKeysAreLeaked', 'StartRotations', 'EndLeakedRotations'];
    for (const sid of ['StoreKeys', 'PromoteKeys', 'SeeWhichKeysAreCurrent', 'EndAbandonedRotations', ...ofLeaks]) {
      expect(sorted(statement(template, sid).Resource)).toEqual(sorted(secrets));
    }
  });

  test('let the retire pass neither mint nor store a key, and take off no label but AWSPENDING', () => {
    const retire = roleIdOf('disables and deletes');
    const documents = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      Object.values(template.findResources(type, { Properties: { Roles: [{ Ref: retire }] } })),
    );
    const actions = documents.flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action),
    );
    expect(actions).toContain('iam:DeleteAccessKey');
    expect(actions).not.toContain('iam:CreateAccessKey');
    expect(actions).not.toContain('secretsmanager:PutSecretValue');
    expect(statement(template, 'EndAbandonedRotations').Condition).toEqual({
      StringEquals: { 'secretsmanager:VersionStage': ['AWSPENDING'] },
    });
  });

  test('let the response to a leak neither mint, store, promote nor delete a key', () => {
    const respond = roleIdOf('responds to leaked');
    const documents = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      Object.values(template.findResources(type, { Properties: { Roles: [{ Ref: respond }] } })),
    );
    const actions = documents.flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action),
    );
    expect(actions).toContain('secretsmanager:RotateSecret');
    for (const action of ['iam:CreateAccessKey', 'iam:DeleteAccessKey', 'secretsmanager:PutSecretValue'])
      expect(actions).not.toContain(action);
    expect(statement(template, 'EndLeakedRotations').Condition).toEqual({
      StringEquals: { 'secretsmanager:VersionStage': ['AWSPENDING'] },
    });
  });

  test('let nothing be changed in observe mode, whatever a function tries', () => {
    const both = templateOf({ keys: [{ user: 'u' }, watched] });
    const ofBoth = statementsOf(both).filter(({ Resource }) => JSON.stringify(Resource ?? '').includes('watched'));
    const actions = ofBoth.flatMap(({ Action }) => Action);
    expect([...new Set(actions)].sort()).toEqual([
      'iam:GetAccessKeyLastUsed',
      'iam:ListAccessKeys',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
    ]);
    const keyUses = statementsOf(both).filter(({ Sid }) => Sid === 'UseEncryptionKeys');
    const decrypt = ['kms:Decrypt', watched.kmsKeyArn];
    expect(keyUses.map(({ Action, Resource }) => [Action, Resource])).toEqual([decrypt, decrypt]);
  });

  test('are left out where nobody is there to change: AWS refuses an empty one', () => {
    const sids = statementsOf(templateOf({ keys: [watched] })).map(({ Sid }) => Sid);
    expect(sids).toContain('SeeWhichKeysAreCurrent');
    expect(sids).not.toContain('ReplaceKeysOfTheUsers');
    expect(sids).not.toContain('RetireKeysOfTheUsers');
    const all = statementsOf(templateOf({ keys: [watched] }));
    expect(all.filter(({ Resource, Principal }) => Resource === undefined && Principal === undefined)).toEqual([]);
  });

  test('let the functions write and clear the tags of the ledger and no others', () => {
    const tagsOf = (sid: string) =>
      statementsOf(template)
        .filter(({ Sid }) => Sid === sid)
        .map(({ Action, Condition }) => [Action, Condition?.['ForAllValues:StringLike']?.['aws:TagKeys']]);
    const [key, intent, leak] = ['key', 'intent', 'leak'].map((name) => `iam-key-rotator:${name}/*`);
    const write = 'secretsmanager:TagResource';
    expect(tagsOf('WriteLedger')).toEqual([
      [write, [key, intent, 'iam-key-rotator:verified', 'iam-key-rotator:user-id']],
      [write, [key]],
      [write, [key, leak]],
    ]);
    const clear = ['secretsmanager:UntagResource', [key, intent, leak]];
    expect(tagsOf('ClearLedger')).toEqual([clear, clear]);
  });

  test('let the functions use a customer managed key through Secrets Manager only', () => {
    const uses = statementsOf(template).filter(({ Sid }) => Sid === 'UseEncryptionKeys');
    expect(uses.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [['kms:Decrypt', 'kms:GenerateDataKey'], KMS_KEY],
      ['kms:Decrypt', KMS_KEY],
      ['kms:Decrypt', KMS_KEY],
    ]);
    for (const { Condition } of uses) expect(Condition?.StringEquals).toHaveProperty('kms:ViaService');
    expect(statementsOf(withSchedule({})).filter(({ Sid }) => Sid === 'UseEncryptionKeys')).toEqual([]);
  });
});

const rotator = ['the four steps', 'disables and deletes', 'responds to leaked'].map((of) => ({
  'Fn::GetAtt': [roleIdOf(of), 'Arn'],
}));
const deployer = {
  'Fn::Sub': expect.stringMatching(/^arn:.*:role\/cdk-hnb659fds-cfn-exec-role-[^*?]+$/),
};
const TAGGING = ['secretsmanager:TagResource', 'secretsmanager:UntagResource'];
const NOT_BY_CLOUDFORMATION = { 'aws:CalledVia': ['cloudformation.amazonaws.com'] };

describe('the ledger', () => {
  /** The statements of the policy of a user's secret. */
  const policyOf = (of: string, among = template) => {
    const policies = Object.values(among.findResources('AWS::SecretsManager::ResourcePolicy'));
    const found = policies.find(({ Properties }) => String(Properties.SecretId.Ref).startsWith(of));
    return found?.Properties.ResourcePolicy.Statement;
  };
  const closed = (operators: readonly string[]) => ({
    Sid: 'OnlyRotatorKeepsLedger',
    Effect: 'Deny',
    Principal: { AWS: '*' },
    Action: TAGGING,
    Resource: '*',
    Condition: {
      ArnNotEquals: { 'aws:PrincipalArn': [...rotator, ...operators, deployer] },
      'ForAnyValue:StringLike': { 'aws:TagKeys': ['iam-key-rotator:*'] },
      'ForAllValues:StringNotEquals': NOT_BY_CLOUDFORMATION,
    },
  });

  test('is closed to all but the rotator and CloudFormation, and nothing else of the secret is', () => {
    expect(policyOf('deployprod')).toEqual([closed([])]);
  });

  test('is open to the operators that the configuration names', () => {
    expect(policyOf('sessender')).toEqual([closed([OPERATOR])]);
  });

  test('is closed on every secret, in observe mode too, by a policy each', () => {
    template.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 3);
    const observed = templateOf({ keys: [watched] });
    expect(policyOf('watched', observed)).toMatchObject([{ Sid: 'OnlyRotatorKeepsLedger', Action: TAGGING }]);
  });

  test('of an exclusive secret is closed by the statement that closes all its tags, and by no other', () => {
    const statements: { Sid: string; Action: string | string[] }[] = policyOf('closed');
    const tagging = statements.filter(({ Action }) => [Action].flat().some((action) => TAGGING.includes(action)));
    expect(tagging.map(({ Sid }) => Sid)).toEqual(['OnlyRotatorAndStackTag']);
  });
});

describe('a secret that its user reads', () => {
  const readable = (key: Omit<KeyInput, 'user'>) => withSchedule({ userReads: true, ...key });

  test('names the user, path included', () => {
    const { Principal } = statement(readable({ userPath: '/service/' }), 'ReadersRead');
    expect(JSON.stringify(Principal)).toContain(':user/service/u');
  });

  test('waits for a user that the stack creates, since a policy that names nobody is refused', () => {
    const { DependsOn } =
      Object.values(readable({ createUser: true }).findResources('AWS::SecretsManager::ResourcePolicy'))[0] ?? {};
    expect(DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^uUser/)]));
  });
});

describe('an exclusive secret', () => {
  const exempt = (sid: string) => {
    const { Effect, Principal, Condition } = statement(template, sid);
    expect({ Effect, Principal }).toEqual({ Effect: 'Deny', Principal: { AWS: '*' } });
    return Condition?.ArnNotEquals?.['aws:PrincipalArn'];
  };

  test('is readable by its readers, the rotator, the break-glass role and the role that deploys', () => {
    expect(exempt('OnlyReadersRead')).toEqual([READER, ...rotator, GLASS, deployer]);
    expect(statement(template, 'OnlyReadersRead').Action).toBe('secretsmanager:GetSecretValue');
  });

  test('is not readable by way of CloudFormation, whose dynamic references would read it for anybody', () => {
    expect(statement(template, 'OnlyReadersRead').Condition).not.toHaveProperty('ForAllValues:StringNotEquals');
  });

  test('takes values and labels from the rotator and the break-glass role only, not from readers', () => {
    expect(exempt('OnlyRotatorWrites')).toEqual([...rotator, GLASS]);
    expect(statement(template, 'OnlyRotatorWrites').Action).toEqual([
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ]);
  });

  test('can still be changed by CloudFormation, and by nobody else', () => {
    expect(exempt('OnlyRotatorAndStackChange')).toEqual([...rotator, GLASS, deployer]);
    const { Action, Condition } = statement(template, 'OnlyRotatorAndStackChange');
    expect(Action).toBe('secretsmanager:UpdateSecret');
    expect(Condition?.['ForAllValues:StringNotEquals']).toEqual(NOT_BY_CLOUDFORMATION);
  });

  test('can still be tagged by CloudFormation and by the operators of its ledger, and by nobody else, with any tag', () => {
    expect(exempt('OnlyRotatorAndStackTag')).toEqual([...rotator, GLASS, OPERATOR, deployer]);
    const { Action, Condition } = statement(template, 'OnlyRotatorAndStackTag');
    expect(Action).toEqual(TAGGING);
    expect(Object.keys(Condition ?? {}).sort()).toEqual(['ArnNotEquals', 'ForAllValues:StringNotEquals']);
    expect(Condition?.['ForAllValues:StringNotEquals']).toEqual(NOT_BY_CLOUDFORMATION);
  });

  test('can always be repaired: its policy may be replaced or removed', () => {
    const denied = statementsOf(template).flatMap(({ Effect, Action }) => (Effect === 'Deny' ? Action : []));
    expect(denied).not.toContain('secretsmanager:PutResourcePolicy');
    expect(denied).not.toContain('secretsmanager:DeleteResourcePolicy');
    expect(denied).not.toContain('secretsmanager:DeleteSecret');
  });

  test('grants its readers reading', () => {
    expect(statement(template, 'ReadersRead')).toMatchObject({
      Effect: 'Allow',
      Principal: { AWS: READER },
      Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
    });
  });

  test('is closed in the Regions that it is copied to as well: there it has the same policy, and another ARN', () => {
    const denials = ['OnlyReadersRead', 'OnlyRotatorWrites', 'OnlyRotatorAndStackChange', 'OnlyRotatorAndStackTag'];
    for (const sid of ['ReadersRead', ...denials]) expect(statement(template, sid).Resource).toBe('*');
  });

  test('is the exception: the value and the labels of other secrets are left to IAM', () => {
    const policies = Object.values(template.findResources('AWS::SecretsManager::ResourcePolicy'));
    const closing = policies.filter(({ Properties }) =>
      /OnlyReadersRead|OnlyRotatorWrites/.test(JSON.stringify(Properties)),
    );
    expect(closing).toHaveLength(1);
  });
});

describe('functions', () => {
  test('run Node 24 on ARM with 256 MB, JSON logs and source maps', () => {
    template.resourceCountIs('AWS::Lambda::Function', 5);
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 256,
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON' },
      Environment: {
        Variables: {
          NODE_OPTIONS: Match.stringLikeRegexp('^--enable-source-maps( --max-semi-space-size=4)?$'),
          POWERTOOLS_METRICS_NAMESPACE: 'iam-key-rotator',
        },
      },
    });
  });

  test('have time for what they wait for', () => {
    const timeouts = Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => [
      Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME,
      Properties.Timeout,
    ]);
    expect(timeouts).toEqual([
      ['iam-key-rotator-rotate', 120],
      ['iam-key-rotator-retire', 900],
      ['iam-key-rotator-respond', 900],
      ['iam-key-rotator-audit', 900],
      ['iam-key-rotator-notify', 60],
    ]);
  });

  test('write to log groups of their own that are kept for a year and outlive the stack', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 5);
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Retain', Properties: { RetentionInDays: 365 } });
  });

  test('have roles without managed policies of AWS', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::IAM::Role'))) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});

describe('the audit', () => {
  const hub = templateOf({ keys, audit: { every: '12h', securityHub: true, keepReportsFor: '30d' } });
  const actionsOf = (of: Template) => {
    const roles = Object.keys(
      of.findResources('AWS::IAM::Role', {
        Properties: { Description: 'iam-key-rotator: audits the access keys of the account' },
      }),
    );
    const documents = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
      Object.values(of.findResources(type, { Properties: { Roles: [{ Ref: roles[0] }] } })),
    );
    return documents
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .flatMap(({ Action }: { Action: string | string[] }) => Action)
      .sort();
  };

  test('may read dates and names, and change nothing but its own reports', () => {
    expect(actionsOf(template)).toEqual([
      'iam:GenerateCredentialReport',
      'iam:GetAccessKeyLastUsed',
      'iam:GetCredentialReport',
      'iam:ListAccessKeys',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:PutObject',
      'secretsmanager:DescribeSecret',
      'secretsmanager:ListSecrets',
      'sqs:SendMessage',
    ]);
  });

  test('may tell Security Hub only where the configuration says so', () => {
    const before = actionsOf(template);
    expect(actionsOf(hub).filter((action) => !before.includes(action))).toEqual([
      's3:GetObject',
      's3:ListBucket',
      'securityhub:BatchImportFindings',
    ]);
  });

  test('keeps its reports in a bucket that is encrypted, versioned, closed and kept when the stack goes', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    const [bucket] = Object.values(template.findResources('AWS::S3::Bucket')).map(({ Properties }) => Properties);
    expect(bucket).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    const denied = statementsOf(template).filter(({ Effect, Action }) => Effect === 'Deny' && Action === 's3:*');
    expect(denied.map(({ Condition }) => Condition)).toEqual([
      { Bool: { 'aws:SecureTransport': 'false' } },
      { NumericLessThan: { 's3:TlsVersion': 1.2 } },
    ]);
  });

  test('ends its reports after the time configured, and older versions after a month', () => {
    const rules = (of: Template) =>
      Object.values(of.findResources('AWS::S3::Bucket'))[0]?.Properties.LifecycleConfiguration.Rules;
    expect(rules(template)[0]).toMatchObject({ Prefix: 'reports/', ExpirationInDays: 365, Status: 'Enabled' });
    expect(rules(template)[1]).toMatchObject({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } });
    expect(rules(hub)[0]).toMatchObject({ ExpirationInDays: 30 });
  });

  test('runs daily unless configured otherwise, may be tried once more, and leaves what failed to the dead-letter queue', () => {
    const description = 'iam-key-rotator: audits the access keys of the account';
    const rateOf = (of: Template) =>
      Object.values(of.findResources('AWS::Scheduler::Schedule', { Properties: { Description: description } })).map(
        ({ Properties }) => Properties.ScheduleExpression,
      );
    expect(rateOf(template)).toEqual(['rate(1 day)']);
    expect(rateOf(hub)).toEqual(['rate(12 hours)']);
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 1 });
    template.hasOutput('AuditFunctionName', {});
    template.hasOutput('ReportBucketName', {});
  });
});

describe('the retire pass', () => {
  test('is delivered hourly, with retries and a dead-letter queue', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 hour)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
      },
    });
  });

  test('runs as often as configured', () => {
    templateOf({ retireEvery: '30m', keys: [{ user: 'u' }] }).hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(30 minutes)',
      Target: { RetryPolicy: { MaximumEventAgeInSeconds: 1800 } },
    });
  });

  test('is not run again when it fails: a repetition would get past maxChangesPerRun', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 0,
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
      },
    });
  });

  test('is started by a role that no other account can use', () => {
    template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Principal: { Service: 'scheduler.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': Match.anyValue() },
            },
          },
        ],
      },
    });
  });

  test('leaves what failed in an encrypted queue for two weeks, reachable by TLS only', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    expect(statementsOf(template).filter(({ Action }) => Action === 'sqs:*')).toMatchObject([
      { Effect: 'Deny', Principal: { AWS: '*' }, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ]);
  });
});

describe('stacks', () => {
  test('without targets there is one, bound to no account or Region', () => {
    const [stack, ...others] = stacksOf({ keys });
    expect(others).toEqual([]);
    expect(stack?.environment).toBe('aws://unknown-account/unknown-region');
  });

  test('each target is one, with the account and Region that it names, and tags its secrets with its name', () => {
    const stacks = stacksOf({
      targets: [
        { name: 'prod', account: '123456789012', region: 'eu-central-1', keys: [{ user: 'a' }] },
        { name: 'dev', keys: [{ user: 'b' }] },
      ],
    });
    expect(stacks.map(({ stackName, environment }) => [stackName, environment])).toEqual([
      ['iam-key-rotator-prod', 'aws://123456789012/eu-central-1'],
      ['iam-key-rotator-dev', 'aws://unknown-account/unknown-region'],
    ]);
    for (const stack of stacks) {
      Template.fromStack(stack).hasResourceProperties('AWS::SecretsManager::Secret', {
        Tags: [{ Key: 'iam-key-rotator:deployment', Value: stack.stackName }],
      });
    }
  });

  test('moving a key in the list changes none of its resources', () => {
    const resources = (users: string[]) => {
      const { Resources } = templateOf({ keys: users.map((name) => ({ user: name })) }).toJSON();
      return Object.keys(Resources).sort();
    };
    expect(resources(['a', 'b'])).toEqual(resources(['b', 'a']));
  });
});

describe('metadata', () => {
  test('tell what is deployed, as the functions are told it, and by which version', () => {
    const { deployment, version } = template.toJSON().Metadata['iam-key-rotator'];
    expect(parseDeployment(deployment)).toEqual({ ok: true, value: deployment });
    expect(deployment.keys.map(({ userName }: DeployedKey) => userName)).toEqual([
      'closed',
      'deploy-prod',
      'ses-sender',
    ]);
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
