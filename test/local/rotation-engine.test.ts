import { CancelRotateSecretCommand, DescribeSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import type { AccountOptions } from '../../local/account.ts';
import type { InvokePermission, Sandbox } from '../../local/functions.ts';
import { DAY, errorOf, events, HOUR, MINUTE, rotator, simulate, token } from './helpers.ts';

const SecretId = 's';
const ALL_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

/** A secret with a value, and a function that rotates it once it is asked to. */
function rotating(
  options: {
    readonly account?: AccountOptions;
    readonly before?: (step: string, sandbox: Sandbox, token: string) => unknown;
    readonly permissions?: InvokePermission[];
  } = {},
) {
  const world = simulate(options.account);
  const { account, run, secrets } = world;
  const secret = account.createSecret(SecretId, { value: 'old' });
  const { permissions } = options;
  const fn = account.functions.register({
    name: 'rotate',
    load: rotator(options.before),
    ...(permissions ? { permissions } : {}),
  });
  const rotate = (query: object = {}) =>
    run(secrets.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: fn.arn, ...query })));
  const lines = () => fn.logs.map((line) => line.split(' ')).filter(([step = '']) => ALL_STEPS.includes(step));
  const steps = () => lines().map(([step]) => step);
  const tokens = () => [...new Set(lines().map(([, id]) => id))];
  const failures = () =>
    account.history.flatMap((entry) =>
      entry.kind === 'event' && entry.name === 'RotationFailed' ? [entry.detail] : [],
    );
  return { ...world, secret, fn, rotate, steps, tokens, failures };
}

