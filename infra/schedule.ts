import { type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct, type IDependable } from 'constructs';
import { sendTo } from './permissions.ts';

export interface ScheduleProps {
  readonly target: lambda.IFunction;
  readonly every: Duration;
  /** Where an invocation goes that could not be delivered. */
  readonly deadLetters: sqs.IQueue;
  /** What must be there before the first invocation, besides the permission for it. */
  readonly dependencies: readonly IDependable[];
  /** What is started, such as `the retire pass`. */
  readonly starts: string;
  /** What that does, such as `disables and deletes superseded keys that are due`. */
  readonly does: string;
}

/**
 * Invokes a function at a fixed rate by EventBridge Scheduler.
 *
 * The L1 resource, because the target of the CDK's own construct is granted all versions and aliases of the function by a wildcard.
 */
export class Schedule extends Construct {
  constructor(scope: Construct, id: string, { target, every, deadLetters, dependencies, starts, does }: ScheduleProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const role = new iam.Role(this, 'Role', {
      description: `EventBridge Scheduler: starts ${starts}`,
      // Both conditions: without them a schedule of another account could use the role.
      // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': stack.account,
            'aws:SourceArn': `arn:${stack.partition}:scheduler:${stack.region}:${stack.account}:schedule-group/default`,
          },
        },
      }),
    });
    const policy = new iam.Policy(this, 'Deliver', {
      roles: [role],
      statements: [
        new iam.PolicyStatement({
          sid: 'InvokeTarget',
          actions: ['lambda:InvokeFunction'],
          resources: [target.functionArn],
        }),
        sendTo(deadLetters),
      ],
    });
    const schedule = new scheduler.CfnSchedule(this, 'Schedule', {
      description: `iam-key-rotator: ${does}`,
      scheduleExpression: scheduler.ScheduleExpression.rate(every).expressionString,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        input: '{}',
        // These retries deliver the event. What becomes of it is the function's own matter: see KeyRotator and Audit.
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: Math.min(every.toSeconds(), 3_600) },
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
    // A rate without a StartDate starts at once, in the middle of the deployment.
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
    schedule.node.addDependency(policy, ...dependencies);
  }
}
