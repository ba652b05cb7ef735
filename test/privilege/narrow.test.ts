/** What the roles of the template grant reaches no further than it must: beside every granted resource and value there is a denied one. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationRequest } from '../../local/account.ts';
import { judge } from '../../local/policy-engine.ts';
import { isRecord } from '../../local/wire/protocols.ts';
import { actionsOf, DeployedStack, resourcesOf, type Statement } from './deployed-stack.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const KMS_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef`;
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
};

const stack = new DeployedStack([
  { user: 'app', createUser: true },
  { user: 'app-two', createUser: true, userPath: '/team/', kmsKeyArn: KMS_KEY },
  { user: 'watched', createUser: true, mode: 'observe' },
]);

type Context = AuthorizationRequest['context'];

/** Resources that are near a granted one, and none of the role's business. */
function neighbours(resource: string): string[] {
  if (resource.endsWith('/*')) return beyond(resource);
  const { length } = resource;
  // Its name longer, shorter, and another; the same of another account, Region or service.
  const [, , , region = '', account = ''] = resource.split(':');
  const end = resource.slice(0, -1);
  const changed = [
    `${resource}x`,
    end,
    `${end}${resource.at(-1) === 'z' ? 'y' : 'z'}`,
    resource.replace(account, '444455556666'),
    ...(region === '' ? [] : [resource.replace(region, 'us-east-1')]),
    ...(resource.includes(':user/') ? [resource.replace(/user\/(.*\/)?/, 'user/other/')] : []),
    ...(resource.includes(':secret:') ? [resource.replace('iam-key-rotator/', 'iam-key-rotator/other/')] : []),
  ];
  return changed.filter((candidate) => candidate.length <= length + 12 && candidate !== resource);
}

/** Resources beside all those that begin alike. */
function beyond(resource: string): string[] {
  const one = resource.replace('*', 'one');
  const accounts = ['444455556666', '111122223334', '211122223333', '000000000000'];
  return [
    ...accounts.map((account) => one.replace(ACCOUNT, account)),
    ...['security-hub', 'reportsx', 'report', 'other/reports'].map((prefix) => one.replace('/reports/', `/${prefix}/`)),
    one.replace(/:::([^/]+)/, ':::other-$1'),
  ].filter((candidate) => candidate !== one);
}

/** Contexts that a statement's condition takes, and such that it must not. */
function contextsOf(statement: Statement): { readonly taken: Context[]; readonly refused: Context[] } {
  const { Condition } = statement;
  if (!isRecord(Condition)) return { taken: [{}], refused: [] };
  const [[operator, keys] = ['', undefined], ...others] = Object.entries(Condition);
  const [[key, values] = ['', undefined], ...more] = Object.entries(isRecord(keys) ? keys : {});
  const [first = '', ...rest] = [values].flat().map(String);
  if (others.length === 0 && more.length === 0 && operator === 'StringEquals') {
    const wrong = [`${first}X`, first.slice(0, -1), 'AWSPREVIOUS', 'anything'].filter((value) => !rest.includes(value));
    return {
      taken: [first, ...rest].map((value) => ({ [key]: value })),
      refused: [{}, ...wrong.map((value) => ({ [key]: value }))],
    };
  }
  if (others.length === 0 && more.length === 0 && operator === 'ForAllValues:StringLike' && key === 'aws:TagKeys') {
    const good = [first, ...rest].map((pattern) => pattern.replace('*', 'AKIAIOSFODNN7EXAMPLE'));
    const bad = ['iam-key-rotator:deployment', 'iam-key-rotator:', 'Owner', `x${good[0]}`, 'IAM-KEY-ROTATOR:KEY'];
    return {
      taken: [...good.map((tag) => ({ [key]: [tag] })), { [key]: good }],
      refused: [...bad.map((tag) => ({ [key]: [tag] })), { [key]: [...good, 'Owner'] }],
    };
  }
  if (others.length === 0 && more.length === 0 && operator === 'ForAllValues:StringEquals' && key === 'events:source') {
    const bad = ['aws.iam', `${first}-x`, first.slice(0, -1), first.toUpperCase()];
    return {
      taken: [{ [key]: [first] }, { [key]: [first, first] }],
      refused: [...bad.map((source) => ({ [key]: [source] })), { [key]: [first, 'aws.health'] }],
    };
  }
  throw new Error(`No example is known for the condition ${JSON.stringify(Condition)}`);
}

/** Every granted action on every granted resource. */
const grants = Object.entries(stack.roles).flatMap(([role, { arn, statements }]) =>
  statements.flatMap((statement) =>
    actionsOf(statement).flatMap((action) =>
      resourcesOf(statement).map((granted) => ({
        title: `${role}: ${action} on ${granted.split(':').slice(5).join(':') || '*'}`,
        role,
        arn,
        statements,
        statement,
        action,
        // Any stream of the group that the grant names.
        resource: granted.replace(/:\*$/, ':log-stream:2026/01/01/1'),
      })),
    ),
  ),
);

