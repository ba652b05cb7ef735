/** The rotate function as it is deployed, one file out of esbuild in a process of its own, against moto with signature and policy checks. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundle } from '../../infra/bundle.ts';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { BOOTSTRAP_VALUE, DEPLOYMENT_FILE, ENV, PROJECT, SERVICES, TAGS } from '../../lambdas/contract/names.ts';
import { parseLedger } from '../../lambdas/domain/ledger.ts';
import { AWSCURRENT, AWSPENDING, type SecretFacts, versionWith } from '../../lambdas/domain/model.ts';
import { deployedKey } from '../policy.ts';
import {
  beginMotoRotation,
  type Credentials,
  createSecret,
  environment,
  motoAccount,
  REGION,
  type TestAccount,
} from './accounts.ts';
import type { Invocation, InvocationResult } from './invoke.ts';

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
const FIRST = '11111111-1111-4111-8111-111111111111';
const SECOND = '22222222-2222-4222-8222-222222222222';
const TIMEOUT_SECONDS = 60;
const SECRET_NAME = 'iam/app';
const DEPLOYMENT: Deployment = {
  ...{ formatVersion: 1, name: 'emulated', maxChangesPerRun: 25, rotateTimeout: TIMEOUT_SECONDS },
  keys: [deployedKey({ userName: 'app', secretName: SECRET_NAME })],
};
/** All that the function's role may do. moto compares every resource with *, so which resources is not tested here. */
const ACTIONS = [
  ...[
    'DescribeSecret',
    'GetSecretValue',
    'PutSecretValue',
    'UpdateSecretVersionStage',
    'TagResource',
    'UntagResource',
  ].map((action) => `secretsmanager:${action}`),
  ...['GetUser', 'ListAccessKeys', 'GetAccessKeyLastUsed', 'CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey'].map(
    (action) => `iam:${action}`,
  ),
];

let taskRoot: string;
let account: TestAccount;
let role: Credentials;
let arn: string;
/** All that any function has written or answered in this test. */
let said: string[];

beforeAll(() => {
  taskRoot = mkdtempSync(join(tmpdir(), 'rotate-function-'));
  for (const { name, content } of bundle('lambdas/rotate/handler.ts')) writeFileSync(join(taskRoot, name), content);
  writeFileSync(join(taskRoot, DEPLOYMENT_FILE), JSON.stringify(DEPLOYMENT));
});
afterAll(() => rmSync(taskRoot, { recursive: true, force: true }));

beforeEach(async () => {
  said = [];
  account = await motoAccount();
  await account.createUser('app', '/team/');
  role = await account.roleSession(ACTIONS, ['*']);
  arn = await createSecret(account, SECRET_NAME, BOOTSTRAP_VALUE, { [TAGS.deployment]: DEPLOYMENT.name });
});
afterEach(async () => {
  await account.close();
});

