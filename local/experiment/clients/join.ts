/** Starts the clients that are installed, and holds their idea of the time against the account's. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Stage } from '../stage.ts';
import { AwsCli } from './aws-cli.ts';
import { type Client, type ClientName, ClientUnavailableError, SOURCES } from './client.ts';
import { LineClient } from './line-client.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The AWS CLI signs by whole seconds. */
const TOLERANCE_MS = 1000;

/** What a client needs of the stage. */
export type Place = Pick<Stage, 'account' | 'environment' | 'said'>;

export interface Joined {
  readonly client: Client;
  /** The client's version, as it tells it itself. */
  readonly version: string;
}

/**
 * Starts a client, and sees that it and what it runs live in the account's time.
 *
 * @throws ClientUnavailableError it isn't installed, or its clock can't be set
 */
export async function join(name: ClientName, stage: Place): Promise<Joined> {
  const env = stage.environment(name);
  const version = await versionOf(name, env);
  const client = start(name, env, (text) => stage.said.push(text));
  try {
    await holdTime(`the client's clock`, await client.time(), stage);
    if (SOURCES[name] === 'process') {
      const node = await output(process.execPath, ['--print', 'Date.now()'], env);
      await holdTime('the clock of the credential_process', Number(node), stage);
    }
  } catch (error) {
    await client.close();
    throw error;
  }
  return { client, version };
}

function start(name: ClientName, env: NodeJS.ProcessEnv, tell: (text: string) => void): Client {
  switch (name) {
    case 'js':
      return new LineClient(name, [process.execPath, script('js.ts')], env, tell);
    case 'boto3':
      return new LineClient(name, ['python3', script('boto3_client.py')], env, tell);
    case 'cli':
      return new AwsCli(env, tell);
    default:
      return name satisfies never;
  }
}

async function versionOf(name: ClientName, env: NodeJS.ProcessEnv): Promise<string> {
  switch (name) {
    case 'js': {
      const file = createRequire(import.meta.url).resolve('@aws-sdk/client-sts/package.json');
      return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
    }
    case 'boto3':
      return output('python3', ['-c', 'import boto3; print(boto3.__version__)'], env);
    case 'cli':
      // aws-cli/1.45.11 Python/3.11.7 …
      return (await output('aws', ['--version'], env)).replace(/^aws-cli\/(\S+).*$/s, '$1');
    default:
      return name satisfies never;
  }
}

async function holdTime(whose: string, time: number, { account }: Place): Promise<void> {
  const wanted = account.clock.nowMs;
  if (Math.abs(time - wanted) <= TOLERANCE_MS) return;
  const told = Number.isFinite(time) ? new Date(time).toISOString() : 'nothing';
  throw new ClientUnavailableError(`${whose} tells ${told}, the account's ${new Date(wanted).toISOString()}`);
}

/** What a program prints. */
function output(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env }, (error, printed, said) => {
      if (error === null) resolve(printed.trim());
      else {
        const last = said.trim().split('\n').at(-1) || error.message;
        reject(new ClientUnavailableError(`${program} ${args[0]} can't be run: ${last}`));
      }
    });
  });
}
