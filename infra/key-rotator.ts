import { Duration, Stack, Validations } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { AUDIT_DEFAULTS, type Deployment } from '../lambdas/contract/deployment.ts';
import { SERVICES } from '../lambdas/contract/names.ts';
import { Audit, type AuditProps } from './audit.ts';
import { bundledCode } from './bundled-code.ts';
import { DEPLOYMENT_DEFAULTS } from './config/defaults.ts';
import { enforced, grantRetirement, grantRotation, sendTo, useEncryptionKeys } from './permissions.ts';
import { RetireSchedule } from './retire-schedule.ts';
import type { RotatedAccessKey } from './rotated-access-key.ts';
import { RotatorFunction } from './rotator-function.ts';

export interface KeyRotatorProps {
  /** The keys to rotate: all of this stack's account and Region. The names of about 40 fit into the policies; `resolveConfig` counts. */
  readonly keys: readonly RotatedAccessKey[];
  /**
   * Marks the secrets, so that this rotator finds its own. Unique in the account and Region.
   * @default 'iam-key-rotator'
   */
  readonly deploymentName?: string;
  /**
   * The most keys that one retire pass disables or deletes.
   * @default 25
   */
  readonly maxChangesPerRun?: number;
  /**
   * How often the retire pass runs. At least the 15 minutes that a pass may take.
   * @default Duration.hours(1)
   */
  readonly retireEvery?: Duration;
  /**
   * How long the logs of the functions are kept: the record of every key made, disabled and deleted.
   * @default logs.RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;
  /**
   * What the audit goes by, how often it runs and how long its reports are kept.
   * @default - daily, by `AUDIT_DEFAULTS`, kept for a year
   */
  readonly audit?: AuditProps;
}

/** Waiting for a new key to be known everywhere takes most of a step; testSecret stays inside this. */
const ROTATE_TIMEOUT = Duration.minutes(2);
/** The most that Lambda allows. A pass that doesn't get through goes on with the next one. */
const RETIRE_TIMEOUT = Duration.minutes(15);

/** The functions that rotate and retire access keys and audit the account, with their schedules, permissions, logs and dead-letter queue. */
export class KeyRotator extends Construct {
  /** Called by Secrets Manager for each of the four steps of a rotation. */
  readonly rotateFunction: lambda.Function;
  /** Called by EventBridge Scheduler for each retire pass. */
  readonly retireFunction: lambda.Function;
  /** Invocations of the retire pass and of the audit that failed or could not be delivered. */
  readonly deadLetters: sqs.Queue;
  /** Audits the whole account. */
  readonly audit: Audit;

  constructor(scope: Construct, id: string, props: KeyRotatorProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { keys, logRetention = logs.RetentionDays.ONE_YEAR } = props;
    const deployment: Deployment = {
      formatVersion: 1,
      name: props.deploymentName ?? DEPLOYMENT_DEFAULTS.name,
      maxChangesPerRun: props.maxChangesPerRun ?? DEPLOYMENT_DEFAULTS.maxChangesPerRun,
      rotateTimeout: ROTATE_TIMEOUT.toSeconds(),
      audit: { ...AUDIT_DEFAULTS, ...props.audit?.policy },
      // In an order of its own, so that moving a key in the configuration deploys no new code.
      keys: keys.map((key) => key.deployed).sort((a, b) => (a.secretName < b.secretName ? -1 : 1)),
    };

    const rotate = new RotatorFunction(this, 'Rotate', {
      description: 'iam-key-rotator: the four steps of a rotation',
      code: bundledCode('lambdas/rotate/handler.ts', deployment),
      timeout: ROTATE_TIMEOUT,
      serviceName: SERVICES.rotate,
      logRetention,
      statements: useEncryptionKeys(stack, enforced(keys), ['Decrypt', 'GenerateDataKey']),
    });
    grantRotation(rotate, keys);

    this.deadLetters = deadLetterQueue(this);
    const retire = new RotatorFunction(this, 'Retire', {
      description: 'iam-key-rotator: disables and deletes superseded keys',
      code: bundledCode('lambdas/retire/handler.ts', deployment),
      timeout: RETIRE_TIMEOUT,
      serviceName: SERVICES.retire,
      logRetention,
      statements: [sendTo(this.deadLetters), ...useEncryptionKeys(stack, keys, ['Decrypt'])],
    });
    grantRetirement(retire, keys);
    new lambda.CfnEventInvokeConfig(this, 'RetireOnce', {
      functionName: retire.function.functionName,
      qualifier: '$LATEST',
      // Run again at once, a failed pass would make its changes a second time past maxChangesPerRun. The next scheduled pass is the retry.
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: Duration.hours(1).toSeconds(),
      destinationConfig: { onFailure: { destination: this.deadLetters.queueArn } },
    });
    new RetireSchedule(this, 'RetireSchedule', {
      target: retire.function,
      every: props.retireEvery ?? Duration.hours(1),
      deadLetters: this.deadLetters,
    });

    this.audit = new Audit(this, 'Audit', {
      ...props.audit,
      deployment,
      keys,
      deadLetters: this.deadLetters,
      logRetention,
    });

    for (const key of keys) {
      const permission = allowSecret(this, rotate.function, key);
      key.bindRotator({
        deploymentName: deployment.name,
        rotateFunction: rotate.function,
        roles: [rotate.role, retire.role],
        dependencies: [permission, ...rotate.policies],
      });
    }
    this.rotateFunction = rotate.function;
    this.retireFunction = retire.function;
  }
}

/**
 * Lets Secrets Manager call the function for this one secret. Naming account and secret keeps a secret of another account, or another secret
 * of this one, from being rotated by a role that may mint keys.
 */
function allowSecret(rotator: Construct, rotate: lambda.IFunction, key: RotatedAccessKey): lambda.CfnPermission {
  return new lambda.CfnPermission(rotator, `Invoke${key.node.id}`, {
    action: 'lambda:InvokeFunction',
    functionName: rotate.functionArn,
    principal: 'secretsmanager.amazonaws.com',
    sourceAccount: Stack.of(rotator).account,
    sourceArn: key.secret.secretArn,
  });
}

function deadLetterQueue(scope: Construct): sqs.Queue {
  const queue = new sqs.Queue(scope, 'DeadLetters', {
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason:
      'It is itself the dead-letter queue, of the schedules and of the failed passes and audits: the rule knows those of queues only.',
  });
  return queue;
}
