import { Annotations, Duration, Stack, Token } from 'aws-cdk-lib';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Deployment } from '../lambdas/contract/deployment.ts';
import { SERVICES } from '../lambdas/contract/names.ts';
import { bundledCode } from './bundled-code.ts';
import { GLOBAL_EVENTS_REGION, LeakRules } from './leak-rules.ts';
import { enforced, grantResponse, sendTo, useEncryptionKeys } from './permissions.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';
import { RotatorFunction } from './rotator-function.ts';

export interface LeakResponseProps {
  readonly deployment: Deployment;
  readonly keys: readonly RotatedAccessKey[];
  /** Whose permissions must be there before a rotation is started. */
  readonly rotate: RotatorFunction;
  readonly logRetention: logs.RetentionDays;
  readonly deadLetters: sqs.IQueue;
}

/** The most that Lambda allows: a rotation that failed is seen through to its next try. */
const RESPOND_TIMEOUT = Duration.minutes(15);
/** Attempts of Lambda after the first. What then still fails is in the dead-letter queue, and each retire pass goes on from the mark. */
const RETRIES = 2;

/** The function that responds to leaks, with its rules, permissions and logs. */
export class LeakResponse extends Construct {
  /** Called by EventBridge when a key is leaked, and by the CLI's `revoke`. */
  readonly respondFunction: lambda.Function;
  readonly respond: RotatorFunction;

  constructor(scope: Construct, id: string, props: LeakResponseProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { keys, deployment, deadLetters, logRetention } = props;
    this.respond = new RotatorFunction(this, 'Respond', {
      description: 'iam-key-rotator: responds to leaked keys',
      code: bundledCode('lambdas/respond/handler.ts', deployment),
      timeout: RESPOND_TIMEOUT,
      serviceName: SERVICES.respond,
      logRetention,
      statements: [sendTo(deadLetters), ...useEncryptionKeys(stack, keys, ['Decrypt'])],
    });
    this.respondFunction = this.respond.function;
    grantResponse(this.respond, keys, props.rotate.function.functionArn);
    new lambda.CfnEventInvokeConfig(this, 'Retries', {
      functionName: this.respondFunction.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: RETRIES,
      maximumEventAgeInSeconds: Duration.hours(6).toSeconds(),
      destinationConfig: { onFailure: { destination: deadLetters.queueArn } },
    });
    const { rules } = new LeakRules(this, 'Leaks', {
      stack,
      target: () => new targets.LambdaFunction(this.respondFunction, { deadLetterQueue: deadLetters }),
    });
    for (const rule of rules) rule.node.addDependency(...this.respond.policies);
    if (enforced(keys).length > 0 && Token.isUnresolved(stack.region)) {
      Annotations.of(this).addInfo(
        `Leaks are reported by AWS in ${GLOBAL_EVENTS_REGION} alone. This stack hears of them only if it is deployed there: name account and region of the ` +
          'target in rotator.config.ts, and a second stack forwards them.',
      );
    }
  }
}
