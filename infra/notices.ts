import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { EVENT_SOURCE, type EventType } from '../lambdas/contract/events.ts';
import { RUNBOOK } from '../lambdas/contract/lines.ts';
import type { KeyRotator } from './key-rotator.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';

export interface NoticesProps {
  readonly rotator: KeyRotator;
  /** Where the runbook is to be read. */
  readonly runbookUrl: string;
  /**
   * Addresses that get the notices. AWS asks each of them to confirm.
   * @default []
   */
  readonly emails?: readonly string[];
  /**
   * A topic that is there already. EventBridge and CloudWatch must be allowed to publish to it, and to use its KMS key.
   * @default - a topic of its own
   */
  readonly topicArn?: string | undefined;
}

/** Events that always need somebody. */
const NEED_SOMEONE: readonly EventType[] = [
  'Retirement Failed',
  'Change Limit Reached',
  'Key Rolled Back',
  'Leak Reported',
  'Leak Contained',
  'Leak Not Contained',
  'Audit Failed',
];

/** Characters of a rule's pattern; EventBridge takes 2,048. */
const PATTERN_ROOM = 1_600;
/** Characters of a secret's ARN besides its name. */
const ARN_LENGTH = 80;

const EVENTS = 'events.amazonaws.com';
const CLOUDWATCH = 'cloudwatch.amazonaws.com';

/** Tells people what needs somebody: an encrypted SNS topic, and the rules that hand it events as sentences. */
export class Notices extends Construct {
  readonly topic: sns.ITopic;

  constructor(scope: Construct, id: string, props: NoticesProps) {
    super(scope, id);
    const { rotator, runbookUrl, emails = [], topicArn } = props;
    this.topic = topicArn === undefined ? ownTopic(this, emails) : sns.Topic.fromTopicArn(this, 'Topic', topicArn);

    const told = { message: '$.detail.message', remedy: '$.detail.remedy', runbook: '$.detail.runbook' };
    const sentence = ['<message>', 'What to do: <remedy>.', 'Runbook: <runbook>'];
    const rule = (name: string, types: readonly EventType[], detail = {}) =>
      this.#rule(
        name,
        {
          source: [EVENT_SOURCE],
          'detail-type': types,
          detail: { deployment: [rotator.deploymentName], ...detail },
        },
        told,
        sentence,
      );
    rule('NeedsSomeone', NEED_SOMEONE);
    // A call that failed may pass with the next attempt; if it doesn't, Secrets Manager tells the rotation's end.
    rule('RotationRefused', ['Rotation Refused'], { reason: [{ 'anything-but': ['AWS_CALL_FAILED'] }] });
    // Not each day's: the alarm tells of one that lasts.
    rule('KeyHeld', ['Key Held'], { day: [0] });

    // Secrets Manager's own word, by way of CloudTrail, which needs a trail: it also covers a function that can't even start.
    // https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
    for (const [index, some] of inRules(rotator.keys).entries()) {
      this.#rule(
        `RotationFailed${index}`,
        {
          source: ['aws.secretsmanager'],
          'detail-type': ['AWS Service Event via CloudTrail'],
          detail: {
            eventName: ['RotationFailed'],
            additionalEventData: { SecretId: some.map(({ secret }) => secret.secretArn) },
          },
        },
        { secret: '$.detail.additionalEventData.SecretId' },
        [
          'Secrets Manager says that the rotation of <secret> failed.',
          `Applications go on with the key that they have. Runbook: ${runbookUrl}#${RUNBOOK.rotationFailed}`,
        ],
      );
    }
  }

  /**
   * The L1 resource: the target of the CDK's own construct adds a statement without a name to the topic's policy, for each rule. Each line of the
   * template is a line of the notice.
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
   */
  #rule(id: string, eventPattern: object, inputPathsMap: Record<string, string>, lines: readonly string[]): void {
    new events.CfnRule(this, id, {
      description: `iam-key-rotator: tells people (${id})`,
      eventPattern,
      targets: [
        {
          id: 'Topic',
          arn: this.topic.topicArn,
          inputTransformer: { inputPathsMap, inputTemplate: lines.map((line) => `"${line}"`).join('\n') },
        },
      ],
    });
  }
}

/**
 * A key of its own, because the AWS managed one (`alias/aws/sns`) lets neither EventBridge nor CloudWatch encrypt with it, and nobody can change its
 * policy: alarms would change their state, and tell nobody.
 *
 * No condition on EventBridge: SNS documents that `aws:SourceAccount` and `aws:SourceArn` are not supported in the key's policy for what EventBridge
 * sends to encrypted topics, and AWS's own example of the topic's policy has none either. With one that isn't met, every notice would be lost
 * without a word.
 *
 * @see https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
 * @see https://repost.aws/knowledge-center/sns-not-getting-eventbridge-notification
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
function ownTopic(scope: Construct, emails: readonly string[]): sns.Topic {
  const stack = Stack.of(scope);
  const ofThisAccount = { StringEquals: { 'aws:SourceAccount': stack.account } };
  const use = (sid: string, service: string, conditions: iam.Conditions) =>
    new iam.PolicyStatement({
      sid,
      principals: [new iam.ServicePrincipal(service)],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      // In the policy of a key: this key.
      resources: ['*'],
      conditions,
    });
  const key = new kms.Key(scope, 'Key', {
    description: 'iam-key-rotator: encrypts the notices',
    enableKeyRotation: true,
    // What it encrypts is on its way, and kept nowhere.
    removalPolicy: RemovalPolicy.DESTROY,
    pendingWindow: Duration.days(7),
    policy: new iam.PolicyDocument({
      statements: [
        // What AWS puts into every key's policy: without it nobody could change the policy any more.
        new iam.PolicyStatement({
          sid: 'AccountAdministersKey',
          principals: [new iam.AccountRootPrincipal()],
          actions: ['kms:*'],
          resources: ['*'],
        }),
        use('EventBridgeEncrypts', EVENTS, {}),
        use('AlarmsEncrypt', CLOUDWATCH, ofThisAccount),
      ],
    }),
  });
  const topic = new sns.Topic(scope, 'Topic', {
    displayName: 'iam-key-rotator',
    masterKey: key,
    enforceSSL: true,
  });
  const publish = (sid: string, service: string, conditions: iam.Conditions) =>
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid,
        principals: [new iam.ServicePrincipal(service)],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions,
      }),
    );
  publish('EventBridgePublishes', EVENTS, {});
  publish('AlarmsPublish', CLOUDWATCH, ofThisAccount);
  // Named after the address, not numbered: each new subscription has to be confirmed.
  for (const endpoint of emails) {
    new sns.CfnSubscription(scope, `Email ${endpoint}`, { topicArn: topic.topicArn, protocol: 'email', endpoint });
  }
  return topic;
}

/** The keys, a list for each rule: as many secrets as its pattern has room for. */
function inRules(keys: readonly RotatedAccessKey[]): RotatedAccessKey[][] {
  const rules: RotatedAccessKey[][] = [];
  let room = 0;
  for (const key of keys) {
    const length = ARN_LENGTH + key.deployed.secretName.length;
    const last = rules.at(-1);
    if (last === undefined || length > room) {
      rules.push([key]);
      room = PATTERN_ROOM - length;
    } else {
      last.push(key);
      room -= length;
    }
  }
  return rules;
}
