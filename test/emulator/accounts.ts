/** Two accounts to run the adapters against, behind one face: moto's, and the simulated one of local/. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { iamAdapter, identitiesAdapter, secretsAdapter, versionsAdapter } from '../../lambdas/adapters/clients.ts';
import type { IamKeys, KeyIdentities, SecretStore, SecretVersions } from '../../lambdas/domain/ports.ts';
import { SimulatedAccount } from '../../local/account.ts';

export const REGION = 'eu-central-1';
/** A policy's action list for whom nothing is refused. */
export const EVERYTHING = ['*'];
const MOTO_ID = '123456789012';
const EMPTY_ZIP = Buffer.from('PK\x05\x06'.padEnd(22, '\0')).toString('base64');
const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
};

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Adapters {
  readonly iam: IamKeys;
  readonly secrets: SecretStore;
  readonly versions: SecretVersions;
  readonly identities: KeyIdentities;
}

export interface TestAccount {
  readonly name: 'moto' | 'simulated';
  readonly id: string;
  readonly endpoint: string;
  /** The account's time, in ms. */
  now(): number;
  /** The adapters as the functions wire them, with an operator's credentials. */
  readonly adapters: Adapters;
  /** What an operator does by hand, past the adapters. */
  readonly iam: IAMClient;
  readonly secrets: SecretsManagerClient;
  createUser(name: string, path?: string): Promise<void>;
  deleteUser(name: string): Promise<void>;
  /** Credentials of a new role that may do these actions on these resources. */
  roleSession(actions: readonly string[], resources: readonly string[]): Promise<Credentials>;
  /** ARN of a new function that does nothing at all. */
  idleFunction(): Promise<string>;
  /** Starts a rotation that gets no further than its version: labelled AWSPENDING, and without a value. */
  beginRotation(secretId: string, token: string): Promise<void>;
  /** Lets what RotateSecret has started come to its end. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Creates a secret and gives its ARN. */
export async function createSecret(
  account: TestAccount,
  name: string,
  value: string,
  tags: Readonly<Record<string, string>> = {},
): Promise<string> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { ARN } = await account.secrets.send(new CreateSecretCommand({ Name: name, SecretString: value, Tags }));
  if (ARN === undefined) throw new Error(`the secret ${name} has no ARN`);
  return ARN;
}

// ---- moto -------------------------------------------------------------------------------------------------------------------------

/** An empty account of the running moto server, which checks signatures and policies. */
export async function motoAccount(): Promise<TestAccount> {
  const endpoint = process.env.MOTO_ENDPOINT;
  if (endpoint === undefined) throw new Error('MOTO_ENDPOINT is not set: start these tests with npm run test:emulator');
  const control = async (path: string, body: string) => {
    const answer = await fetch(`${endpoint}/${path}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${path}`);
  };
  await control('moto-api/reset', '');
  // Functions are not run (that takes Docker); invoking one has no effect.
  await control('moto-api/config', JSON.stringify({ lambda: { use_docker: false } }));
  // The first principal can't have credentials yet, so moto lets calls through unchecked, and from then on checks them all.
  await control('moto-api/reset-auth', 'Infinity');
  const unknown = { accessKeyId: 'none', secretAccessKey: 'none' };
  const operator = await motoOperator(new IAMClient(configuration(endpoint, unknown)));
  const idle = await motoFunction(endpoint);
  await control('moto-api/reset-auth', '0');

  const iam = new IAMClient(configuration(endpoint, operator));
  const secrets = new SecretsManagerClient(configuration(endpoint, operator));
  const sts = new STSClient(configuration(endpoint, operator));
  const id = MOTO_ID;
  let names = 0;
  return {
    ...{ name: 'moto', id, endpoint, iam, secrets, adapters: adaptersWith(endpoint, operator) },
    now: Date.now,
    async createUser(name, path = '/') {
      await iam.send(new CreateUserCommand({ UserName: name, Path: path }));
    },
    async deleteUser(name) {
      await iam.send(new DeleteUserCommand({ UserName: name }));
    },
    async roleSession(actions, resources) {
      names += 1;
      const RoleName = `role-${names}`;
      const { Role } = await iam.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(TRUST) }),
      );
      const PolicyDocument = JSON.stringify(allow(actions, resources));
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'allow', PolicyDocument }));
      const session = await sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'test' }));
      return credentialsIn(session.Credentials);
    },
    async idleFunction() {
      return idle;
    },
    beginRotation: (secretId, token) => beginMotoRotation(secrets, secretId, token),
    async settle() {},
    async close() {
      for (const client of [iam, secrets, sts]) client.destroy();
    },
  };
}

/**
 * moto runs the steps of a rotation inside RotateSecret. Naming a function that isn't there stops it when it has turned rotation on and made
 * the pending version, and before it touches AWSCURRENT: just what the first step meets in AWS.
 *
 * @param immediately false for a rotation that is only scheduled: its version holds the value that the secret was created with
 */