describe('a rotation', () => {
  it('runs the four steps in order on a version that carries AWSPENDING and has no value yet', async () => {
    const seen: unknown[] = [];
    const before = (step: string, sandbox: Sandbox, id: string) => {
      const version = sandbox.account.findSecret(SecretId)?.versions.get(id);
      seen.push([step, version !== undefined, version?.value !== undefined]);
    };
    const { account, rotate, steps, secret } = rotating({ before });
    const { VersionId } = await rotate({ ClientRequestToken: token('wanted') });
    await account.clock.advance(MINUTE);
    expect(VersionId).toBe(token('wanted'));
    expect(steps()).toEqual(ALL_STEPS);
    expect(seen.slice(0, 2)).toEqual([
      ['createSecret', true, false],
      ['setSecret', true, true],
    ]);
    expect(account.valueOf(SecretId)).toBe(`value of ${VersionId}`);
    expect(account.valueOf(SecretId, 'AWSPREVIOUS')).toBe('old');
    expect(secret.labels.has('AWSPENDING')).toBe(false);
    expect(events(account)).toEqual(['RotationStarted', 'RotationSucceeded']);
  });

  it('comes again at midnight after the days of its schedule, and says when', async () => {
    const { account, run, rotate, secrets, tokens } = rotating({
      account: { start: new Date('2026-01-01T09:00:00Z') },
    });
    await rotate({ RotationRules: { AutomaticallyAfterDays: 30 } });
    await account.clock.advance(MINUTE);
    const described = await run(secrets.send(new DescribeSecretCommand({ SecretId })));
    expect(described.LastRotatedDate).toEqual(new Date('2026-01-01T09:00:00Z'));
    expect(described.NextRotationDate).toEqual(new Date('2026-01-31T00:00:00Z'));
    await account.clock.advanceTo(new Date('2026-01-30T23:59:59Z'));
    expect(tokens()).toHaveLength(1);
    await account.clock.advanceTo(new Date('2026-12-31T00:00:00Z'));
    expect(tokens()).toHaveLength(13);
  });

  it('follows a cron schedule', async () => {
    const { account, rotate, secret } = rotating();
    await rotate({ RotationRules: { ScheduleExpression: 'cron(0 4 ? * MON *)', Duration: '2h' } });
    await account.clock.advanceTo(new Date('2026-01-12T05:00:00Z'));
    expect(secret.lastRotatedAt).toBe(Date.parse('2026-01-12T04:00:00Z'));
    expect(secret.nextRotationAt).toBe(Date.parse('2026-01-19T04:00:00Z'));
  });

  it.each(['same', 'new'] as const)(
    'that failed at a step is tried again from the first one, with the %s token',
    async (keep) => {
      let fail = true;
      const before = (step: string) => {
        if (fail && step === 'testSecret') throw new RangeError('not yet');
      };
      const retry = { attempts: 3, spacingMs: 10 * MINUTE, token: keep };
      const { account, rotate, steps, tokens, failures, secret } = rotating({
        before,
        account: { rotationRetry: retry },
      });
      await rotate();
      await account.clock.advance(MINUTE);
      expect(steps()).toEqual(ALL_STEPS.slice(0, 3));
      expect(failures()).toMatchObject([{ Step: 'testSecret', errorType: 'RangeError', errorMessage: 'not yet' }]);
      fail = false;
      await account.clock.advance(10 * MINUTE);
      expect(steps()).toEqual([...ALL_STEPS.slice(0, 3), ...ALL_STEPS]);
      expect(tokens()).toHaveLength(keep === 'same' ? 1 : 2);
      expect(secret.labels.get('AWSCURRENT')).toBe(tokens().at(-1));
      expect(events(account).at(-1)).toBe('RotationSucceeded');
    },
  );

  it('gives up after its attempts, and takes the pending version up again in the next window', async () => {
    let fail = true;
    const before = () => {
      if (fail) throw new Error('no');
    };
    const { account, rotate, failures, tokens } = rotating({ before });
    await rotate({ RotationRules: { ScheduleExpression: 'rate(1 day)' } });
    await account.clock.advance(23 * HOUR);
    expect(failures()).toHaveLength(3);
    fail = false;
    await account.clock.advance(2 * HOUR);
    expect(tokens()).toHaveLength(1);
    expect(account.valueOf(SecretId)).toBe(`value of ${tokens()[0]}`);
  });

  it('is not tried again once its window is closed', async () => {
    const before = () => {
      throw new Error('no');
    };
    const retry = { attempts: 10, spacingMs: 45 * MINUTE, token: 'same' as const };
    const { account, rotate, failures } = rotating({ before, account: { rotationRetry: retry } });
    const rules = { ScheduleExpression: 'cron(0 4 * * ? *)', Duration: '2h' };
    await rotate({ RotationRules: rules, RotateImmediately: false });
    await account.clock.advanceTo(new Date('2026-01-01T23:00:00Z'));
    expect(failures()).toHaveLength(3);
  });

  it('is a failure if AWSPENDING stays on another version, and the next request takes it up again', async () => {
    const world = simulate({ rotationRetry: { attempts: 1, spacingMs: MINUTE, token: 'same' } });
    const { account, run, secrets } = world;
    const secret = account.createSecret(SecretId, { value: 'old' });
    const seen: unknown[] = [];
    const { arn } = account.functions.register({ name: 'idle', load: () => (event) => seen.push(event) });
    const rotate = () => run(secrets.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: arn })));
    const { VersionId } = await rotate();
    await account.clock.advance(MINUTE);
    expect(events(account)).toEqual(['RotationStarted', 'RotationFailed']);
    const error = await errorOf(rotate());
    expect(error.name).toBe('InvalidRequestException');
    expect(error.message).toBe("A previous rotation isn't complete. That rotation will be reattempted.");
    await account.clock.advance(MINUTE);
    expect(seen).toHaveLength(8);
    expect(seen.at(-1)).toEqual({ Step: 'finishSecret', SecretId: secret.arn, ClientRequestToken: VersionId });
  });

  it('of one secret never overlaps another', async () => {
    const { account, rotate, steps } = rotating({ before: (_, sandbox) => sandbox.clock.sleep(10_000) });
    await rotate();
    await account.clock.advance(5000);
    expect((await errorOf(rotate())).name).toBe('InvalidRequestException');
    await account.clock.advance(5 * MINUTE);
    expect(steps()).toEqual(ALL_STEPS);
  });

  it('with RotateImmediately=false only tests, on a passing version with the value that is there', async () => {
    const seen: unknown[] = [];
    const before = (step: string, { account }: Sandbox) => seen.push([step, account.valueOf(SecretId, 'AWSPENDING')]);
    const { account, rotate, secret } = rotating({ before });
    await rotate({ RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 30 } });
    await account.clock.advance(MINUTE);
    expect(seen).toEqual([['testSecret', 'old']]);
    expect([...secret.labels.keys()]).toEqual(['AWSCURRENT']);
    expect(secret.versions.size).toBe(1);
    expect(events(account)).toEqual(['TestRotationStarted', 'TestRotationSucceeded']);
    expect(secret.lastRotatedAt).toBeUndefined();
  });

  it('ends before its next step when it is cancelled, and comes no more', async () => {
    const { account, run, rotate, secrets, steps, secret } = rotating({
      before: (_, sandbox) => sandbox.clock.sleep(10_000),
    });
    await rotate({ RotationRules: { AutomaticallyAfterDays: 1 } });
    await account.clock.advance(15_000);
    await run(secrets.send(new CancelRotateSecretCommand({ SecretId })));
    await account.clock.advance(3 * DAY);
    expect(steps()).toEqual(['createSecret', 'setSecret']);
    expect(secret.labels.has('AWSPENDING')).toBe(true);
    expect((await run(secrets.send(new DescribeSecretCommand({ SecretId })))).RotationEnabled).toBe(false);
  });

  it.each<[string, InvokePermission[]]>([
    ['no permission', []],
    ['another account', [{ principal: 'secretsmanager.amazonaws.com', sourceAccount: '444455556666' }]],
    [
      'another secret',
      [{ principal: 'secretsmanager.amazonaws.com', sourceArn: 'arn:aws:secretsmanager:*:*:secret:other-*' }],
    ],
    ['another service', [{ principal: 'events.amazonaws.com' }]],
  ])('is denied when the function permits %s', async (_, permissions) => {
    const { rotate, steps } = rotating({ permissions });
    expect((await errorOf(rotate())).name).toBe('AccessDeniedException');
    expect(steps()).toEqual([]);
  });

  it('fails with AccessDenied when the permission has gone', async () => {
    const permissions = [
      { principal: 'secretsmanager.amazonaws.com', sourceArn: 'arn:aws:secretsmanager:*:*:secret:s-??????' },
    ];
    const { account, rotate, failures } = rotating({ permissions });
    await rotate({ RotationRules: { ScheduleExpression: 'rate(4 hours)' } });
    await account.clock.advance(MINUTE);
    permissions.length = 0;
    await account.clock.advance(4 * HOUR);
    expect(failures()[0]).toMatchObject({ Step: 'createSecret', errorType: 'AccessDenied' });
  });

  it('sends a RotationToken where the account does so, and never records it', async () => {
    const { account, run, secrets } = simulate({ rotationToken: true });
    account.createSecret(SecretId, { value: 'old' });
    const seen: unknown[] = [];
    const { arn } = account.functions.register({ name: 'idle', load: () => (event) => seen.push(event) });
    await run(secrets.send(new RotateSecretCommand({ SecretId, RotationLambdaARN: arn })));
    await account.clock.advance(MINUTE);
    expect(seen[0]).toMatchObject({ Step: 'createSecret', RotationToken: expect.stringMatching(/^.{36,256}$/) });
    expect(JSON.stringify(account.history)).not.toContain('RotationToken');
  });
});
