import type { Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';

/** The Region to which AWS sends what is about IAM: global events of AWS Health, and CloudTrail's of calls to IAM. */
export const GLOBAL_EVENTS_REGION = 'us-east-1';

/** As lambdas/respond/signal.ts has them, which checks each event once more. */
const HEALTH_CODES = [
  'AWS_RISK_CREDENTIALS_EXPOSED',
  'AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED',
  'AWS_RISK_CREDENTIALS_COMPROMISED',
  'AWS_RISK_CREDENTIALS_COMPROMISE_SUSPECTED',
];

/** Rules on the default bus of the stack's Region for what says that a key of an IAM user is leaked. */
export class LeakRules extends Construct {
  readonly rules: readonly events.Rule[];

  /** @param target of a rule; made anew for each */
  constructor(scope: Construct, id: string, { stack, target }: LeakRulesProps) {
    super(scope, id);
    const patterns: Readonly<Record<string, events.EventPattern>> = {
      Exposed: {
        source: ['aws.health'],
        detail: { service: ['RISK'], eventTypeCode: HEALTH_CODES },
      },
      // By its prefix: AWS numbers the versions of this policy. Sources that begin with `aws.` are AWS's own: nobody else can put such an event.
      Quarantined: {
        source: ['aws.iam'],
        detail: {
          eventSource: ['iam.amazonaws.com'],
          eventName: ['AttachUserPolicy'],
          errorCode: [{ exists: false }],
          requestParameters: {
            policyArn: [{ prefix: `arn:${stack.partition}:iam::aws:policy/AWSCompromisedKeyQuarantine` }],
          },
        },
      },
    };
    this.rules = Object.entries(patterns).map(
      ([name, eventPattern]) =>
        new events.Rule(this, name, { description: DESCRIPTIONS[name] ?? name, eventPattern, targets: [target()] }),
    );
  }
}

export interface LeakRulesProps {
  readonly stack: Stack;
  readonly target: () => events.IRuleTarget;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  Exposed: 'iam-key-rotator: AWS Health says that an access key is exposed or compromised',
  Quarantined: 'iam-key-rotator: AWS has put a user under its quarantine policy',
};
