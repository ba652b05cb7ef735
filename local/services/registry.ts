/** The services of the account: what each can do, how it speaks, and how a call of it is judged. */
import type { SimulatedAccount } from '../account.ts';
import { AwsError, type Principal } from '../model.ts';
import { type Input, jsonProtocol, type Output, type Protocol, queryProtocol } from '../wire/protocols.ts';
import { cloudFormationOperations, stackResource } from './cloudformation.ts';
import { cloudWatchOperations } from './cloudwatch.ts';
import { eventsOperations, sourcesOf } from './events.ts';
import { iamOperations, iamResource } from './iam.ts';
import { functionResource, lambdaAnswers, lambdaOperations, lambdaProtocol } from './lambda.ts';
import { judgeS3, s3Operations, s3Protocol } from './s3.ts';
import { scheduleResource, schedulerOperations, schedulerProtocol } from './scheduler.ts';
import { secretContext, secretResource, secretsManagerOperations } from './secrets-manager.ts';
import { judgeSecurityHub, securityHubOperations, securityHubProtocol } from './security-hub.ts';
import { stsOperations } from './sts.ts';

export type Operation = (account: SimulatedAccount, input: Input, principal: Principal) => Output;

/** What a policy is asked about a call. */
export interface Judged {
  /** As in a policy, where it is not the operation's own. */
  readonly action?: string;
  /** The ARN that the call is about, or '*'. */
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | string[]>>;
  readonly resourcePolicy?: unknown;
}

export interface Service {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly protocol: Protocol;
  /** Of operations that take virtual time: what they answer in the end. */
  readonly answers?: Readonly<Record<string, (account: SimulatedAccount, input: Input) => Promise<Output>>>;
  /** Prefix of its actions in policies, where it is not the name that requests are signed for. */
  readonly prefix?: string;
  /** @default nothing is judged: whoever authenticates may call it */
  judged?(account: SimulatedAccount, action: string, input: Input, principal: Principal): Judged;
  /** Codes of its errors, where they are not those of IAM. */
  readonly codes?: { readonly denied: string; readonly unknownKey: string };
}

/** The codes of services that speak JSON. */
const JSON_CODES = {
  denied: 'AccessDeniedException',
  unknownKey: 'UnrecognizedClientException',
} as const;

/** By the name that requests are signed for. */
const SERVICES = {
  iam: {
    operations: iamOperations,
    protocol: queryProtocol('https://iam.amazonaws.com/doc/2010-05-08/'),
    judged: (account, action, input, principal) => ({ resource: iamResource(account, action, input, principal) }),
  },
  // GetCallerIdentity answers even under an explicit deny.
  sts: { operations: stsOperations, protocol: queryProtocol('https://sts.amazonaws.com/doc/2011-06-15/') },
  events: {
    operations: eventsOperations,
    protocol: jsonProtocol,
    judged: (account, _action, input) => ({
      resource: `arn:aws:events:${account.region}:${account.id}:event-bus/default`,
      context: { 'events:source': sourcesOf(input) },
    }),
    codes: JSON_CODES,
  },
  secretsmanager: {
    operations: secretsManagerOperations,
    protocol: jsonProtocol,
    judged(account, _action, input) {
      const secret = account.findSecret(String(input.SecretId ?? ''));
      return {
        resource: secretResource(account, input),
        context: secretContext(account, input),
        ...(secret?.resourcePolicy === undefined ? {} : { resourcePolicy: secret.resourcePolicy }),
      };
    },
    codes: JSON_CODES,
  },
  s3: {
    operations: s3Operations,
    protocol: s3Protocol,
    judged: judgeS3,
    codes: { denied: 'AccessDenied', unknownKey: 'InvalidAccessKeyId' },
  },
  securityhub: {
    operations: securityHubOperations,
    protocol: securityHubProtocol,
    judged: judgeSecurityHub,
    codes: JSON_CODES,
  },
  cloudformation: {
    operations: cloudFormationOperations,
    protocol: queryProtocol('http://cloudformation.amazonaws.com/doc/2010-05-15/'),
    judged: (account, _, input) => ({ resource: stackResource(account, input) }),
  },
  // Signed for by the name that CloudWatch had at first.
  monitoring: {
    operations: cloudWatchOperations,
    protocol: jsonProtocol,
    prefix: 'cloudwatch',
    judged: () => ({ resource: '*' }),
    codes: JSON_CODES,
  },
  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
  lambda: {
    operations: lambdaOperations,
    protocol: lambdaProtocol,
    answers: lambdaAnswers,
    judged: (account, action, input) => ({
      action: `lambda:${action === 'Invoke' ? 'InvokeFunction' : action}`,
      resource: functionResource(account, input),
    }),
    codes: JSON_CODES,
  },
  scheduler: {
    operations: schedulerOperations,
    protocol: schedulerProtocol,
    judged: (account, _, input) => ({ resource: scheduleResource(account, input) }),
    codes: JSON_CODES,
  },
} as const satisfies Readonly<Record<string, Service>>;

export type ServiceName = keyof typeof SERVICES;

export const service = (name: ServiceName): Service => SERVICES[name];

/** The service that a request is signed for; an error that names it if there is none. */
export function serviceNamed(name: string): ServiceName {
  if (Object.hasOwn(SERVICES, name)) return name as ServiceName;
  throw new AwsError('UnknownService', `The simulated account has no service ${name}`, 404);
}

/** The operation of a service; an error that names it if there is none. */
export function operationOf(name: ServiceName, action: string): Operation {
  const { operations } = service(name);
  const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
  if (operation === undefined)
    throw new AwsError('InvalidAction', `The simulated account has no operation ${name}:${action}`);
  return operation;
}
