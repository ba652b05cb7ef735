import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { key, NEW, OLD } from '../domain/world.ts';
import { deployedKey } from '../policy.ts';
import { contextOf, deployed } from './lambda.ts';
import { ARN, CURRENT, failureOf, Ports, REGION, TOKEN, told, valueWith } from './ports.ts';

const DEPLOYMENT: Deployment = {
  formatVersion: 1,
  name: 'prod',
  maxChangesPerRun: 25,
  rotateTimeout: 120,
  keys: [deployedKey({ userName: 'app' })],
};
const EVENT = { SecretId: ARN, ClientRequestToken: TOKEN, RotationToken: 'the rotation token' };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.doUnmock('../../lambdas/adapters/clients.ts');
});

async function load(ports: Ports, deployment = DEPLOYMENT) {
  const output = deployed(deployment, ports);
  const { handler } = await import('../../lambdas/rotate/handler.ts');
  // The one that this handler knows: modules are loaded anew for each.
  const { AwsCallError } = await import('../../lambdas/domain/errors.ts');
  const invoke = (Step: string, runId = 'run-now', timeLeft?: number) =>
    handler({ ...EVENT, Step }, contextOf(runId, timeLeft));
  const refuse = (operation: Parameters<Ports['before']>[0], name: string, awsCode: string) =>
    ports.before(operation, () => {
      throw new AwsCallError(name, awsCode, true, 'no');
    });
  return { ...output, handler, invoke, refuse };
}
const pending = () =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [CURRENT]: valueWith(OLD), [TOKEN]: valueWith(NEW) },
    keys: [key(OLD), key(NEW)],
  });
const created = () =>
  new Ports({
    labels: { [CURRENT]: ['AWSCURRENT'], [TOKEN]: ['AWSPENDING'] },
    values: { [CURRENT]: valueWith(OLD) },
    keys: [key(OLD)],
  });

describe('the rotation Lambda', () => {
  it('runs a step as the run that Lambda names, and counts what came of it', async () => {
    const ports = created();
    const { invoke, counted, logged, regions } = await load(ports);
    await invoke('createSecret', 'request-1');
    expect(regions).toEqual([REGION, REGION]);
    expect(ports.of('tag')[0]?.[1]).toMatchObject({ 'iam-key-rotator:intent/request-1': expect.any(String) });
    expect(counted()).toEqual([{ RotationSteps: 1, KeysMinted: 1 }]);
    expect(logged()).toEqual([
      expect.objectContaining({
        level: 'INFO',
        message: 'minted',
        secret: 'iam/app',
        userName: 'app',
        keyId: NEW,
        secretId: ARN,
        step: 'createSecret',
        function_request_id: 'request-1',
        service: 'test-service',
      }),
    ]);
  });

  it.each([
    ['createSecret', ['describe', 'read', 'list']],
    ['setSecret', ['read', 'list']],
    ['testSecret', ['read', 'identify', 'identify', 'identify', 'tag']],
    ['finishSecret', ['describe', 'describe', 'describe']],
  ])('runs %s', async (step, operations) => {
    const ports = pending();
    const { invoke } = await load(ports);
    void invoke(step).catch(() => {});
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ports.operations().filter((operation) => operation !== 'sleep')).toEqual(operations);
  });

  it('lets a step wait, by the clock', async () => {
    const ports = pending();
    const { invoke } = await load(ports);
    const testing = invoke('testSecret');
    await vi.advanceTimersByTimeAsync(1999);
    expect(ports.of('tag')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await testing;
    expect(ports.of('tag')).toMatchObject([
      [ARN, { 'iam-key-rotator:verified': expect.stringMatching(/ at=2026-06-15T12:00:02Z$/) }, []],
    ]);
  });

  it('has a step end before Lambda stops it', async () => {
    const { invoke } = await load(pending());
    expect(told(await failureOf(invoke('testSecret', 'run-now', 10_999)))).toMatch(/^KEY_NOT_USABLE: /);
  });

  it('counts a refusal of its own, logs it and fails', async () => {
    const { invoke, counted, logged } = await load(pending());
    expect(await failureOf(invoke('deleteSecret'))).toMatchObject({ code: 'EVENT_MALFORMED' });
    expect(counted()).toEqual([{ RotationSteps: 1, RotationStepsFailed: 1, Refusals: 1 }]);
    expect(logged()).toEqual([
      expect.objectContaining({
        level: 'ERROR',
        message: 'rotation step failed',
        secretId: ARN,
        step: 'deleteSecret',
        error: expect.objectContaining({
          code: 'EVENT_MALFORMED',
          message: expect.stringMatching(/^EVENT_MALFORMED: the step 'deleteSecret'\./),
        }),
      }),
    ]);
  });

  it('counts a failed call of AWS as a failure that is no refusal', async () => {
    const { invoke, counted, logged, refuse } = await load(pending());
    refuse('list', 'ListAccessKeys', 'AccessDenied');
    expect(await failureOf(invoke('setSecret'))).toMatchObject({ code: 'AWS_CALL_FAILED', awsCode: 'AccessDenied' });
    expect(counted()).toEqual([{ RotationSteps: 1, RotationStepsFailed: 1, Refusals: 0 }]);
    expect(logged()).toEqual([expect.objectContaining({ level: 'ERROR', message: 'rotation step failed' })]);
  });

  it('forgets between two invocations what it has logged with', async () => {
    const { invoke, handler, logged } = await load(pending());
    await failureOf(invoke('deleteSecret'));
    await failureOf(handler({ RotationToken: 'the rotation token' }, contextOf('run-next')));
    expect(logged()[0]).toHaveProperty('secretId');
    expect(logged()[1]).not.toHaveProperty('secretId');
    expect(logged()[1]).not.toHaveProperty('step');
  });

  it('prints no secret material', async () => {
    const { invoke, printed, refuse } = await load(created());
    refuse('storePending', 'PutSecretValue', 'AccessDeniedException');
    await failureOf(invoke('createSecret'));
    expect(printed()).toContain('STORE_FAILED');
    expect(printed()).not.toMatch(/secret of|the rotation token/);
  });
});
