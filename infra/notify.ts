import { Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Deployment } from '../lambdas/contract/deployment.ts';
import { TOLD_LINES } from '../lambdas/contract/lines.ts';
import { SERVICES } from '../lambdas/contract/names.ts';
import { bundledCode } from './bundled-code.ts';
import { putEvents, sendTo } from './permissions.ts';
import { RotatorFunction } from './rotator-function.ts';

export interface NotifyProps {
  readonly deployment: Deployment;
  /** The functions whose logs become events. */
  readonly told: readonly RotatorFunction[];
  /** Where batches of log lines go that became no event. */
  readonly deadLetters: sqs.IQueue;
  readonly logRetention: logs.RetentionDays;
}

/**
 * The lines that become events, in the pattern language of CloudWatch Logs. At most 1,024 characters, of which a filter has all.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export const TOLD_LINES_PATTERN = `{ ${TOLD_LINES.map((message) => `($.message = "${message}")`).join(' || ')} }`;

/**
 * Makes events of EventBridge out of what functions log. They make no call for it: an event can neither fail a rotation nor delay it.
 *
 * Each log group can have two subscription filters, and this is one of them.
 */
export class Notify extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { deployment, told, deadLetters, logRetention }: NotifyProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const notify = new RotatorFunction(this, 'Fn', {
      description: 'iam-key-rotator: makes events of what the other functions log',
      code: bundledCode('lambdas/notify/handler.ts', deployment),
      timeout: Duration.minutes(1),
      serviceName: SERVICES.notify,
      logRetention,
      statements: [putEvents(stack), sendTo(deadLetters)],
    });
    this.function = notify.function;
    // CloudWatch Logs invokes asynchronously, so Lambda itself repeats what fails.
    // https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html
    new lambda.CfnEventInvokeConfig(this, 'Retries', {
      functionName: notify.function.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: Duration.hours(6).toSeconds(),
      destinationConfig: { onFailure: { destination: deadLetters.queueArn } },
    });
    for (const { logGroup, node } of told) {
      // Account and log group: no other log's lines become events of this project.
      const permission = new lambda.CfnPermission(this, `Invoke${node.id}`, {
        action: 'lambda:InvokeFunction',
        functionName: notify.function.functionArn,
        principal: 'logs.amazonaws.com',
        sourceAccount: stack.account,
        sourceArn: logGroup.logGroupArn,
      });
      const filter = new logs.CfnSubscriptionFilter(this, `Lines${node.id}`, {
        logGroupName: logGroup.logGroupName,
        filterPattern: TOLD_LINES_PATTERN,
        destinationArn: notify.function.functionArn,
      });
      filter.node.addDependency(permission);
    }
  }
}
