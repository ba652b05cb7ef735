import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { deploy } from '../../local/assembly.ts';
import { errorOf, events, HOUR, MINUTE, simulate } from './helpers.ts';

const fixture = join(import.meta.dirname, 'fixtures', 'assembly');
const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Deploys the fixture, with changes to its template. */
async function deployed(change: (resources: Record<string, unknown>) => void = () => {}) {
  const world = simulate();
  const folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  open.push(() => rm(folder, { recursive: true }));
  await cp(fixture, folder, { recursive: true });
  const { default: template } = await import(join(fixture, 'Stack.template.json'), { with: { type: 'json' } });
  const copy = structuredClone(template);
  change(copy.Resources);
  await writeFile(join(folder, 'Stack.template.json'), JSON.stringify(copy));
  const result = await deploy(world.account, folder);
  open.push(result.close);
  const invoke = (event: unknown) => world.run(world.account.functions.invoke('probe', event));
  return { ...world, ...result, invoke };
}

describe('deploying a cloud assembly', () => {
  it('makes its users, secrets, roles and functions, with references resolved', async () => {
    const { account, functions, roles, resources } = await deployed();
    const secret = account.findSecret('app/key');
    expect(account.users.get('app')?.arn).toBe('arn:aws:iam::111122223333:user/apps/app');
    expect(Object.fromEntries(secret?.tags ?? [])).toEqual({ managed: 'yes' });
    expect(secret?.replicaRegions).toEqual(['eu-west-1']);
    expect(secret?.resourcePolicy).toMatchObject({ Statement: [{ Effect: 'Deny' }] });
    const role = roles['Stack-Role'];
    expect(functions[0]).toMatchObject({
      name: 'probe',
      roleArn: role?.arn,
      timeoutSeconds: 60,
      env: { SECRET: secret?.arn },
    });
    expect(role?.statements).toEqual([
      { Effect: 'Allow', Action: 'iam:CreateAccessKey', Resource: 'arn:aws:iam::111122223333:user/apps/app' },
      { Effect: 'Allow', Action: 'secretsmanager:PutSecretValue', Resource: secret?.arn },
    ]);
    expect(resources.map(({ logicalId }) => logicalId)).toContain('Dead');
  });

  it('rotates right away, through the bundle, on its own signed requests', async () => {
    const { account } = await deployed();
    expect(account.valueOf('app/key')).toBe('bootstrap');
    await account.clock.advance(MINUTE);
    expect(events(account)).toEqual(['RotationStarted', 'RotationSucceeded']);
    expect(account.valueOf('app/key')).toContain('made at 2026-01-01T00:00:');
    const put = account.history.find((entry) => entry.kind === 'call' && entry.action === 'PutSecretValue');
    expect(put).toMatchObject({
      principal: 'arn:aws:sts::111122223333:assumed-role/Stack-Role/probe',
      functionName: 'probe',
    });
  });

  it('does not rotate right away if it says so', async () => {
    const { account } = await deployed((resources) => {
      Object.assign(Object(resources.Rotation).Properties, { RotateImmediatelyOnUpdate: false });
    });
    await account.clock.advance(MINUTE);
    expect(events(account)).toEqual(['TestRotationStarted', 'TestRotationSucceeded']);
    expect(account.valueOf('app/key')).toBe('bootstrap');
  });

  it('invokes on schedule, and sends what fails to the dead-letter queue', async () => {
    const { account, functions } = await deployed();
    await account.clock.advance(2 * HOUR);
    expect(functions[0]?.logs.filter((line) => line.includes('scheduled'))).toHaveLength(2);
    await account.functions.invoke('probe', { fail: true }, { type: 'Event' });
    await account.clock.advance(HOUR / 2);
    expect(account.functions.queues.get('arn:aws:sqs:eu-central-1:111122223333:dead')).toMatchObject([
      { requestPayload: { fail: true } },
    ]);
  });

  it('asks the policy engine with the role of the template', async () => {
    const { account, invoke } = await deployed();
    const asked: unknown[] = [];
    account.authorize = ({ action, resource, context }) => {
      asked.push([action, resource, context['secretsmanager:VersionStage']]);
      return { allowed: false, reason: 'no' };
    };
    const arn = account.findSecret('app/key')?.arn;
    expect(await invoke({ call: 'GetSecretValue', body: { SecretId: arn, VersionStage: 'AWSPENDING' } })).toMatchObject(
      {
        result: { status: 400, body: expect.stringContaining('AccessDeniedException') },
      },
    );
    expect(asked).toEqual([['secretsmanager:GetSecretValue', arn, 'AWSPENDING']]);
  });

  it.each<[string, unknown, string]>([
    [
      'a type that is not simulated',
      { Type: 'AWS::EC2::Instance' },
      'Extra: resources of type AWS::EC2::Instance are not simulated',
    ],
    [
      'a function that is not simulated',
      { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::If': [1, 2, 3] } } },
      'Fn::If',
    ],
    [
      'an attribute that is not simulated',
      { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['Dead', 'Url'] } } },
      'Dead.Url',
    ],
    [
      'a reference to nowhere',
      { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Nowhere' } } },
      'Ref Nowhere',
    ],
    ['a cycle', { Type: 'AWS::SQS::Queue', DependsOn: 'Extra' }, 'need each other: Extra'],
  ])('stops at %s, and names it', async (_, Extra, message) => {
    const error = await errorOf(deployed((resources) => Object.assign(resources, { Extra })));
    expect(error.message).toContain(message);
  });
});

