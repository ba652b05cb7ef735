/** How long an operator waits for an answer: the program is started as its user starts it, and asks the simulated account over HTTP. */
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryTag, keyTag, parseLedger } from '../lambdas/domain/ledger.ts';
import { buildProgram } from '../scripts/build.ts';
import { LivedInAccount } from '../test/cli/account.ts';
import { DAY } from '../test/policy.ts';
import { CLI_SECRETS, type Figure } from './budgets.ts';

const MANIFEST = fileURLToPath(new URL('../package.json', import.meta.url));
/** Runs of each command, of which the fastest counts: what else the machine does is no matter of the program. */
const RUNS = 3;
/** As many secrets have a retiring or disabled key as on an average day of the defaults: 3 and 7 days of each 30. */
const RETIRING = CLI_SECRETS / 10;
const DISABLED = Math.round((CLI_SECRETS * 7) / 30);
/** Retiring keys whose overlap is over. */
const DUE = 10;
const DAY_MS = DAY * 1000;

type Rows = 'status' | 'plan' | 'doctor';

export async function measureCli(): Promise<Record<Rows, Figure>> {
  const folder = await mkdtemp(join(tmpdir(), 'iam-key-rotator-bench-'));
  const lived = await livedIn();
  const { endpoint, close } = await lived.account.listen(Date.now);
  try {
    const program = join(folder, 'main.js');
    await buildProgram(folder);
    // The program finds its version by the name of its package.
    await copyFile(MANIFEST, join(folder, 'package.json'));
    const { accessKeyId, secretAccessKey, sessionToken = '' } = lived.account.operator.credentials;
    const env = {
      PATH: process.env.PATH ?? '',
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: lived.account.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
    const measure = async (command: Rows): Promise<Figure> => {
      const before = lived.account.history.length;
      const runs: number[] = [];
      for (let run = 0; run < RUNS; run += 1) runs.push(await secondsOf(program, command, env));
      const calls = lived.account.history.slice(before).filter(({ kind }) => kind === 'call').length / RUNS;
      return {
        value: Math.min(...runs),
        how: `${calls} calls; the fastest of ${RUNS} runs, each with the start of the program`,
      };
    };
    return { status: await measure('status'), plan: await measure('plan'), doctor: await measure('doctor') };
  } finally {
    await close();
    await rm(folder, { recursive: true });
  }
}

/** An account in the middle of its life, now by the real clock, which is the program's. */
async function livedIn(): Promise<LivedInAccount> {
  const names = Array.from({ length: CLI_SECRETS }, (_, index) => `app${index}`);
  const lived = new LivedInAccount(names.map((userName) => ({ userName })));
  const now = Date.now();
  const at = (days: number) => lived.account.clock.advanceTo(new Date(now - days * DAY_MS));
  await at(35);
  lived.rotate(...names);
  await at(6);
  const disabled = names.slice(0, DISABLED);
  lived.rotate(...disabled);
  for (const userName of disabled) disableOldest(lived, userName);
  await at(3.5);
  lived.rotate(...names.slice(DISABLED, DISABLED + DUE));
  await at(2);
  lived.rotate(...names.slice(DISABLED + DUE, DISABLED + RETIRING));
  await at(1);
  lived.rotate(...names.slice(DISABLED + RETIRING));
  for (const userName of names.slice(DISABLED + RETIRING)) deleteOldest(lived, userName);
  await at(0);
  return lived;
}

function disableOldest(lived: LivedInAccount, userName: string): void {
  const [keyId = ''] = lived.keys(userName);
  lived.account.setAccessKeyStatus(keyId, 'Inactive');
  const entry = parseLedger(Object.fromEntries(lived.secret(userName).tags)).entries.get(keyId);
  if (entry === undefined) throw new Error(`no entry of ${keyId}`);
  for (const [key, value] of Object.entries(entryTag({ ...entry, disabled: lived.account.clock.now() }))) {
    lived.tag(userName, key, value);
  }
}

function deleteOldest(lived: LivedInAccount, userName: string): void {
  const [keyId = ''] = lived.keys(userName);
  lived.account.deleteAccessKey(keyId);
  lived.account.operate('secretsmanager', 'UntagResource', { SecretId: `iam/${userName}`, TagKeys: [keyTag(keyId)] });
}

/** @throws Error if the program finds something that was not put there */
async function secondsOf(program: string, command: Rows, env: Record<string, string>): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = (performance.now() - began) / 1000;
  if (exit !== 0) throw new Error(`iam-key-rotator ${command} ended with ${exit}: ${said.slice(0, 500)}`);
  return seconds;
}