describe('the bundled rotate function against moto', () => {
  test('a first rotation ends with a new key of the user in AWSCURRENT, verified by STS and recorded', async () => {
    await rotate(FIRST);

    const [key, ...more] = await account.adapters.iam.list('app');
    expect([key?.status, more]).toEqual(['Active', []]);
    const value = await currentValue();
    expect(value).toEqual({
      Version: 1,
      AccessKeyId: key?.id,
      SecretAccessKey: expect.stringMatching(/^[A-Za-z0-9/+]{40}$/),
      UserName: 'app',
      CreateDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const identified = await identify(value);
    const userId = await account.adapters.iam.userId('app');
    expect(identified).toMatchObject({ kind: 'identified', identity: { userId } });

    const facts = await account.adapters.secrets.describe(arn);
    expect(settled(facts)).toEqual({ current: FIRST, pendingElsewhere: false });
    const { entries, intents, evidence, userId: pinned } = parseLedger(facts.tags);
    expect([...entries.values()]).toEqual([
      { keyId: key?.id, version: FIRST, minted: expect.any(Date), promoted: expect.any(Date) },
    ]);
    expect(intents).toMatchObject([{ token: FIRST, before: [], minted: key?.id }]);
    expect(evidence).toMatchObject({ token: FIRST, keyId: key?.id, account: account.id, userId });
    expect(pinned).toBe(userId);
    expectNothingSaid([value]);
  });

  test('a second rotation supersedes the first key, which stays Active, and AWSPREVIOUS still has it', async () => {
    await rotate(FIRST);
    const old = await currentValue();
    await rotate(SECOND);

    const value = await currentValue();
    expect(value.AccessKeyId).not.toBe(old.AccessKeyId);
    const keys = await account.adapters.iam.list('app');
    expect(new Map(keys.map(({ id, status }) => [id, status]))).toEqual(
      new Map([
        [old.AccessKeyId, 'Active'],
        [value.AccessKeyId, 'Active'],
      ]),
    );
    const facts = await account.adapters.secrets.describe(arn);
    expect(settled(facts)).toEqual({ current: SECOND, pendingElsewhere: false });
    expect(versionWith(facts.labels, 'AWSPREVIOUS')).toBe(FIRST);
    const { entries, evidence } = parseLedger(facts.tags);
    expect(entries.get(String(old.AccessKeyId))).toEqual({
      keyId: old.AccessKeyId,
      version: FIRST,
      minted: expect.any(Date),
      promoted: expect.any(Date),
      superseded: { at: expect.any(Date), by: value.AccessKeyId },
    });
    expect(entries.get(String(value.AccessKeyId))).toMatchObject({ version: SECOND, promoted: expect.any(Date) });
    expect(evidence).toMatchObject({ token: SECOND, keyId: value.AccessKeyId });
    expectNothingSaid([old, value]);
  });

  test('every step can be repeated: one key is minted, and it becomes current', async () => {
    await account.beginRotation(arn, FIRST);
    for (const step of STEPS) {
      for (const attempt of ['first', 'again'])
        expect([step, attempt, await run(step, FIRST)]).toEqual([step, attempt, undefined]);
    }
    const keys = await account.adapters.iam.list('app');
    expect(keys.map(({ id }) => id)).toEqual([(await currentValue()).AccessKeyId]);
  });

  test("two keys that are not the rotator's are named in the refusal, and left alone", async () => {
    const strangers = [await account.adapters.iam.mint('app'), await account.adapters.iam.mint('app')];
    const before = await account.adapters.iam.list('app');
    await account.beginRotation(arn, FIRST);
    const error = await run('createSecret', FIRST);
    expect(error).toContain('STRANGERS_HOLD_SLOTS');
    for (const { id } of strangers) expect(error).toContain(id);
    expect(await account.adapters.iam.list('app')).toEqual(before);
    expectNothingSaid(strangers.map(({ secret }) => ({ SecretAccessKey: secret })));
  });

  test('without the permission to mint, createSecret says so, and leaves neither key nor value nor intent', async () => {
    role = await account.roleSession(
      ACTIONS.filter((action) => action !== 'iam:CreateAccessKey'),
      ['*'],
    );
    await account.beginRotation(arn, FIRST);
    const error = await run('createSecret', FIRST);
    expect(error).toContain('MINT_REFUSED');
    expect(error).toContain('AccessDenied');
    expect(await account.adapters.iam.list('app')).toEqual([]);
    expect(await account.adapters.secrets.read(arn, { version: FIRST })).toBeUndefined();
    expect(parseLedger((await account.adapters.secrets.describe(arn)).tags).intents).toEqual([]);
  });

  test('with the secret of another principal nothing is done: signatures are checked', async () => {
    await account.beginRotation(arn, FIRST);
    role = { ...role, secretAccessKey: (await account.roleSession(ACTIONS, ['*'])).secretAccessKey };
    expect(await run('createSecret', FIRST)).toContain('DescribeSecret failed');
    expect(await account.adapters.iam.list('app')).toEqual([]);
  });

  test('a rotation that is only scheduled tests the key that is there, and moves no label', async () => {
    const { id, secret, created } = await account.adapters.iam.mint('app');
    const value = { Version: 1, AccessKeyId: id, SecretAccessKey: secret, UserName: 'app', CreateDate: created };
    await account.secrets.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true }));
    arn = await createSecret(account, SECRET_NAME, JSON.stringify(value), { [TAGS.deployment]: DEPLOYMENT.name });
    await beginMotoRotation(account.secrets, arn, FIRST, false);
    const { labels } = await account.adapters.secrets.describe(arn);
    expect(await run('testSecret', FIRST)).toBeUndefined();
    const after = await account.adapters.secrets.describe(arn);
    expect(after.labels).toEqual(labels);
    expect(parseLedger(after.tags).evidence).toMatchObject({ keyId: id });
    expectNothingSaid([value]);
  });
});

