import { Annotations, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { PROJECT } from '../lambdas/contract/names.ts';
import { Alarms } from './alarms.ts';
import type { AuditProps } from './audit.ts';
import { describeWarning, type ResolvedConfig, type ResolvedKey, type ResolvedTarget } from './config/index.ts';
import { Dashboard } from './dashboard.ts';
import { KeyRotator } from './key-rotator.ts';
import { Notices } from './notices.ts';
import { OWN_VERSION } from './own-version.ts';
import { RotatedAccessKey, type RotatedAccessKeyProps } from './rotated-access-key.ts';

export interface RotatorStackProps extends StackProps {
  readonly target: ResolvedTarget;
  readonly config: Omit<ResolvedConfig, 'targets'>;
}

/** One target of the configuration: its secrets and the rotator over them. */
export class RotatorStack extends Stack {
  readonly rotator: KeyRotator;

  constructor(scope: Construct, id: string, { target, config, ...props }: RotatorStackProps) {
    super(scope, id, props);
    // Named after the user, not numbered: moving a key in the list must not replace its secret.
    const keys = target.keys.map((key) => addKey(this, key));
    this.rotator = new KeyRotator(this, 'Rotator', {
      keys,
      deploymentName: target.stackName,
      maxChangesPerRun: config.maxChangesPerRun,
      retireEvery: Duration.seconds(config.retireEvery),
      audit: auditProps(config.audit),
      overdueMargin: Duration.seconds(config.alarms.overdueMargin),
      runbookUrl: config.runbookUrl,
    });
    const { rotator } = this;
    const { runbookUrl } = config;
    const notices = new Notices(this, 'Notices', { rotator, runbookUrl, ...config.notices });
    new Alarms(this, 'Alarms', { rotator, runbookUrl, topic: notices.topic, ...config.alarms });
    const dashboard = new Dashboard(this, 'Dashboard', { rotator, runbookUrl });
    // For an operator's commands, which read it with GetTemplateSummary. Nothing in it is secret; some 600 bytes a key, of the megabyte that a
    // template may have. CloudFormation updates metadata only along with a resource: what changes here changes the functions' code, too.
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html
    this.addMetadata(PROJECT, { deployment: this.rotator.deployment, version: OWN_VERSION });
    new CfnOutput(this, 'RotateFunctionName', { value: this.rotator.rotateFunction.functionName });
    new CfnOutput(this, 'RetireFunctionName', { value: this.rotator.retireFunction.functionName });
    new CfnOutput(this, 'RespondFunctionName', { value: this.rotator.respondFunction.functionName });
    new CfnOutput(this, 'AuditFunctionName', { value: this.rotator.audit.function.functionName });
    new CfnOutput(this, 'NotifyFunctionName', { value: this.rotator.notifyFunction.functionName });
    new CfnOutput(this, 'ReportBucketName', { value: this.rotator.audit.reports.bucketName });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: this.rotator.deadLetters.queueUrl });
    new CfnOutput(this, 'NoticesTopicArn', { value: notices.topic.topicArn });
    new CfnOutput(this, 'DashboardName', { value: dashboard.dashboardName });
  }
}

function auditProps({ every, keepReportsFor, ...policy }: ResolvedConfig['audit']): AuditProps {
  return { every: Duration.seconds(every), keepReportsFor: Duration.seconds(keepReportsFor), policy };
}

function addKey(stack: Stack, key: ResolvedKey): RotatedAccessKey {
  const added = new RotatedAccessKey(stack, key.user, propsOf(stack, key));
  for (const warning of key.warnings) {
    Annotations.of(added).addWarningV2(`iam-key-rotator:${warning.code}`, describeWarning(warning));
  }
  return added;
}

function propsOf(stack: Stack, key: ResolvedKey): RotatedAccessKeyProps {
  const {
    user,
    readers,
    ledgerOperators,
    kmsKeyArn,
    replicas,
    exclusive,
    adopt,
    schedule,
    warnings: _,
    consumers: __,
    ...same
  } = key;
  const keyOf = (id: string, arn: string | undefined) =>
    arn === undefined ? {} : { encryptionKey: kms.Key.fromKeyArn(stack, id, arn) };
  return {
    ...same,
    userName: user,
    readerArns: readers,
    ledgerOperatorArns: ledgerOperators,
    rotationRules: schedule.rules,
    rotateEvery: Duration.seconds(schedule.longestGap + schedule.window),
    deactivateAfter: Duration.seconds(key.deactivateAfter),
    settle: Duration.seconds(key.settle),
    holdAtMost: Duration.seconds(key.holdAtMost),
    quietFor: Duration.seconds(key.quietFor),
    deleteAfter: Duration.seconds(key.deleteAfter),
    replicas: replicas.map(({ region, kmsKeyArn: arn }) => ({ region, ...keyOf(`${user}Key-${region}`, arn) })),
    ...keyOf(`${user}Key`, kmsKeyArn),
    ...(adopt === undefined ? {} : { adopt }),
    ...(exclusive === undefined ? {} : { exclusive }),
  };
}
