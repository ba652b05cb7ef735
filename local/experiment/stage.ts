/** Where the experiment takes place: the deployed account, and for each client a folder with the settings that an application would have. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { SimulatedAccount } from '../account.ts';
import { deploy } from '../assembly.ts';
import { deploymentOf, synthesize } from '../demo/synthesize.ts';
import type { Credentials } from '../model.ts';
import { type Watch, watchInvariants } from '../oracle.ts';
import { judgeByPolicies } from '../policy-engine.ts';
import { type ClientName, SOURCES } from './clients/client.ts';
import { CLOCK_VARIABLE, SharedClock } from './clocks/shared-clock.ts';
import { Observations } from './observe.ts';
import { TTL_MS } from './summary.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CONFIG = 'local/experiment/rotator.config.ts';
const PROGRAM = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const DEPLOYED_AT = new Date('2026-01-01T00:00:00Z');

/** The user whose key a client lives on; its role, which reads the secret, is called the same. */
export const userOf = (client: ClientName): string => `app-${client}`;

export interface Stage {
  readonly account: SimulatedAccount;
  readonly watch: Watch;
  readonly observations: Observations;
  /** Users under rotation, with their secrets. */
  readonly keys: Deployment['keys'];
  /** The time as the clients have it. */
  readonly clock: SharedClock;
  /** Everything that the clients have said; no secret may be in it. */
  readonly said: string[];
  /** The environment of a client's process. */
  environment(client: ClientName): NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/**
 * Synthesizes and deploys; returns when each secret holds its first key.
 *
 * @param folder an empty one, for the assembly and the clients' settings
 * @param seed of the account's identifiers
 * @throws SynthesisFailedError
 */
export async function setStage(folder: string, seed: number): Promise<Stage> {
  const assembly = join(folder, 'assembly');
  mkdirSync(assembly);
  await synthesize(assembly, CONFIG);
  const account = new SimulatedAccount({ start: DEPLOYED_AT, seed });
  const { keys, ...deployment } = deploymentOf(assembly);
  const readers = new Map(keys.map(({ userName }) => [userName, readerFor(account, userName)]));
  const deployed = await deploy(account, assembly);
  const said: string[] = [];
  const watch = watchInvariants(
    account,
    () => ({ ...deployment, keys }),
    () => said.join('\n'),
  );
  judgeByPolicies(account);
  const hasKey = ({ secretName }: { secretName: string }) =>
    account.valueOf(secretName)?.includes('AccessKeyId') === true;
  await account.clock.runUntil(() => keys.every(hasKey));

  const observations = new Observations(account, new Map(keys.map((key) => [key.secretName, key.userName])));
  const clock = new SharedClock(join(folder, 'clock'), account.clock.nowMs);
  const { endpoint, close } = await account.listen();
  return {
    account,
    watch,
    observations,
    keys,
    clock,
    said,
    environment(client) {
      const key = keys.find(({ userName }) => userName === userOf(client));
      const reader = readers.get(userOf(client));
      if (key === undefined || reader === undefined) throw new Error(`${CONFIG} lists no user ${userOf(client)}`);
      const settings = writeSettings(join(folder, client), client, key.secretName, reader);
      return {
        ...withoutSettings(process.env),
        ...settings,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: account.region,
        AWS_DEFAULT_REGION: account.region,
        AWS_EC2_METADATA_DISABLED: 'true',
        EXPERIMENT_SECRET: key.secretName,
        [CLOCK_VARIABLE]: clock.file,
        NODE_OPTIONS: `--import=${pathToFileURL(join(HERE, 'clocks/virtual-now.ts')).href}`,
        PYTHONPATH: join(HERE, 'clocks/python'),
        PYTHONDONTWRITEBYTECODE: '1',
      };
    },
    async close() {
      clock.close();
      await close();
      await deployed.close();
    },
  };
}

/** Outside AWS a role's credentials come from IAM Roles Anywhere or a web identity; here they are given. */
function readerFor(account: SimulatedAccount, name: string): Credentials {
  const role = account.createRole(name);
  const arn = `arn:aws:sts::${account.id}:assumed-role/${name}/application`;
  return account.session({ kind: 'role', name, userId: `${role.id}:application`, arn });
}

/** Writes the AWS settings of a client: the default profile may read the secret, the profile `app` has the key. */
function writeSettings(folder: string, client: ClientName, secretName: string, reader: Credentials): NodeJS.ProcessEnv {
  mkdirSync(folder);
  const credentials = join(folder, 'credentials');
  const config = join(folder, 'config');
  writeFileSync(
    credentials,
    [
      '[default]',
      `aws_access_key_id = ${reader.accessKeyId}`,
      `aws_secret_access_key = ${reader.secretAccessKey}`,
      `aws_session_token = ${reader.sessionToken ?? ''}`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const program = [
    ...[process.execPath, PROGRAM, 'credentials', '--secret-id', secretName],
    ...['--ttl', `${TTL_MS / 60_000}m`, '--file', join(folder, 'key.json')],
  ];
  const command = program.map((word) => `"${word}"`).join(' ');
  writeFileSync(config, SOURCES[client] === 'process' ? `[profile app]\ncredential_process = ${command}\n` : '');
  return { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials };
}

/** Nothing of the one who runs the experiment gets to the clients: neither keys nor profiles, proxies or options of Node. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(AWS_|BOTO|NODE_OPTIONS$|PYTHON(PATH|STARTUP)$|(https?|all|no)_proxy$)/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
