import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { key, NEW, OLD } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';
import { contextOf, deployed } from '../rotate/lambda.ts';
import { awsError, CURRENT, failureOf, Ports, REGION, USER_ID, valueWith } from '../rotate/ports.ts';

const deploymentOf = (names: readonly string[], maxChangesPerRun = 25): Deployment => ({
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun,
  rotateTimeout: 120,
  keys: names.map((userName) => deployedKey({ userName })),
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.doUnmock('../../lambdas/adapters/clients.ts');
});

async function load(ports: Ports, deployment = deploymentOf(['app'])) {
  const output = deployed(deployment, ports);
  const { handler } = await import('../../lambdas/retire/handler.ts');
  return { ...output, handler };
}
const PREVIOUS = 'cccccccc-2222-3333-4444-555555555555';
const entry = (key: string, more: string) => ({ [`iam-key-rotator:key/${key}`]: more });
const superseded = () =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [PREVIOUS]: ['AWSPREVIOUS'] },
    values: { [CURRENT]: valueWith(NEW) },
    keys: [key(NEW), key(OLD)],
    tags: {
      'iam-key-rotator:user-id': USER_ID,
      ...entry(NEW, `version=${CURRENT} minted=2026-06-10T12:00:00Z promoted=2026-06-10T12:05:00Z`),
      ...entry(OLD, `version=${PREVIOUS} promoted=2026-03-07T12:05:00Z superseded=2026-06-10T12:05:00Z by=${NEW}`),
    },
  });
const failing = () =>
  superseded().before('list', () => {
    throw awsError('ListAccessKeys', 'AccessDenied');
  });

describe('the retire Lambda', () => {
  it('runs a pass, returns what it did and counts that', async () => {
    const ports = superseded();
    const { handler, counted, logged, regions } = await load(ports);
    expect(await handler({}, contextOf('run-now'))).toEqual({ examined: 1, changes: 1 });
    expect(regions).toEqual([REGION, REGION, REGION]);
    expect(ports.of('disable')).toEqual([['app', OLD]]);
    expect(counted()).toEqual([
      { LeaksNotContained: 0 },
      {
        ...{ KeysDisabled: 1, SecretsExamined: 1, SecretsFailed: 0, ChangeLimitReached: 0 },
        ...{ CurrentKeys: 1, RetiringKeys: 1, AwaitingDeletion: 0, KeysOverdue: 0 },
        ...{ OldestCurrentKey: 5 * 86_400, LongestHold: 2 * 86_400 - 300 },
      },
    ]);
    expect(logged()).toEqual([
      expect.objectContaining({
        level: 'INFO',
        message: 'disabled',
        secret: 'iam/app',
        keyId: OLD,
        reason: 'overlap-over',
        observed: false,
        function_request_id: 'run-now',
      }),
    ]);
  });

  it('says so when it has changed as much as it may', async () => {
    const ports = superseded();
    ports.keys = [...ports.keys, key('AKIAMORE')];
    ports.tags['iam-key-rotator:key/AKIAMORE'] = ports.tags[`iam-key-rotator:key/${OLD}`] ?? '';
    const { handler, counted, logged } = await load(ports, deploymentOf(['app'], 1));
    expect(await handler({}, contextOf('run-now'))).toEqual({ examined: 1, changes: 1, stopped: 'change-limit' });
    expect(counted().at(-1)).toMatchObject({
      KeysDisabled: 1,
      SecretsExamined: 1,
      SecretsFailed: 0,
      ChangeLimitReached: 1,
    });
    const { service: _, ...warning } = logged().at(-1) ?? {};
    expect(warning).toMatchObject({
      level: 'WARN',
      message: 'the pass ended early; the next one goes on',
      examined: 1,
      changes: 1,
      stopped: 'change-limit',
    });
    expect(warning).not.toHaveProperty('failures');
  });

  it('says so when it has run out of time, which is not the limit', async () => {
    const { handler, counted, logged } = await load(superseded(), deploymentOf(['app', 'other']));
    expect(await handler({}, contextOf('run-now', 29_999))).toMatchObject({ examined: 1, stopped: 'time' });
    expect(counted()).toMatchObject([{ ChangeLimitReached: 0 }]);
    expect(logged().at(-1)).toMatchObject({ level: 'WARN', stopped: 'time' });
  });

  it('logs and counts each secret that fails, and fails at its end', async () => {
    const { handler, counted, logged } = await load(failing(), deploymentOf(['app', 'other']));
    expect(await failureOf(handler({}, contextOf('run-now')))).toMatchObject({
      code: 'PASS_FAILED',
      message: expect.stringMatching(/^PASS_FAILED: 2 secrets failed: \[iam\/app\] .* \[iam\/other\] /),
    });
    expect(counted()).toEqual([{ SecretsExamined: 2, SecretsFailed: 2, ChangeLimitReached: 0 }]);
    expect(logged()).toEqual(
      ['app', 'other'].map((name) =>
        expect.objectContaining({
          level: 'ERROR',
          message: 'retirement failed',
          secret: `iam/${name}`,
          error: expect.objectContaining({ code: 'AWS_CALL_FAILED', operation: 'ListAccessKeys' }),
        }),
      ),
    );
  });

  it('logs that it could not even list the secrets', async () => {
    const ports = superseded().before('listSecrets', () => {
      throw awsError('ListSecrets', 'AccessDeniedException');
    });
    const { handler, logged } = await load(ports);
    expect(await failureOf(handler({}, contextOf('run-now')))).toMatchObject({ code: 'AWS_CALL_FAILED' });
    expect(logged()).toMatchObject([
      { level: 'ERROR', message: 'retirement failed', error: { operation: 'ListSecrets' } },
    ]);
    expect(logged()[0]).not.toHaveProperty('secret');
  });

  it('forgets between two passes what it has logged with', async () => {
    const { handler, logged } = await load(failing());
    vi.spyOn(Logger.prototype, 'warn').mockImplementationOnce(function (this: Logger) {
      this.appendKeys({ of: 'the first pass' });
    });
    await failureOf(handler({}, contextOf('run-1', 29_999)));
    await failureOf(handler({}, contextOf('run-2')));
    expect(logged()).toMatchObject([
      { level: 'ERROR', function_request_id: 'run-1', of: 'the first pass' },
      { level: 'ERROR', function_request_id: 'run-2' },
    ]);
    expect(logged()[1]).not.toHaveProperty('of');
  });

  it('prints no secret material', async () => {
    const ports = superseded();
    ports.values[CURRENT] = valueWith(NEW, { UserName: 'ops' });
    const { handler, printed } = await load(ports);
    await failureOf(handler({}, contextOf('run-now')));
    expect(printed()).toContain('VALUE_OTHER_USER');
    expect(printed()).not.toContain('secret of');
  });
});
