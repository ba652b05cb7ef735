/** The SDK's clients of an operator: each is loaded when it is asked for, so that a command loads what it needs and no more. */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { STSClient } from '@aws-sdk/client-sts';
import { codeOf } from '../../client/code-of.ts';
import { OperatorError } from './errors.ts';

export interface Clients {
  readonly cloudformation: CloudFormationClient;
  readonly cloudwatch: CloudWatchClient;
  readonly iam: IAMClient;
  readonly lambda: LambdaClient;
  readonly scheduler: SchedulerClient;
  readonly secretsmanager: SecretsManagerClient;
  readonly sts: STSClient;
}

/** What a caller may ask of a client beside what all have in common. */
export interface ClientOptions {
  readonly maxAttempts?: number;
  /** `adaptive` slows the client down when it is throttled. */
  readonly retryMode?: 'standard' | 'adaptive';
  readonly region?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** In ms, from the call to the head of its answer. */
  readonly requestTimeout?: number;
}

/** Gives the client of a service. */
export type Connect = <S extends keyof Clients>(service: S, options?: ClientOptions) => Promise<Clients[S]>;

/** What every client has in common, as the options of the command say. */
export interface ConnectionOptions {
  readonly profile?: string;
  readonly region?: string;
  readonly endpoint?: string;
}

/** Attempts at a call that may be repeated. */
const ATTEMPTS = 5;
/** In ms. Nobody waits in front of a terminal for longer. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

const MAKERS: { readonly [S in keyof Clients]: (config: object) => Promise<Clients[S]> } = {
  cloudformation: async (config) => new (await import('@aws-sdk/client-cloudformation')).CloudFormationClient(config),
  cloudwatch: async (config) => new (await import('@aws-sdk/client-cloudwatch')).CloudWatchClient(config),
  iam: async (config) => new (await import('@aws-sdk/client-iam')).IAMClient(config),
  lambda: async (config) => new (await import('@aws-sdk/client-lambda')).LambdaClient(config),
  scheduler: async (config) => new (await import('@aws-sdk/client-scheduler')).SchedulerClient(config),
  secretsmanager: async (config) => new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient(config),
  sts: async (config) => new (await import('@aws-sdk/client-sts')).STSClient(config),
};

/** Clients with the SDK's default chain of credentials: environment, profiles, SSO, roles. AWS_ENDPOINT_URL is the SDK's own business. */
export function connectWith({ profile, region, endpoint }: ConnectionOptions): Connect {
  // The SDK says of each Node that it will leave some day. The package brings the SDK along, so its user can do nothing about it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const common = {
    maxAttempts: ATTEMPTS,
    // It warns on stderr that a profile wins over keys of the environment, which is what whoever gives --profile wants.
    ...(profile === undefined ? {} : { logger: QUIET }),
    ...(profile === undefined ? {} : { profile }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const made = new Map<string, Promise<unknown>>();
  return <S extends keyof Clients>(service: S, { requestTimeout, ...options }: ClientOptions = {}) => {
    const make = () =>
      MAKERS[service]({
        ...common,
        ...options,
        requestHandler: { ...TIMEOUTS, ...(requestTimeout === undefined ? {} : { requestTimeout }) },
      });
    if (Object.keys(options).length > 0 || requestTimeout !== undefined) return make();
    const known = made.get(service) ?? make();
    made.set(service, known);
    return known as Promise<Clients[S]>;
  };
}

/**
 * The Region that the commands work in, as the SDK finds it.
 *
 * @throws OperatorError NO_REGION
 */
export async function regionOf(connect: Connect): Promise<string> {
  const client = await connect('cloudformation');
  try {
    return await client.config.region();
  } catch (error) {
    throw new OperatorError(
      'NO_REGION',
      {
        found:
          error instanceof Error && error.message.startsWith('Region not accepted')
            ? 'the Region that is given can not be one'
            : `no Region is configured${codeOf(error) === 'Error' ? '' : ` (${codeOf(error)})`}`,
        expected: 'the Region that the rotator is deployed in, such as eu-central-1',
        remedy: 'add --region, set AWS_REGION, or give the profile a region',
      },
      { cause: error },
    );
  }
}
