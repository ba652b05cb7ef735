/** Operators' commands, run in this process against the simulated account. */

import type { ClientOptions, Clients, Connect, ConnectionOptions } from '../../cli/operator/clients.ts';
import { type OperatorCommand, operatorCommand } from '../../cli/operator/command.ts';
import type { Terminal } from '../../client/program/terminal.ts';
import type { Deployment } from '../../lambdas/contract/deployment.ts';
import { PROJECT } from '../../lambdas/contract/names.ts';
import type { SimulatedAccount } from '../../local/account.ts';
import { DirectClient } from '../../local/direct-clients.ts';
import type { Sandbox } from '../../local/functions.ts';
import type { Credentials } from '../../local/model.ts';
import { type SimulatedStack, stackArn } from '../../local/services/cloudformation.ts';

export const VERSION = '0.1.0';

/** An account, and what is deployed into it. */
interface Deployed {
  readonly account: SimulatedAccount;
  readonly deployment: Deployment;
}

/** Tells the account what a deployment of the simulation's stack would have told it. */
export function deployStack(
  { account, deployment }: Deployed,
  outputs: Record<string, string> = {},
  resources: SimulatedStack['resources'] = [],
): void {
  account.stacks.set('iam-key-rotator', {
    name: 'iam-key-rotator',
    arn: stackArn(account, 'iam-key-rotator'),
    createdAt: account.clock.nowMs,
    outputs: { RotateFunctionName: 'rotate', RetireFunctionName: 'retire', ...outputs },
    metadata: { [PROJECT]: { deployment, version: VERSION } },
    resources,
  });
}

/** Clients of the account without the SDK's inside, as the operator unless other credentials are given. */
export function connectTo(account: SimulatedAccount, credentials: Credentials = account.operator.credentials) {
  return ({ region: home = account.region }: ConnectionOptions): Connect =>
    async <S extends keyof Clients>(service: S, options: ClientOptions = {}) => {
      const { region = home } = options;
      const name = service === 'cloudwatch' ? 'monitoring' : service;
      const sandbox = {
        ask: (_: unknown, action: string, input: Record<string, unknown>, other?: Credentials) =>
          account.gateway.ask(other ?? options.credentials ?? credentials, region, name as 'iam', action, input),
      } as unknown as Sandbox;
      const client = new DirectClient(sandbox, name as 'iam', { attempts: options.maxAttempts ?? 5 });
      return Object.assign(client, { config: { region: async () => region } }) as unknown as Clients[S];
    };
}

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly connect?: (options: ConnectionOptions) => Connect;
  readonly columns?: number;
  readonly env?: Record<string, string>;
  readonly answer?: string;
  readonly terminal?: Partial<Terminal>;
}

/** Runs a command to its end. */
export async function run(
  account: SimulatedAccount,
  command: OperatorCommand,
  argv: readonly string[] = [],
  { connect = connectTo(account), columns, env = {}, answer, terminal = {} }: RunOptions = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const screen = columns === undefined ? {} : { isTTY: true, columns };
  const exit = await operatorCommand(command, { connect })(argv, {
    env,
    clock: { now: () => account.clock.nowMs, sleep: (ms) => account.clock.sleep(ms) },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    screen,
    errScreen: screen,
    ask: async () => answer,
    open: async () => false,
    ...terminal,
  });
  return { exit, out, err };
}
