/** Memory of a retire pass: the bundle alone in a process, with the simulated account in this one, over loopback. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { DAY } from '../test/policy.ts';
import { Simulation } from '../test/simulation/world.ts';
import { type Figure, MB, MEMORY_SECRETS } from './budgets.ts';
import { promoteNewKey } from './lived-in.ts';
import { bundleOf, environment, NODE_OPTIONS, withFolder, writeTaskRoot } from './task-root.ts';

const INVOKE = fileURLToPath(new URL('children/invoke.cjs', import.meta.url));
const DUE = 25;

/** What the process of a function tells. Sizes in bytes. */
export interface Invoked {
  readonly result?: unknown;
  readonly error?: string;
  readonly heap: number;
  readonly resident: number;
}

export async function measureMemory(): Promise<Record<'memory', Figure>> {
  const simulation = await crowdedAccount();
  const { account } = simulation;
  const { endpoint, close } = await account.listen(Date.now);
  try {
    const { result, error, heap, resident } = await withFolder((folder) => {
      const root = writeTaskRoot(folder, 'retire', bundleOf('retire'), simulation.deployment);
      const { accessKeyId, secretAccessKey, sessionToken = '' } = account.operator.credentials;
      return invoke({
        ...environment(root),
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
        AWS_ENDPOINT_URL: endpoint,
      });
    });
    if (error !== undefined || !isDeepStrictEqual(result, { examined: MEMORY_SECRETS, changes: DUE })) {
      throw new Error(`the retire pass did not go as planned: ${error ?? JSON.stringify(result)}`);
    }
    const peaks = `peak resident set; peak heap ${Math.ceil(heap / MB)} MB`;
    return { memory: { value: resident / MB, how: `${peaks}; ${DUE} keys disabled; process of the bundle alone` } };
  } finally {
    await close();
  }
}

/** Users with one key each, some of them with a second one whose overlap is over by the computer's own clock, which the function goes by. */
async function crowdedAccount(): Promise<Simulation> {
  const names = Array.from({ length: MEMORY_SECRETS }, (_, index) => `app${index}`);
  const start = new Date(Date.now() - 34 * DAY * 1000);
  const simulation = new Simulation({ keys: names.map((userName) => ({ userName })), account: { start } });
  const { account, deployment } = simulation;
  for (const key of deployment.keys) promoteNewKey(account, key);
  await simulation.advance(30 * DAY);
  for (const key of deployment.keys.filter((_, index) => index % (MEMORY_SECRETS / DUE) === 0)) {
    promoteNewKey(account, key);
  }
  await simulation.advance(4 * DAY);
  return simulation;
}

/** Runs the bundle of a function once, alone in a process. */
export function invoke(env: Record<string, string>, execArgv: string[] = NODE_OPTIONS): Promise<Invoked> {
  return new Promise((resolve, reject) => {
    const child = fork(INVOKE, { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    child.once('message', (message) => resolve(message as Invoked));
    child.once('error', reject);
    child.once('close', (status) => reject(new Error(`the function's process ended with ${status}: ${said}`)));
  });
}