/** One rotation as Secrets Manager does it: its version, then the four steps. */
async function rotate(token: string): Promise<void> {
  // moto takes AWSPENDING on the current version for a rotation under way (differences.test.ts), so the last one's is taken off first.
  const { labels } = await account.adapters.secrets.describe(arn);
  const last = versionWith(labels, AWSPENDING);
  if (last !== undefined) await account.adapters.secrets.moveLabel(arn, AWSPENDING, last);
  await account.beginRotation(arn, token);
  for (const step of STEPS) expect([step, await run(step, token)]).toEqual([step, undefined]);
}

/** Invokes the function for a step; its error, if it failed. */
async function run(step: (typeof STEPS)[number], token: string): Promise<string | undefined> {
  const event = { Step: step, SecretId: arn, ClientRequestToken: token };
  const result = await invoke({ event, timeoutMs: TIMEOUT_SECONDS * 1000 });
  return result.ok ? undefined : result.error;
}

function invoke(invocation: Invocation): Promise<InvocationResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('invoke.ts', import.meta.url)), {
      silent: true,
      execArgv: [],
      // Nothing of this process's environment: the function gets what Lambda and the template give it.
      env: {
        ...environment(account.endpoint, role),
        [ENV.taskRoot]: taskRoot,
        [ENV.serviceName]: SERVICES.rotate,
        [ENV.metricsNamespace]: PROJECT,
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_LOG_LEVEL: 'DEBUG',
      },
    });
    let result: InvocationResult | undefined;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(String(chunk)));
    child.once('message', (answer: InvocationResult) => {
      result = answer;
      if (!answer.ok) said.push(answer.error);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      result === undefined ? reject(new Error(`the function ended with ${code}: ${said.join('')}`)) : resolve(result),
    );
    child.send(invocation);
  });
}

async function currentValue(): Promise<Record<string, unknown>> {
  const found = await account.adapters.secrets.read(arn, { label: AWSCURRENT });
  return JSON.parse(found?.value ?? '{}');
}

function identify(value: Record<string, unknown>) {
  const key = { keyId: String(value.AccessKeyId), secret: String(value.SecretAccessKey) };
  return account.adapters.identities.identify(key, REGION);
}

/** What Secrets Manager looks at to see whether a rotation has succeeded. */
function settled({ labels }: SecretFacts) {
  const current = versionWith(labels, AWSCURRENT);
  return { current, pendingElsewhere: ![undefined, current].includes(versionWith(labels, AWSPENDING)) };
}

/** Invariant 7: no secret of a key in anything that was written, in whatever spelling. */
function expectNothingSaid(values: readonly Record<string, unknown>[]): void {
  const output = said.join('');
  // Would be vacuous for a function that says nothing.
  expect(output).toContain(SERVICES.rotate);
  for (const secret of [...values.map(({ SecretAccessKey }) => String(SecretAccessKey)), role.secretAccessKey]) {
    expect(secret).toHaveLength(40);
    expect(spellings(secret).filter((spelling) => output.includes(spelling)).length).toBe(0);
  }
}

/** A secret raw, in a URL, in hexadecimal, and in the middle of a longer text in base64, at each of the three offsets. */
function spellings(secret: string): string[] {
  const base64 = ['', ' ', '  '].map((before) =>
    Buffer.from(before + secret)
      .toString('base64')
      .slice(4, -4),
  );
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...base64];
}
