import { Stack, type StackProps } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { GLOBAL_EVENTS_REGION, LeakRules } from './leak-rules.ts';

export interface LeakSignalsStackProps extends Omit<StackProps, 'env'> {
  /** @default - the account of whoever deploys */
  readonly account?: string;
  /** The Region of the rotator. */
  readonly forwardTo: string;
}

/**
 * Forwards what says that a key is leaked to the Region of the rotator, where its rules take it up. Needed in every Region but us-east-1, since AWS
 * sends such events there alone.
 *
 * @see https://docs.aws.amazon.com/health/latest/ug/choosing-a-region.html
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
 */
export class LeakSignalsStack extends Stack {
  constructor(scope: Construct, id: string, { account, forwardTo, ...props }: LeakSignalsStackProps) {
    const env = { region: GLOBAL_EVENTS_REGION, ...(account === undefined ? {} : { account }) };
    super(scope, id, { ...props, env, description: `iam-key-rotator: forwards leaks of access keys to ${forwardTo}` });
    const busArn = `arn:${this.partition}:events:${forwardTo}:${this.account}:event-bus/default`;
    const role = new iam.Role(this, 'Forward', {
      description: `iam-key-rotator: forwards leaks of access keys to ${forwardTo}`,
      assumedBy: new iam.ServicePrincipal('events.amazonaws.com'),
    });
    const bus = events.EventBus.fromEventBusArn(this, 'Bus', busArn);
    // The target grants the role events:PutEvents on this bus, and no more.
    new LeakRules(this, 'Leaks', { stack: this, target: () => new targets.EventBus(bus, { role }) });
  }
}