async function allows(grant: (typeof grants)[number], resource: string, context: Context): Promise<boolean> {
  const request = { principalArn: grant.arn, action: grant.action, resource, context };
  const resourcePolicy = grant.action.startsWith('kms:') ? { resourcePolicy: KEY_POLICY } : {};
  const { allowed } = await judge(grant.statements, { ...request, ...resourcePolicy }, ACCOUNT);
  return allowed;
}

describe('a grant', () => {
  it('is judged for each of the roles', () => {
    expect(new Set(grants.map(({ role }) => role))).toEqual(new Set(Object.keys(stack.roles)));
    expect(grants.length).toBeGreaterThan(50);
  });

  it.each(grants)('$title holds where it must', async (grant) => {
    for (const context of contextsOf(grant.statement).taken) {
      expect(await allows(grant, grant.resource, context), JSON.stringify(context)).toBe(true);
    }
  });

  const narrowed = grants.filter(({ resource }) => resource !== '*');

  it('is for named resources, where AWS leaves a choice', () => {
    expect(grants.filter((grant) => !narrowed.includes(grant)).map(({ title }) => title)).toEqual([
      'retire: secretsmanager:ListSecrets on *',
      'respond: secretsmanager:ListSecrets on *',
      'audit: iam:GenerateCredentialReport on *',
      'audit: iam:GetCredentialReport on *',
      'audit: secretsmanager:ListSecrets on *',
    ]);
  });

  it.each(narrowed)('$title ends beside it', async (grant) => {
    const [context = {}] = contextsOf(grant.statement).taken;
    const isStream = grant.resource.includes(':log-stream:');
    const beside = neighbours(isStream ? grant.resource.replace(/:log-stream:.*/, '') : grant.resource);
    expect(beside.length).toBeGreaterThan(3);
    for (const resource of beside) {
      const asked = isStream ? `${resource}:log-stream:2026/01/01/1` : resource;
      expect(await allows(grant, asked, context), asked).toBe(false);
    }
  });

  const conditional = grants.filter(({ statement }) => statement.Condition !== undefined);

  it('has a condition wherever the same action on the same resource could do more than is needed', () => {
    const needsOne = /^(kms:.*|events:PutEvents|secretsmanager:(UpdateSecretVersionStage|TagResource|UntagResource))$/;
    const expected = grants.filter(({ action }) => needsOne.test(action));
    expect(expected.length).toBeGreaterThan(10);
    expect(conditional).toEqual(expected);
  });

  it.each(conditional)('$title ends where its condition does', async (grant) => {
    const { refused } = contextsOf(grant.statement);
    expect(refused.length).toBeGreaterThan(3);
    for (const context of refused) {
      expect(await allows(grant, grant.resource, context), JSON.stringify(context)).toBe(false);
    }
  });

  it.each(['retire', 'respond', 'scheduler', 'audit', 'notify'])(
    'to mint, store or promote a key is not given to %s',
    async (role) => {
      const beyond = [
        ['iam:CreateAccessKey', `arn:aws:iam::${ACCOUNT}:user/app`, {}],
        ['secretsmanager:PutSecretValue', stack.secret('app').arn, {}],
        [
          'secretsmanager:UpdateSecretVersionStage',
          stack.secret('app').arn,
          { 'secretsmanager:VersionStage': 'AWSCURRENT' },
        ],
      ] as const;
      const { arn, statements } = stack.roles[role] ?? { arn: '', statements: [] };
      for (const [action, resource, context] of beyond) {
        const verdict = await judge(statements, { principalArn: arn, action, resource, context }, ACCOUNT);
        expect(verdict.allowed, action).toBe(false);
      }
    },
  );

  it.each(['rotate', 'retire', 'respond', 'audit', 'notify'])(
    'to change a key or secret in observe mode is not given to %s',
    async (role) => {
      const { arn, statements } = stack.roles[role] ?? { arn: '', statements: [] };
      const user = `arn:aws:iam::${ACCOUNT}:user/watched`;
      const secret = stack.secret('watched').arn;
      const changes: [string, string, Context][] = [
        ...['iam:CreateAccessKey', 'iam:UpdateAccessKey', 'iam:DeleteAccessKey'].map(
          (action): [string, string, Context] => [action, user, {}],
        ),
        ['secretsmanager:PutSecretValue', secret, {}],
        ['secretsmanager:UpdateSecretVersionStage', secret, { 'secretsmanager:VersionStage': 'AWSPENDING' }],
        ['secretsmanager:TagResource', secret, { 'aws:TagKeys': ['iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE'] }],
        ['secretsmanager:UntagResource', secret, { 'aws:TagKeys': ['iam-key-rotator:key/AKIAIOSFODNN7EXAMPLE'] }],
      ];
      for (const [action, resource, context] of changes) {
        const verdict = await judge(statements, { principalArn: arn, action, resource, context }, ACCOUNT);
        expect(verdict.allowed, action).toBe(false);
      }
    },
  );
});
