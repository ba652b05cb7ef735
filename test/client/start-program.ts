import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SimulatedAccount } from '../../local/account.ts';
import type { Credentials } from '../../local/model.ts';

const BIN = fileURLToPath(new URL('../../bin/iam-key-rotator.js', import.meta.url));

export interface Ended {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with this environment and no other. */
export async function run(command: string, argv: readonly string[], env: Record<string, string>, cwd?: string) {
  const child = spawn(command, argv, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exit, stdout, stderr } satisfies Ended;
}

/** Starts the program as it stands in the checkout. */
export const startProgram = (argv: readonly string[], env: Record<string, string>) =>
  run(process.execPath, [BIN, ...argv], env);

/** The environment of somebody with these credentials who is nobody else. */
export const environmentOf = (home: string, { accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  HOME: home,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
});

/** An account whose secret `deploy` holds the key of its user. It is reached on a port, by processes that go by the real time. */
export async function accountWithSecret() {
  const account = new SimulatedAccount({ activationDelay: 0, start: new Date() });
  account.createUser('deploy');
  const key = account.createAccessKey('deploy');
  const documentOf = ({ accessKeyId, secretAccessKey }: Credentials) =>
    JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey });
  const { arn } = account.createSecret('deploy', { value: documentOf(key) });
  const { endpoint, close } = await account.listen(Date.now);
  const reads = () =>
    account.history.filter((entry) => entry.kind === 'call' && entry.action === 'GetSecretValue').length;
  /** Mints a key and puts it into the secret, as a rotation does. */
  const rotate = () => {
    const next = account.createAccessKey('deploy');
    account.operate('secretsmanager', 'PutSecretValue', {
      SecretId: 'deploy',
      SecretString: documentOf(next),
      ClientRequestToken: account.random.uuid(),
      VersionStages: ['AWSCURRENT'],
    });
    return next;
  };
  return { account, arn, key, endpoint, close, reads, rotate };
}
