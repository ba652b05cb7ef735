import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { iamKeys } from '../../lambdas/adapters/iam-keys.ts';
import { secretStore } from '../../lambdas/adapters/secret-store.ts';
import { type AuthorizationRequest, SimulatedAccount } from '../../local/account.ts';
import { evaluate, judge, judgeByPolicies } from '../../local/policy-engine.ts';

const SECRETS = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret';

/** A function whose role may list the keys of `app`, and read and tag the secret `iam/app` with tags of the ledger. */
function world() {
  const account = new SimulatedAccount();
  judgeByPolicies(account);
  for (const name of ['app', 'admin']) {
    account.createUser(name);
    account.createAccessKey(name);
    account.createSecret(`iam/${name}`, { value: '{}' });
  }
  const role = account.createRole('limited');
  role.statements.push(
    { Effect: 'Allow', Action: ['iam:ListAccessKeys'], Resource: ['arn:aws:iam::111122223333:user/app'] },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue'],
      Resource: [`${SECRETS}:iam/app-??????`, `${SECRETS}:iam/admin-??????`],
    },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:TagResource'],
      Resource: [`${SECRETS}:iam/app-??????`],
      Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': ['iam-key-rotator:key/*'] } },
    },
  );
  const attempt = async (
    act: (iam: ReturnType<typeof iamKeys>, secrets: ReturnType<typeof secretStore>) => Promise<unknown>,
  ) => {
    const { arn } = account.functions.register({
      name: 'limited',
      timeoutSeconds: 10,
      env: {},
      roleArn: role.arn,
      load: (sandbox) => {
        const config = { ...account.clientConfig(sandbox.credentials), requestHandler: sandbox.requestHandler };
        const client = new IAMClient(config);
        return async () => void (await act(iamKeys(client, client), secretStore(new SecretsManagerClient(config))));
      },
    });
    const result = await account.clock.run(account.functions.invoke(arn, {}));
    return result.ok ? 'allowed' : /AccessDenied/.exec(result.errorMessage)?.[0];
  };
  return { account, attempt };
}

describe("a role's call is judged by its policies", () => {
  it('by action and resource', async () => {
    const { attempt } = world();
    expect(await attempt((iam) => iam.list('app'))).toBe('allowed');
    expect(await attempt((iam) => iam.list('admin'))).toBe('AccessDenied');
    expect(await attempt((iam) => iam.userId('app'))).toBe('AccessDenied');
  });

  it('by condition', async () => {
    const { attempt } = world();
    expect(await attempt((_, secrets) => secrets.tag('iam/app', { 'iam-key-rotator:key/AKIA': 'x' }, []))).toBe(
      'allowed',
    );
    expect(await attempt((_, secrets) => secrets.tag('iam/app', { 'iam-key-rotator:deployment': 'x' }, []))).toBe(
      'AccessDenied',
    );
  });

  it("and by the secret's own policy", async () => {
    const { account, attempt } = world();
    expect(await attempt((_, secrets) => secrets.read('iam/admin', {}))).toBe('allowed');
    const secret = account.findSecret('iam/admin');
    if (secret !== undefined) {
      const deny = { Effect: 'Deny', Principal: '*', Action: 'secretsmanager:GetSecretValue', Resource: '*' };
      secret.resourcePolicy = { Version: '2012-10-17', Statement: [deny] };
    }
    expect(await attempt((_, secrets) => secrets.read('iam/admin', {}))).toBe('AccessDenied');
  });

  it('and a denied call has no effect', async () => {
    const { account, attempt } = world();
    const [key] = account.users.get('app')?.keys ?? [];
    expect(await attempt((iam) => iam.disable('app', String(key?.id)))).toBe('AccessDenied');
    expect(key?.status).toBe('Active');
  });
});

describe("a user's call", () => {
  const reading = async (allowed: (userArn: string) => string) => {
    const { account } = world();
    const [key] = account.users.get('app')?.keys ?? [];
    const secret = account.findSecret('iam/app');
    if (key === undefined || secret === undefined) throw new Error('nothing to read, or nobody to read it');
    const Principal = { AWS: allowed(`arn:aws:iam::111122223333:user/app`) };
    const Statement = [{ Effect: 'Allow', Principal, Action: 'secretsmanager:GetSecretValue', Resource: '*' }];
    secret.resourcePolicy = { Version: '2012-10-17', Statement };
    await account.clock.advance(10_000);
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
    const store = secretStore(new SecretsManagerClient(account.clientConfig(credentials)));
    return account.clock.run(store.read('iam/app', {})).then(
      () => 'allowed',
      (error: Error) => /AccessDenied/.exec(error.message)?.[0],
    );
  };

  it("is allowed by the secret's policy alone", async () => {
    expect(await reading((arn) => arn)).toBe('allowed');
    expect(await reading((arn) => `${arn}-2`)).toBe('AccessDenied');
  });
});

describe('a verdict that is remembered', () => {
  const ACCOUNT = '111122223333';
  const ROLE = `arn:aws:iam::${ACCOUNT}:role/limited`;
  const KEY_TAG = 'iam-key-rotator:key/';
  const allow = (Action: string[], Resource: unknown, Condition?: unknown) => ({
    Effect: 'Allow',
    Action: Action.map((action) => `secretsmanager:${action}`),
    Resource,
    ...(Condition === undefined ? {} : { Condition }),
  });
  const deny = (...args: Parameters<typeof allow>) => ({ ...allow(...args), Effect: 'Deny' });
  const secret = (name: string) => `${SECRETS}:${name}`;
  const tags = (operator: string, ...patterns: string[]) => ({ [operator]: { 'aws:TagKeys': patterns } });
  const ledger = tags('ForAllValues:StringLike', `${KEY_TAG}*`, 'iam-key-rotator:intent/*', 'iam-key-rotator:verified');
  const both = [secret('iam/app-AAAAAA'), secret('iam/ops-BBBBBB')];

  /** Policies of the kind that the template has, and such as could tell apart what those can't. */
  const POLICIES: Readonly<Record<string, readonly unknown[]>> = {
    'names its secrets and the tags of the ledger': [
      allow(['GetSecretValue', 'PutSecretValue'], both),
      allow(['TagResource', 'UntagResource'], both, ledger),
      allow(['UpdateSecretVersionStage'], both[0], { StringEquals: { 'secretsmanager:VersionStage': ['AWSPENDING'] } }),
    ],
    'names one secret only': [allow(['GetSecretValue'], both[0]), allow(['TagResource'], both[1], ledger)],
    'names two secrets that differ in their made-up ends alone': [
      allow(['GetSecretValue'], [secret('iam/app-AAAAAA'), secret('iam/app-CCCCCC')]),
      deny(['GetSecretValue'], secret('iam/app-CCCCCC')),
    ],
    'matches the made-up end by a pattern': [
      allow(['GetSecretValue'], [secret('iam/app-A*'), secret('iam/ops-??????')]),
    ],
    'excludes a secret': [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', NotResource: both[0] }],
    'has a condition on the ARN': [
      allow(['GetSecretValue'], both, { StringLike: { 'secretsmanager:SecretId': '*-AAAAAA' } }),
    ],
    'has a variable in a resource': [allow(['GetSecretValue'], secret(`iam/$\{aws:PrincipalTag/team}-AAAAAA`))],
    'forbids the tags of some keys': [
      allow(['TagResource'], both, ledger),
      deny(['TagResource'], both, tags('ForAnyValue:StringLike', `${KEY_TAG}AKIAX*`)),
    ],
    'forbids the tag of one key': [
      allow(['TagResource'], both, ledger),
      deny(['TagResource'], both, tags('ForAnyValue:StringEquals', `${KEY_TAG}AKIAONE`)),
    ],
    'forbids a tag by its end': [
      allow(['TagResource'], both, ledger),
      deny(['TagResource'], both, tags('ForAnyValue:StringLike', '*ONE')),
    ],
    'takes a star at its word': [allow(['TagResource'], both, tags('ForAllValues:StringEquals', `${KEY_TAG}*`))],
    'takes all tags but those of keys': [
      allow(['TagResource'], both, tags('ForAllValues:StringNotLike', `${KEY_TAG}*`)),
    ],
    'forbids the tag of one key in any case': [
      allow(['TagResource'], both, ledger),
      deny(['TagResource'], both, tags('ForAnyValue:StringEqualsIgnoreCase', `${KEY_TAG}akiaone`)),
    ],
    'wants tags to be there': [
      allow(['TagResource'], both, { ...ledger, Null: { 'aws:TagKeys': 'false' } }),
      allow(['UntagResource'], both, { Null: { 'aws:TagKeys': 'true' } }),
    ],
    'is empty': [],
  };

  const IDS = ['AKIAONE', 'AKIATWO', 'AKIAX1', 'AKIAX2', ''];
  const TAGS = [
    ...IDS.map((id) => [`${KEY_TAG}${id}`]),
    [`${KEY_TAG}AKIATWO`, `${KEY_TAG}AKIAX1`],
    [`${KEY_TAG}AKIATWO`, 'iam-key-rotator:verified'],
    ['iam-key-rotator:verified'],
    ['iam-key-rotator:verified2'],
    ['iam-key-rotator:intent/1', 'iam-key-rotator:intent/2'],
    ['iam-key-rotator:deployment'],
    ['iam-key-rotator:key'],
    [`${KEY_TAG}AKIATWO`, 'Owner'],
    [`${KEY_TAG}*`],
  ];
  const NAMES = [
    'iam/app-AAAAAA',
    'iam/app-CCCCCC',
    'iam/app-A00000',
    'iam/ops-BBBBBB',
    'iam/ops-CCCCCC',
    'iam/none-AAAAAA',
  ];
  const QUESTIONS: readonly AuthorizationRequest[] = NAMES.flatMap((name) => {
    const resource = secret(name);
    const ask = (action: string, context: AuthorizationRequest['context']) => ({
      principalArn: ROLE,
      action: `secretsmanager:${action}`,
      resource,
      context: { 'secretsmanager:SecretId': resource, 'aws:PrincipalTag/team': 'app', ...context },
    });
    return [
      ask('GetSecretValue', {}),
      ask('GetSecretValue', { 'aws:PrincipalTag/team': 'ops' }),
      ask('PutSecretValue', {}),
      ask('UpdateSecretVersionStage', { 'secretsmanager:VersionStage': 'AWSPENDING' }),
      ask('UpdateSecretVersionStage', { 'secretsmanager:VersionStage': 'AWSCURRENT' }),
      ask('UntagResource', {}),
      ...TAGS.flatMap((keys) => [
        ask('TagResource', { 'aws:TagKeys': keys }),
        ask('UntagResource', { 'aws:TagKeys': keys }),
      ]),
    ];
  });

  it.each(Object.entries(POLICIES))(
    'is the one that the engine gives to the whole question, under a policy that %s',
    async (_, policy) => {
      const truth: boolean[] = [];
      for (const question of QUESTIONS) truth.push((await evaluate(policy, question, ACCOUNT)).allowed);
      // What is asked first is what is remembered: so in both orders, each with statements that nobody has asked about.
      const twice = [0, 1, 0, 1].map((order) => ({
        order,
        named: policy.map((one) => ({ ...Object(one), Sid: `Order${order}` })),
      }));
      for (const { order, named } of twice) {
        const numbered = QUESTIONS.map((question, index) => ({ question, expected: truth[index] }));
        for (const { question, expected } of order === 0 ? numbered : numbered.reverse()) {
          expect((await judge(named, question, ACCOUNT)).allowed, JSON.stringify(question)).toBe(expected);
        }
      }
    },
  );

  it('has cases of both kinds to be wrong about, under nearly every policy', async () => {
    for (const [name, policy] of Object.entries(POLICIES)) {
      const verdicts = new Set<boolean>();
      for (const question of QUESTIONS) verdicts.add((await judge(policy, question, ACCOUNT)).allowed);
      expect([...verdicts].sort(), name).toEqual(name === 'is empty' ? [false] : [false, true]);
    }
  });

  it('serves other accounts, secrets and keys at once', async () => {
    const statements = (end: string) => [
      { ...allow(['TagResource'], [secret(`iam/app-${end}`)], ledger), Sid: 'ServedAtOnce' },
    ];
    const question = (end: string, ...keys: string[]) => ({
      principalArn: ROLE,
      action: 'secretsmanager:TagResource',
      resource: secret(`iam/app-${end}`),
      context: { 'aws:TagKeys': keys, 'aws:ResourceTag/owner': end },
    });
    expect(judge(statements('AAAAAA'), question('AAAAAA', `${KEY_TAG}AKIAONE`), ACCOUNT)).toBeInstanceOf(Promise);
    await judge(statements('AAAAAA'), question('AAAAAA', `${KEY_TAG}AKIAONE`), ACCOUNT);
    const served = judge(statements('ZZZZZZ'), question('ZZZZZZ', `${KEY_TAG}AKIATWO`, `${KEY_TAG}AKIATEN`), ACCOUNT);
    expect(served).toMatchObject({ allowed: true });
    expect(judge(statements('ZZZZZZ'), question('ZZZZZZ', 'Owner'), ACCOUNT)).toBeInstanceOf(Promise);
  });

  it('is not kept when a role has got another statement', async () => {
    const { account, attempt } = world();
    expect(await attempt((iam) => iam.userId('app'))).toBe('AccessDenied');
    const role = account.roles.get(ROLE);
    role?.statements.push({ Effect: 'Allow', Action: 'iam:GetUser', Resource: `arn:aws:iam::${ACCOUNT}:user/app` });
    expect(await attempt((iam) => iam.userId('app'))).toBe('allowed');
  });
});
