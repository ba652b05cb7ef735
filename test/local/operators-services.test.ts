/** What operators' commands ask beside IAM and Secrets Manager: over the SDK's wire, and the same by direct clients. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateSummaryCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { IAMClient, ListEntitiesForPolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { ListSecretsCommand, RestoreSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import { keepAccount } from '../../local/demo/keep.ts';
import { LivedInAccount } from '../cli/account.ts';
import { connectTo, deployStack } from '../cli/world.ts';

const lived = new LivedInAccount([{ userName: 'app' }]);
const { account } = lived;
const config = account.clientConfig();
const lambda = new LambdaClient(config);
const cloudFormation = new CloudFormationClient(config);
const secrets = new SecretsManagerClient(config);

const text = (payload: Uint8Array | undefined) => new TextDecoder().decode(payload);
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

it('CloudFormation tells of the stack, its metadata as text, and its resources a hundred a page', async () => {
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'iam-key-rotator' }));
  expect(Stacks).toMatchObject([{ StackName: 'iam-key-rotator', CreationTime: new Date('2026-01-01T00:00:00Z') }]);
  const { Metadata = '' } = await cloudFormation.send(new GetTemplateSummaryCommand({ StackName: 'iam-key-rotator' }));
  expect(JSON.parse(Metadata)['iam-key-rotator'].deployment).toEqual(lived.deployment);

  const many = Array.from({ length: 101 }, (_, index) => ({
    logicalId: `R${index}`,
    type: 'T',
    physicalId: `r${index}`,
  }));
  const big = new LivedInAccount([]);
  deployStack(big, {}, many);
  const client = new CloudFormationClient(big.account.clientConfig());
  const first = await client.send(new ListStackResourcesCommand({ StackName: 'iam-key-rotator' }));
  expect(first.StackResourceSummaries).toHaveLength(100);
  const NextToken = first.NextToken;
  const last = await client.send(new ListStackResourcesCommand({ StackName: 'iam-key-rotator', NextToken }));
  expect(last).toMatchObject({ StackResourceSummaries: [{ PhysicalResourceId: 'r100' }] });
  expect(last.NextToken).toBeUndefined();
});

it('CloudFormation answers ValidationError for a stack that is not there', async () => {
  const asked = cloudFormation.send(new DescribeStacksCommand({ StackName: 'other' }));
  await expect(asked).rejects.toMatchObject({ name: 'ValidationError', $metadata: { httpStatusCode: 400 } });
});

it('Lambda tells how a function is configured, and that there is none', async () => {
  expect(await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'rotate' }))).toMatchObject({
    ...{ FunctionName: 'rotate', Runtime: 'nodejs24.x', Timeout: 120, State: 'Active' },
  });
  const asked = lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'none' }));
  await expect(asked).rejects.toMatchObject({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } });
});

it('Lambda answers with what the function returns, after the time that it takes; an error of it is told in a header', async () => {
  account.functions.register({
    ...{ name: 'echo', env: {}, timeoutSeconds: 60 },
    load: (sandbox) => async (event) => {
      await sandbox.clock.sleep(30_000);
      if ((event as { fail?: boolean }).fail) throw new TypeError('failed');
      return { got: event };
    },
  });
  const began = account.clock.nowMs;
  const invoke = (event: unknown) =>
    account.clock.run(lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload: bytes(event) })));
  const { StatusCode, Payload, FunctionError } = await invoke({ keyId: 'AKIA' });
  expect([StatusCode, FunctionError, text(Payload)]).toEqual([200, undefined, '{"got":{"keyId":"AKIA"}}']);
  expect(account.clock.nowMs - began).toBe(30_000);
  const failed = await invoke({ fail: true });
  expect([failed.StatusCode, failed.FunctionError]).toEqual([200, 'Unhandled']);
  expect(text(failed.Payload)).toContain('"errorMessage":"failed"');

  const direct = await connectTo(account)({})('lambda');
  const again = await account.clock.run(direct.send(new InvokeCommand({ FunctionName: 'echo', Payload: bytes(1) })));
  expect(text(again.Payload)).toBe('{"got":1}');
  const event = new InvokeCommand({ FunctionName: 'echo', InvocationType: 'Event', Payload: bytes({}) });
  expect((await lambda.send(event)).StatusCode).toBe(202);
});

it('Scheduler tells of a schedule, and that there is none', async () => {
  const scheduler = new SchedulerClient(config);
  expect(await scheduler.send(new GetScheduleCommand({ Name: 'hourly' }))).toMatchObject({
    ...{ State: 'ENABLED', ScheduleExpression: 'rate(1 hour)' },
  });
  const asked = scheduler.send(new GetScheduleCommand({ Name: 'none' }));
  await expect(asked).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

it('IAM tells whom a policy is attached to', async () => {
  const PolicyArn = 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3';
  const asked = () => new IAMClient(config).send(new ListEntitiesForPolicyCommand({ PolicyArn }));
  expect((await asked()).PolicyUsers).toEqual([]);
  const user = account.users.get('app');
  if (user === undefined) throw new Error('no user');
  user.attachedPolicies = [PolicyArn];
  expect((await asked()).PolicyUsers).toMatchObject([{ UserName: 'app' }]);
});

it('Secrets Manager lists a secret that is to be deleted when it is asked to, and restores it', async () => {
  account.operate('secretsmanager', 'DeleteSecret', { SecretId: 'iam/app' });
  const listed = async (IncludePlannedDeletion?: boolean) =>
    (await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion }))).SecretList?.length;
  expect([await listed(), await listed(true)]).toEqual([0, 1]);
  await secrets.send(new RestoreSecretCommand({ SecretId: 'iam/app' }));
  expect(await listed()).toBe(1);
});

it('an account that is kept is reached on a port, with the environment that it names', async () => {
  const kept = new LivedInAccount([]);
  await kept.account.clock.advanceTo(new Date());
  const { env, close } = await keepAccount(kept.account);
  try {
    const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = env;
    // The AWS CLI and boto3 read no AWS_REGION.
    expect(env.AWS_DEFAULT_REGION).toBe(region);
    const credentials = {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: env.AWS_SESSION_TOKEN ?? '',
    };
    const client = new CloudFormationClient({ endpoint, region, credentials });
    expect((await client.send(new DescribeStacksCommand({ StackName: 'iam-key-rotator' }))).Stacks).toHaveLength(1);
  } finally {
    await close();
  }
});
