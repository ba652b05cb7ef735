import { describe, expect, test } from 'vitest';
import { CONSUMERS, safeOverlap } from '../../infra/config/consumers.ts';
import { ConfigError, resolveConfig } from '../../infra/config/index.ts';
import { PROBLEMS, WARNINGS } from '../../infra/config/problems.ts';
import shipped from '../../rotator.config.ts';

const DAY = 86_400;

/** The problems of a configuration, as `code path`. */
function problemsOf(config: unknown): string[] {
  return errorOf(config).problems.map(({ code, path }) => `${code} ${path}`);
}

function errorOf(config: unknown): ConfigError {
  try {
    resolveConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const withKey = (key: Record<string, unknown>) => ({ keys: [{ user: 'deploy-prod', ...key }] });
const keyOf = (key: Record<string, unknown>) => {
  const [target] = resolveConfig(withKey(key)).targets;
  const [resolved] = target?.keys ?? [];
  if (resolved === undefined) throw new Error('no key');
  return resolved;
};
const rulesOf = (schedule: unknown, others: Record<string, unknown> = {}) =>
  keyOf({ schedule, ...others }).schedule.rules;
const warningsOf = (key: Record<string, unknown>) => keyOf(key).warnings.map(({ code }) => code);

describe('a good configuration', () => {
  test('the shipped one has no warnings', () => {
    expect(resolveConfig(shipped).targets.flatMap(({ keys }) => keys.flatMap(({ warnings }) => warnings))).toEqual([]);
  });

  test('a key that says nothing gets the documented defaults', () => {
    expect(keyOf({})).toEqual({
      user: 'deploy-prod',
      userPath: '/',
      createUser: false,
      secretName: 'iam-key-rotator/deploy-prod',
      schedule: {
        rules: { automaticallyAfterDays: 30 },
        shortestGap: 30 * DAY,
        longestGap: 30 * DAY,
        window: DAY,
      },
      onLeak: 'rotate-then-disable',
      rotateOnDeploy: true,
      deactivateAfter: 3 * DAY,
      settle: 4 * 3_600,
      ifInUse: 'hold',
      holdAtMost: 14 * DAY,
      quietFor: 8 * DAY,
      deleteAfter: 7 * DAY,
      mode: 'enforce',
      verifyRegions: [],
      readers: [],
      userReads: false,
      consumers: [],
      ledgerOperators: [],
      replicas: [],
      format: {
        accessKeyId: 'AccessKeyId',
        secretAccessKey: 'SecretAccessKey',
        userName: 'UserName',
        createDate: 'CreateDate',
      },
      sesSmtp: [],
      warnings: [],
    });
  });

  test("a key's own word is stronger than `defaults`, and `defaults` are stronger than the built-in ones", () => {
    const { targets } = resolveConfig({
      defaults: { deleteAfter: '5d', settle: '2h' },
      keys: [{ user: 'a' }, { user: 'b', deleteAfter: '6d' }],
    });
    expect(targets[0]?.keys.map(({ deleteAfter, settle }) => [deleteAfter / DAY, settle / 3_600])).toEqual([
      [5, 2],
      [6, 2],
    ]);
  });

  test.each([
    ['credential-process', ['AccessKeyId', 'SecretAccessKey', 'UserName', 'CreateDate']],
    ['env', ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'IAM_USER_NAME', 'IAM_KEY_CREATE_DATE']],
    [{ accessKeyId: 'id', secretAccessKey: 'secret' }, ['id', 'secret', 'UserName', 'CreateDate']],
    [{ accessKeyId: 'a', secretAccessKey: 'b', userName: 'c', createDate: 'd' }, ['a', 'b', 'c', 'd']],
  ])('the format %j has the fields %j', (format, fields) => {
    expect(Object.values(keyOf({ format }).format)).toEqual(fields);
    expect(resolveConfig({ defaults: { format }, keys: [{ user: 'a' }] }).targets[0]?.keys[0]?.format).toEqual(
      keyOf({ format }).format,
    );
  });

  test('SMTP credentials have fields with names that say what and where, or those that are given', () => {
    const own = { region: 'us-gov-west-1', usernameField: 'user', passwordField: 'password' };
    expect(keyOf({ sesSmtp: ['eu-west-1', { region: 'us-east-1' }, own] }).sesSmtp).toEqual([
      { region: 'eu-west-1', usernameField: 'SES_SMTP_USERNAME', passwordField: 'SES_SMTP_PASSWORD_EU_WEST_1' },
      { region: 'us-east-1', usernameField: 'SES_SMTP_USERNAME', passwordField: 'SES_SMTP_PASSWORD_US_EAST_1' },
      own,
    ]);
  });

  test('a field of the secret that has a taken name is told with what it is taken by', () => {
    const [problem] = errorOf(
      withKey({ format: 'env', sesSmtp: [{ region: 'eu-west-1', usernameField: 'iam_user_name' }] }),
    ).problems;
    expect(problem).toMatchObject({
      code: 'field-clash',
      path: 'keys[0].sesSmtp',
      received: "'iam_user_name', which is taken by userName",
      fix: 'choose another name',
    });
  });

  test('all that is wrong with the form of a secret is told at once, each where it is', () => {
    expect(
      problemsOf(
        withKey({
          format: { accessKeyId: '', createDate: 7, x: 1 },
          sesSmtp: ['Ireland', { region: 'eu-west-1', y: 1 }],
        }),
      ),
    ).toEqual([
      'bad-value keys[0].format.accessKeyId',
      'bad-value keys[0].format.createDate',
      'missing-field keys[0].format.secretAccessKey',
      'unknown-field keys[0].format.x',
      'bad-value keys[0].sesSmtp[0]',
      'unknown-field keys[0].sesSmtp[1].y',
    ]);
  });

  test('keys give one stack that is bound to no account; targets give one each', () => {
    expect(resolveConfig({ name: 'keys', keys: [{ user: 'a' }] }).targets).toMatchObject([
      { stackName: 'keys', account: undefined, region: undefined },
    ]);
    const targets = [
      { name: 'prod', account: '123456789012', region: 'eu-central-1', keys: [{ user: 'a' }] },
      { name: 'dev', keys: [{ user: 'b' }] },
    ];
    expect(resolveConfig({ targets }).targets).toMatchObject([
      { stackName: 'iam-key-rotator-prod', account: '123456789012', region: 'eu-central-1' },
      { stackName: 'iam-key-rotator-dev', account: undefined },
    ]);
  });

  test.each([
    ['30d', { automaticallyAfterDays: 30 }],
    ['48h', { automaticallyAfterDays: 2 }],
    ['36h', { scheduleExpression: 'rate(36 hours)' }],
    ['1000d', { automaticallyAfterDays: 1000 }],
    [
      { every: '1d', window: '4h' },
      { scheduleExpression: 'rate(1 day)', duration: '4h' },
    ],
    [
      { every: '30d', window: '24h' },
      { scheduleExpression: 'rate(30 days)', duration: '24h' },
    ],
    [
      { every: '4h', window: '4h' },
      { scheduleExpression: 'rate(4 hours)', duration: '4h' },
    ],
    [{ cron: 'cron(0 3 1 * ? *)' }, { scheduleExpression: 'cron(0 3 1 * ? *)' }],
    [
      { cron: 'cron(0 20 ? * 1 *)', window: '4h' },
      { scheduleExpression: 'cron(0 20 ? * 1 *)', duration: '4h' },
    ],
  ])('the schedule %j becomes %j', (schedule, rules) => {
    expect(rulesOf(schedule, { deactivateAfter: '0d', deleteAfter: '4h' })).toEqual(rules);
  });

  test.each([
    ['cron(0 3 ? * SUN *)', 7, 7],
    ['cron(0 3 ? * 1 *)', 7, 7],
    ['cron(0 3 ? * 2-6 *)', 1, 3],
    ['cron(0 3 1 * ? *)', 28, 31],
    ['cron(0 3 L * ? *)', 28, 31],
    ['cron(0 3 ? * 1#1 *)', 28, 35],
    ['cron(0 3 ? * 6L *)', 28, 35],
    ['cron(0 4/12 * * ? *)', 0.5, 0.5],
    ['cron(0 0 1 1,4,7,10 ? *)', 90, 92],
  ])('%s runs every %d to %d days', (cron, shortest, longest) => {
    const { schedule } = keyOf({ schedule: { cron }, deactivateAfter: '0d', deleteAfter: '4h' });
    expect([schedule.shortestGap / DAY, schedule.longestGap / DAY]).toEqual([shortest, longest]);
  });
});

describe('overlap and recovery must fit between two rotations', () => {
  test('exactly as long as the period is accepted', () => {
    expect(keyOf({ schedule: '10d', deactivateAfter: '3d', deleteAfter: '7d' }).deleteAfter).toBe(7 * DAY);
  });

  test('one second longer than the period is refused', () => {
    const tooLong = withKey({ schedule: '10d', deactivateAfter: '3d', deleteAfter: `${7 * DAY + 1}s` });
    expect(problemsOf(tooLong)).toEqual([`${PROBLEMS.doesNotFit} keys[0].deactivateAfter`]);
  });

  test('with a cron schedule the shortest month counts', () => {
    const schedule = { cron: 'cron(0 3 1 * ? *)' };
    expect(keyOf({ schedule, deactivateAfter: '14d', deleteAfter: '14d' }).deleteAfter).toBe(14 * DAY);
    expect(problemsOf(withKey({ schedule, deactivateAfter: '14d', deleteAfter: `${14 * DAY + 1}s` }))).toEqual([
      `${PROBLEMS.doesNotFit} keys[0].deactivateAfter`,
    ]);
  });

  test('a bad duration is reported once, not again as the default that it hides', () => {
    expect(problemsOf(withKey({ schedule: '5d', deactivateAfter: '3 days' }))).toEqual([
      `${PROBLEMS.badValue} keys[0].deactivateAfter`,
    ]);
  });
});

describe('warnings', () => {
  test('a hold to the end that would block the next rotation; not at the very second', () => {
    const key = { schedule: '30d', deactivateAfter: '3d', deleteAfter: '7d' };
    expect(warningsOf({ ...key, holdAtMost: '20d' })).toEqual([]);
    expect(warningsOf({ ...key, holdAtMost: `${20 * DAY + 1}s` })).toEqual([WARNINGS.holdDoesNotFit]);
    expect(warningsOf({ ...key, holdAtMost: '21d', ifInUse: 'disable' })).toEqual([]);
  });

  test('an old key that goes too shortly before the next window', () => {
    const key = { schedule: { every: '30d', window: '4h' }, deactivateAfter: '3d', ifInUse: 'disable' };
    expect(warningsOf({ ...key, deleteAfter: `${27 * 24 - 5}h` })).toEqual([]);
    expect(warningsOf({ ...key, deleteAfter: `${27 * 24 - 4}h` })).toEqual([WARNINGS.tightFit]);
  });

  test('more than 90 days between rotations', () => {
    expect(warningsOf({ schedule: '90d' })).toEqual([]);
    expect(warningsOf({ schedule: '91d' })).toEqual([WARNINGS.longPeriod]);
  });

  test('a settling margin as long as the overlap', () => {
    expect(warningsOf({ settle: '71h' })).toEqual([]);
    expect(warningsOf({ settle: '3d' })).toEqual([WARNINGS.settleTooLong]);
  });

  test('no overlap, and observing only', () => {
    expect(warningsOf({ deactivateAfter: '0d' })).toEqual([WARNINGS.noOverlap]);
    expect(warningsOf({ mode: 'observe' })).toEqual([WARNINGS.observeOnly]);
  });
});

describe('consumers', () => {
  const overlap = (deactivateAfter: string, consumers: unknown[]) =>
    keyOf({ deactivateAfter, settle: '0s', consumers });

  test('one that is as stale as the overlap is long is warned of; not one a second fresher', () => {
    const stale = (staleFor: string) => overlap('2h', [{ name: 'batch', staleFor }]).warnings.map(({ code }) => code);
    expect(stale('7199s')).toEqual([]);
    expect(stale('7200s')).toEqual([WARNINGS.consumerTooStale]);
    expect(stale('7201s')).toEqual([WARNINGS.consumerTooStale]);
  });

  test('each is warned of by name and place, with an overlap that suffices', () => {
    const { warnings } = overlap('1h', [
      'lambda-extension',
      'caching-client',
      { name: 'nightly batch', staleFor: '1d' },
    ]);
    expect(warnings.map(({ path }) => path)).toEqual(['keys[0].consumers[1]', 'keys[0].consumers[2]']);
    expect(warnings[0]?.received).toBe("'caching-client' goes on with the old key for up to 1h, overlap 1h");
    expect(warnings[0]?.fix).toContain("deactivateAfter: '2h'");
    expect(warnings[1]?.fix).toContain("deactivateAfter: '36h'");
  });

  test('one that nothing bounds is too stale for any overlap, until it is said how soon it is restarted', () => {
    expect(overlap('10d', ['ecs-environment']).warnings.map(({ code }) => code)).toContain(WARNINGS.consumerTooStale);
    const said = overlap('10d', [{ name: 'ecs-environment', staleFor: '7d' }]);
    expect(said.warnings.map(({ code }) => code)).not.toContain(WARNINGS.consumerTooStale);
  });

  test.each(Object.entries(CONSUMERS))('%s is safe with the overlap that is recommended', (name, staleFor) => {
    if (staleFor === undefined) return expect(name).toMatch(/environment$/);
    const { warnings } = keyOf({ deactivateAfter: `${safeOverlap(staleFor)}s`, settle: '0s', consumers: [name] });
    expect(warnings.map(({ code }) => code)).not.toContain(WARNINGS.consumerTooStale);
  });

  test.each(Object.keys(CONSUMERS).filter((name) => !name.endsWith('environment')))('%s is safe by default', (name) => {
    expect(keyOf({ consumers: [name] }).warnings).toEqual([]);
  });
});

describe('every wrong value is named with what it was, what was expected and the fix', () => {
  test.each([
    [{ schedule: '0d' }, 'schedule', 'a period longer than 0'],
    [{ schedule: '3h' }, 'schedule', 'at least 4'],
    [{ schedule: '90m' }, 'schedule', 'whole hours'],
    [{ schedule: '1001d' }, 'schedule', 'at most 1000 days'],
    [{ schedule: { every: '1000d', window: '1h' } }, 'schedule', 'at most 999 days'],
    [{ schedule: { every: '30d', window: '25h' } }, 'schedule', 'whole hours'],
    [{ schedule: { every: '30d', window: '90m' } }, 'schedule', 'whole hours'],
    [{ schedule: { every: '4h', window: '5h' } }, 'schedule', 'no longer than the period'],
    [{ schedule: {} }, 'schedule', "'every' or 'cron'"],
    [{ schedule: { every: '30d', cron: 'cron(0 3 ? * SUN *)' } }, 'schedule', "'every' or 'cron'"],
    [{ schedule: { every: '30d', duration: '4h' } }, 'schedule', 'one of'],
    [{ schedule: 30 }, 'schedule', 'one of'],
    [{ schedule: { cron: 'every sunday' } }, 'schedule', 'cron(…)'],
    [{ schedule: { cron: 'cron(0 3 * * SUN)' } }, 'schedule', 'six fields'],
    [{ schedule: { cron: 'cron(30 3 ? * SUN *)' } }, 'schedule', '0 in the minutes field'],
    [{ schedule: { cron: 'cron(0 24 ? * SUN *)' } }, 'schedule', 'inside their ranges'],
    [{ schedule: { cron: 'cron(0 3 ? * SUN 2030)' } }, 'schedule', '* in the year field'],
    [{ schedule: { cron: 'cron(0 3 * * SUN *)' } }, 'schedule', '? in exactly one'],
    [{ schedule: { cron: 'cron(0 3 ? * 8 *)' } }, 'schedule', 'days of the week'],
    [{ schedule: { cron: 'cron(0 3 30 2 ? *)' } }, 'schedule', 'a date that exists'],
    [{ schedule: { cron: 'cron(0 3-5 * * ? *)' } }, 'schedule', 'at least 4 hours'],
    [{ schedule: { cron: 'cron(0 22 1 * ? *)', window: '3h' } }, 'schedule', 'ends on the same UTC day'],
    [{ deactivateAfter: '1.5d' }, 'deactivateAfter', 'a duration'],
    [{ deleteAfter: -1 }, 'deleteAfter', 'a duration'],
    [{ ifInUse: 'wait' }, 'ifInUse', "'hold' or 'disable'"],
    [{ mode: 'dry-run' }, 'mode', "'enforce' or 'observe'"],
    [{ user: 'arn:aws:iam::123456789012:user/x' }, 'user', 'the name of an IAM user'],
    [{ user: 'x'.repeat(65), secretName: 'x' }, 'user', 'the name of an IAM user'],
    [{ userPath: 'service' }, 'userPath', 'begins and ends with a slash'],
    [{ userPath: '/*/' }, 'userPath', 'begins and ends with a slash'],
    [{ secretName: 'a secret' }, 'secretName', 'the name of a secret'],
    [{ adopt: 'ASIAIOSFODNN7EXAMPLE' }, 'adopt', 'an access key id'],
    [{ adopt: 'only-keys' }, 'adopt', "'only-key' or"],
    [{ verifyRegions: ['Frankfurt'] }, 'verifyRegions[0]', 'a Region'],
    [{ verifyRegions: 'eu-west-1' }, 'verifyRegions', 'a list of Regions'],
    [{ readers: ['arn:aws:iam::123456789012:role/*'] }, 'readers[0]', 'the ARN of a role'],
    [{ ledgerOperators: ['arn:aws:iam::123456789012:role/*'] }, 'ledgerOperators[0]', 'the ARN of a role'],
    [{ ledgerOperators: ['arn:aws:iam::123456789012:user/x'] }, 'ledgerOperators[0]', 'the ARN of a role'],
    [{ ledgerOperators: ['arn:aws:iam::123456789012:root'] }, 'ledgerOperators[0]', 'the ARN of a role'],
    [{ ledgerOperators: 'arn:aws:iam::123456789012:role/x' }, 'ledgerOperators', 'a list of role ARNs'],
    [{ kmsKeyArn: 'alias/keys' }, 'kmsKeyArn', 'the ARN of a KMS key'],
    [{ replicas: [{ region: 'eu-west-1', key: 'x' }] }, 'replicas[0].key', 'region'],
    [{ replicas: [{}] }, 'replicas[0].region', 'a Region'],
    [{ exclusive: {} }, 'exclusive.breakGlassRoleArn', 'the ARN of a role'],
    [{ createUser: 'yes' }, 'createUser', 'true or false'],
    [{ rotateOnDeploy: 1 }, 'rotateOnDeploy', 'true or false'],
  ])('%j', (key, path, expected) => {
    const { problems } = errorOf(withKey(key));
    expect(problems).toMatchObject([{ path: `keys[0].${path}`, expected: expect.stringContaining(expected) }]);
    expect(problems[0]?.fix).not.toBe('');
  });

  test('of the audit are all filled in, and what is given wins', () => {
    const standard = { every: DAY, maxKeyAge: 90 * DAY, unusedFor: 45 * DAY, neverUsedFor: 45 * DAY };
    const others = { securityHub: false, keepReportsFor: 365 * DAY };
    expect(resolveConfig({ keys: [{ user: 'a' }] }).audit).toEqual({ ...standard, ...others });
    const given = { every: '6h', maxKeyAge: '60d', securityHub: true };
    expect(resolveConfig({ audit: given, keys: [{ user: 'a' }] }).audit).toEqual({
      ...{ ...standard, every: 21_600, maxKeyAge: 60 * DAY },
      ...{ ...others, securityHub: true },
    });
  });

  test.each([
    [{ audit: { every: '5h' } }, 'audit.every'],
    [{ audit: { every: '7d' } }, 'audit.every'],
    [{ audit: { every: '390m' } }, 'audit.every'],
    [{ audit: { unusedFor: '0d' } }, 'audit.unusedFor'],
    [{ audit: { keepReportsFor: '6d' } }, 'audit.keepReportsFor'],
    [{ audit: { securityHub: 'yes' } }, 'audit.securityHub'],
  ])('%j is refused', (config, path) => {
    const { problems } = errorOf({ ...config, keys: [{ user: 'a' }] });
    expect(problems).toMatchObject([{ path, code: 'bad-value' }]);
  });

  test.each([
    [{ maxChangesPerRun: 0, keys: [{ user: 'a' }] }, 'bad-value maxChangesPerRun'],
    [{ retireEvery: '5m', keys: [{ user: 'a' }] }, 'bad-value retireEvery'],
    [{ name: '1st', keys: [{ user: 'a' }] }, 'bad-value name'],
    [{ keys: [] }, 'bad-value keys'],
    [{ keys: ['deploy-prod'] }, 'bad-value keys[0]'],
    [{ keys: [{}] }, 'missing-field keys[0].user'],
    [{ defaults: { user: 'a' }, keys: [{ user: 'a' }] }, 'unknown-field defaults.user'],
    [{ defaults: { settle: 'long' }, keys: [{ user: 'a' }] }, 'bad-value defaults.settle'],
    [{}, 'keys-or-targets keys, targets'],
    [{ keys: [{ user: 'a' }], targets: [{ name: 'b', keys: [{ user: 'b' }] }] }, 'keys-or-targets keys, targets'],
    [{ targets: [{ keys: [{ user: 'a' }] }] }, 'missing-field targets[0].name'],
    [{ targets: [{ name: 'a', account: 123456789012, keys: [{ user: 'a' }] }] }, 'bad-value targets[0].account'],
    [undefined, 'missing-field the file'],
    [[], 'bad-value the file'],
  ])('%j', (config, problem) => {
    expect(problemsOf(config)).toEqual([problem]);
  });

  test('an unknown field is told the nearest known one, also by the words of the documentation', () => {
    const [typo] = errorOf(withKey({ deactivteAfter: '3d' })).problems;
    expect(typo).toMatchObject({ code: PROBLEMS.unknownField, fix: "did you mean 'deactivateAfter'?" });
    const [word] = errorOf(withKey({ overlap: '3d' })).problems;
    expect(word).toMatchObject({ path: 'keys[0].overlap', fix: "did you mean 'deactivateAfter'?" });
    expect(errorOf(withKey({ colour: 'red' })).problems[0]?.fix).toBe("remove 'colour'");
  });

  test('a user whose name no secret may have needs a secretName', () => {
    expect(problemsOf({ keys: [{ user: 'a,b' }] })).toEqual(['bad-value keys[0].secretName']);
    expect(resolveConfig({ keys: [{ user: 'a,b', secretName: 'a-b' }] }).targets).toHaveLength(1);
  });
});

describe('keys against each other', () => {
  test('one user under two secrets, in whatever case', () => {
    const keys = [{ user: 'Deploy' }, { user: 'deploy', secretName: 'other' }];
    expect(problemsOf({ keys })).toEqual(['duplicate-user keys[1].user']);
  });

  test('one secret for two users', () => {
    const keys = [
      { user: 'a', secretName: 's' },
      { user: 'b', secretName: 's' },
    ];
    expect(problemsOf({ keys })).toEqual(['duplicate-secret keys[1].secretName']);
  });

  test('users are one for all Regions of an account, secrets are not, and other accounts are others', () => {
    const target = (name: string, account: string, region: string, key: object) => ({
      name,
      account,
      region,
      keys: [key],
    });
    const first = target('a', '111111111111', 'eu-west-1', { user: 'u', secretName: 's' });
    const sameAccount = target('b', '111111111111', 'eu-west-2', { user: 'u', secretName: 's' });
    const otherAccount = target('c', '222222222222', 'eu-west-1', { user: 'u', secretName: 's' });
    expect(problemsOf({ targets: [first, sameAccount] })).toEqual(['duplicate-user targets[1].keys[0].user']);
    expect(resolveConfig({ targets: [first, otherAccount] }).targets).toHaveLength(2);
  });

  test('two targets of one name', () => {
    const targets = [
      { name: 'a', keys: [{ user: 'u' }] },
      { name: 'a', keys: [{ user: 'v' }] },
    ];
    expect(problemsOf({ targets })).toEqual(['duplicate-target targets[1].name']);
  });

  test('a reader in another account than the secret needs a KMS key that can be opened to it', () => {
    const target = (key: object) => ({
      targets: [{ name: 'a', account: '111111111111', keys: [{ user: 'u', ...key }] }],
    });
    const readers = ['arn:aws:iam::222222222222:role/app'];
    const kmsKeyArn = 'arn:aws:kms:eu-west-1:111111111111:key/01234567-89ab-cdef-0123-456789abcdef';
    expect(problemsOf(target({ readers }))).toEqual(['reader-needs-key targets[0].keys[0].readers[0]']);
    expect(resolveConfig(target({ readers, kmsKeyArn })).targets).toHaveLength(1);
  });

  test('more keys than the policies of a stack hold', () => {
    const keys = (count: number) => Array.from({ length: count }, (_, n) => ({ user: `service-user-${n}` }));
    expect(resolveConfig({ keys: keys(40) }).targets[0]?.keys).toHaveLength(40);
    const { problems } = errorOf({ keys: keys(50) });
    expect(problems).toMatchObject([
      { code: PROBLEMS.tooManyKeys, path: 'keys', fix: expect.stringContaining('targets') },
    ]);
  });

  test('long names fill the policies sooner', () => {
    const keys = Array.from({ length: 20 }, (_, n) => ({ user: `user-${n}`, secretName: `${'x'.repeat(500)}-${n}` }));
    expect(problemsOf({ keys })).toEqual(['too-many-keys keys']);
  });
});

test('all problems of all keys come in one error, in the order of the file', () => {
  const config = {
    retireEvery: 'hourly',
    keys: [
      { user: 'a', schedule: '0d', mode: 'off' },
      { user: 'b', deactivateAfter: '40d' },
      { user: 'a', secretName: 'c', color: 1 },
    ],
  };
  expect(problemsOf(config)).toEqual([
    'bad-value keys[0].mode',
    'bad-schedule keys[0].schedule',
    'does-not-fit keys[1].deactivateAfter',
    'unknown-field keys[2].color',
    'duplicate-user keys[2].user',
    'bad-value retireEvery',
  ]);
  const { message } = errorOf(config);
  expect(message).toContain('6 problems');
  expect(message).toContain("key 'b', keys[1].deactivateAfter");
  expect(message).toContain('overlap 40d + recovery 7d = 47d, with 30d between rotations');
});
