import { IAMClient } from '@aws-sdk/client-iam';
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { type AccountOptions, SimulatedAccount } from '../../local/account.ts';
import type { Handler, Sandbox } from '../../local/functions.ts';
import type { Credentials } from '../../local/model.ts';
import { isRecord } from '../../local/wire/protocols.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** An account with clients of its operator, and `run` to wait for what they send. */
export function simulate(options: AccountOptions = {}) {
  const account = new SimulatedAccount(options);
  const config = account.clientConfig();
  const run = <T>(promise: Promise<T>) => account.clock.run(promise);
  const sts = (credentials: Credentials) => new STSClient(account.clientConfig(credentials));
  return { account, run, sts, iam: new IAMClient(config), secrets: new SecretsManagerClient(config) };
}

/** Name of the error that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<{ name: string; message: string; status: unknown }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const metadata = '$metadata' in error && isRecord(error.$metadata) ? error.$metadata.httpStatusCode : undefined;
    return { name: error.name, message: error.message, status: metadata };
  }
  throw new Error('It was expected to fail, and did not');
}

/** A client of a function that is gone with its sandbox. */
export function secretsOf(sandbox: Sandbox): SecretsManagerClient {
  return new SecretsManagerClient({
    ...sandbox.account.clientConfig(sandbox.credentials),
    requestHandler: sandbox.requestHandler,
  });
}

/** A rotation function that stores a new value and promotes it; `before` runs at each step, and may throw. */
export function rotator(before: (step: string, sandbox: Sandbox, token: string) => unknown = () => {}) {
  return (sandbox: Sandbox): Handler => {
    const secrets = secretsOf(sandbox);
    return async (event) => {
      if (!isRecord(event)) throw new Error('No event');
      const { Step, SecretId, ClientRequestToken } = event;
      if (typeof SecretId !== 'string' || typeof ClientRequestToken !== 'string')
        throw new Error('Not a rotation event');
      sandbox.log(`${Step} ${ClientRequestToken}`);
      await before(String(Step), sandbox, ClientRequestToken);
      if (Step === 'createSecret') {
        const value = { SecretString: `value of ${ClientRequestToken}`, VersionStages: ['AWSPENDING'] };
        await secrets.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, ...value }));
      }
      if (Step !== 'finishSecret') return;
      const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
      const current = Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
      const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken };
      await secrets.send(new UpdateSecretVersionStageCommand({ ...move, RemoveFromVersionId: current }));
      const take = { SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId: ClientRequestToken };
      await secrets.send(new UpdateSecretVersionStageCommand(take));
    };
  };
}

/** Names of the service events so far. */
export function events(account: SimulatedAccount): string[] {
  return account.history.flatMap((entry) => (entry.kind === 'event' ? [entry.name] : []));
}

/** A version id, or token, that is long enough. */
export const token = (name: string) => name.padEnd(36, '-');