export async function beginMotoRotation(
  secrets: SecretsManagerClient,
  secretId: string,
  token: string,
  immediately = true,
): Promise<void> {
  const request = new RotateSecretCommand({
    SecretId: secretId,
    ClientRequestToken: token,
    RotationLambdaARN: `arn:aws:lambda:${REGION}:${MOTO_ID}:function:not-there`,
    RotationRules: { AutomaticallyAfterDays: 30 },
    RotateImmediately: immediately,
  });
  try {
    await secrets.send(request);
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return;
    throw error;
  }
  throw new Error('moto did not stop at the function that is not there');
}

async function motoOperator(iam: IAMClient): Promise<Credentials> {
  await iam.send(new CreateRoleCommand({ RoleName: 'idle', AssumeRolePolicyDocument: JSON.stringify(TRUST) }));
  await iam.send(new CreateUserCommand({ UserName: 'operator' }));
  const PolicyDocument = JSON.stringify(allow(EVERYTHING, ['*']));
  await iam.send(new PutUserPolicyCommand({ UserName: 'operator', PolicyName: 'allow', PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'operator' }));
  return credentialsIn(AccessKey);
}

/** Creates a function by a bare request: the project has no other need for a client of Lambda. */
async function motoFunction(endpoint: string): Promise<string> {
  const answer = await fetch(`${endpoint}/2015-03-31/functions`, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=none/20260101/${REGION}/lambda/aws4_request, SignedHeaders=, Signature=`,
    },
    body: JSON.stringify({
      ...{ FunctionName: 'idle', Runtime: 'nodejs22.x', Handler: 'index.handler', Code: { ZipFile: EMPTY_ZIP } },
      Role: `arn:aws:iam::${MOTO_ID}:role/idle`,
    }),
  });
  const created: unknown = await answer.json();
  const arn: unknown =
    typeof created === 'object' && created !== null ? Reflect.get(created, 'FunctionArn') : undefined;
  if (typeof arn !== 'string') throw new Error(`moto created no function: ${JSON.stringify(created)}`);
  return arn;
}

// ---- The simulated account ----------------------------------------------------------------------------------------------------------

/** A fresh simulated account, reached through its loopback port as moto is. New keys are usable at once. */
export async function simulatedAccount(): Promise<TestAccount> {
  const account = new SimulatedAccount({ region: REGION, activationDelay: 0 });
  const { endpoint, close } = await account.listen(Date.now);
  const { credentials } = account.operator;
  const iam = new IAMClient(configuration(endpoint, credentials));
  const secrets = new SecretsManagerClient(configuration(endpoint, credentials));
  const register = (name: string, handler: () => Promise<void>) =>
    account.functions.register({ name, load: () => handler }).arn;
  return {
    ...{ name: 'simulated', id: account.id, endpoint, iam, secrets, adapters: adaptersWith(endpoint, credentials) },
    now: () => account.clock.nowMs,
    async createUser(name, path = '/') {
      account.createUser(name, { path });
    },
    async deleteUser(name) {
      account.deleteUser(name);
    },
    async roleSession(actions, resources) {
      const role = account.createRole('role', allow(actions, resources).Statement);
      account.authorize = ({ action, resource }) => ({
        allowed: actions.includes(action) && resources.includes(resource),
        reason: 'because no policy allows it',
      });
      return account.session({ kind: 'role', arn: role.arn, userId: role.id, name: role.name });
    },
    async idleFunction() {
      return register('idle', async () => {});
    },
    async beginRotation(secretId, token) {
      const RotationLambdaARN = register('failing', async () => {
        throw new Error('not there');
      });
      const RotationRules = { AutomaticallyAfterDays: 30 };
      await secrets.send(
        new RotateSecretCommand({ SecretId: secretId, ClientRequestToken: token, RotationLambdaARN, RotationRules }),
      );
      await account.clock.advance(1000);
    },
    settle: () => account.clock.advance(60_000),
    async close() {
      for (const client of [iam, secrets]) client.destroy();
      await close();
    },
  };
}

// ---- Both ---------------------------------------------------------------------------------------------------------------------------

function configuration(endpoint: string, credentials: Credentials) {
  return { endpoint, region: REGION, credentials, maxAttempts: 1 };
}

/** The production wiring, which takes endpoint and credentials from the environment. */
function adaptersWith(endpoint: string, credentials: Credentials): Adapters {
  Object.assign(process.env, environment(endpoint, credentials));
  return {
    iam: iamAdapter(REGION),
    secrets: secretsAdapter(REGION),
    versions: versionsAdapter(REGION),
    identities: identitiesAdapter(),
  };
}

/** What Lambda sets for the SDK, and where the account is; the developer's own configuration files are out of sight. */
export function environment(endpoint: string, credentials: Credentials): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken ?? '',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

function allow(actions: readonly string[], resources: readonly string[]) {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: resources }] };
}

interface Issued {
  readonly AccessKeyId: string | undefined;
  readonly SecretAccessKey: string | undefined;
  readonly SessionToken?: string | undefined;
}

function credentialsIn(issued: Issued | undefined): Credentials {
  const { AccessKeyId, SecretAccessKey, SessionToken } = issued ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined) throw new Error('no credentials were issued');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(SessionToken !== undefined && { sessionToken: SessionToken }),
  };
}