describe('a bundle', () => {
  it('sees virtual time, its own environment and a credential of its own, and nothing of the process', async () => {
    const { account, invoke, functions } = await deployed();
    await account.clock.advance(HOUR);
    account.clock.skew = 1000;
    const { result } = (await invoke({ world: true })) as { result: Record<string, unknown> };
    expect(result).toMatchObject({
      before: '2026-01-01T01:00:01.000Z',
      after: '2026-01-01T01:00:11.000Z',
      waited: 10_000,
      viaModule: '2026-01-01T01:00:12.000Z',
      ticks: 3,
      global: '2026-01-01T01:00:15.000Z',
      cleared: false,
      dynamic: true,
      remaining: 46_000,
    });
    const env = result.env as Record<string, string>;
    expect(Object.keys(env)).not.toContain('PATH');
    expect(env).toMatchObject({
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_CONFIG_FILE: '/dev/null',
    });
    expect(env.AWS_ACCESS_KEY_ID).toMatch(/^ASIA/);
    expect(functions[0]?.logs).toEqual(expect.arrayContaining(['to the console', 'to stdout']));
  });

  it('dies by its timeout, and nothing it does afterwards reaches the account', async () => {
    const { account, invoke } = await deployed();
    await account.clock.advance(MINUTE);
    expect(await invoke({ sleep: 70_000 })).toMatchObject({ ok: false, errorType: 'Sandbox.Timedout' });
    const before = account.history.length;
    await account.clock.advance(10 * MINUTE);
    expect(account.history.length).toBe(before);
  });

  it('dies by a crash in a call, and by process.exit', async () => {
    const { account, invoke } = await deployed();
    await account.clock.advance(MINUTE);
    const call = { call: 'TagResource', body: { SecretId: 'app/key', Tags: [{ Key: 'k', Value: 'v' }] } };
    account.faults.add({ match: { action: 'TagResource' }, kind: 'crash-after' });
    expect(await invoke(call)).toMatchObject({ ok: false, errorType: 'Runtime.ExitError' });
    expect(account.findSecret('app/key')?.tags.get('k')).toBe('v');
    expect(await invoke({ exit: true })).toMatchObject({ ok: false, errorType: 'Runtime.ExitError' });
    expect(await invoke(call)).toMatchObject({ ok: true, result: { status: 200 } });
  });

  it('finds its connection broken when an answer is lost, and waits when it is late', async () => {
    const { account, invoke } = await deployed();
    await account.clock.advance(MINUTE);
    const call = { call: 'DescribeSecret', body: { SecretId: 'app/key' } };
    account.faults.add({ match: { action: 'DescribeSecret' }, kind: 'lose-answer' });
    expect(await invoke(call)).toMatchObject({ ok: false, errorMessage: 'socket hang up' });
    const start = account.clock.nowMs;
    account.faults.add({ match: { action: 'DescribeSecret' }, kind: 'late', ms: 5000 });
    expect(await invoke(call)).toMatchObject({ ok: true });
    expect(account.clock.nowMs - start).toBe(5000);
  });
});
