import { Duration, Stack, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { AUDIT_DEFAULTS, DEPLOYMENT_STANDARDS, type Deployment } from '../lambdas/contract/deployment.ts';
import { METRICS, SERVICES } from '../lambdas/contract/names.ts';
import { Audit, type AuditProps } from './audit.ts';
import { bundledCode } from './bundled-code.ts';
import { DEPLOYMENT_DEFAULTS } from './config/defaults.ts';
import { type ServiceName, serviceMetric } from './metrics.ts';
import { Notify } from './notify.ts';
import { enforced, grantRetirement, grantRotation, sendTo, useEncryptionKeys } from './permissions.ts';
import { LeakResponse } from './respond.ts';
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
   * How late a rotation may be before its key counts as overdue.
   * @default Duration.days(2)
   */
  readonly overdueMargin?: Duration;
  /**
   * Where the runbook is to be read: events refer to its sections.
   * @default 'docs/runbook.md'
   */
  readonly runbookUrl?: string;
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
  /** What the functions are told: which secret is bound to which user, and how its keys are rotated. */
  readonly deployment: Deployment;
  /** Called by Secrets Manager for each of the four steps of a rotation. */
  readonly rotateFunction: lambda.Function;
  /** Called by EventBridge Scheduler for each retire pass. */
  readonly retireFunction: lambda.Function;
  /** Called by EventBridge when a key is leaked. */
  readonly respondFunction: lambda.Function;
  /** Makes events of what the other functions log. */
  readonly notifyFunction: lambda.Function;
  /** Value of the tag by which the functions find their secrets; every event carries it. */
  readonly deploymentName: string;
  /** What is rotated. */
  readonly keys: readonly RotatedAccessKey[];
  /** How often the retire pass runs. */
  readonly retireEvery: Duration;
  /** How late a rotation may be before its key counts as overdue, in seconds. */
  readonly overdueMargin: number;
  /** Invocations of the retire pass, audits and batches of log lines that failed or could not be delivered. */
  readonly deadLetters: sqs.Queue;
  /** Audits the whole account. */
  readonly audit: Audit;

  constructor(scope: Construct, id: string, props: KeyRotatorProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { keys, logRetention = logs.RetentionDays.ONE_YEAR, retireEvery = Duration.hours(1) } = props;
    this.overdueMargin = props.overdueMargin?.toSeconds() ?? DEPLOYMENT_STANDARDS.overdueMargin;
    const deployment: Deployment = {
      formatVersion: 1,
      name: props.deploymentName ?? DEPLOYMENT_DEFAULTS.name,
      maxChangesPerRun: props.maxChangesPerRun ?? DEPLOYMENT_DEFAULTS.maxChangesPerRun,
      rotateTimeout: ROTATE_TIMEOUT.toSeconds(),
      audit: { ...AUDIT_DEFAULTS, ...props.audit?.policy },
      retireEvery: retireEvery.toSeconds(),
      overdueMargin: this.overdueMargin,
      runbookUrl: props.runbookUrl ?? DEPLOYMENT_STANDARDS.runbookUrl,
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
      every: retireEvery,
      deadLetters: this.deadLetters,
      // Else the first pass fails because of users that are not there yet.
      dependencies: keys,
    });

    const leaks = new LeakResponse(this, 'Leak', {
      deployment,
      keys,
      rotate,
      logRetention,
      deadLetters: this.deadLetters,
    });
    this.respondFunction = leaks.respondFunction;
    this.audit = new Audit(this, 'Audit', {
      ...props.audit,
      deployment,
      keys,
      deadLetters: this.deadLetters,
      logRetention,
    });
    /** The functions whose logs become events. */
    const told = [rotate, retire, leaks.respond, this.audit.run];
    const { deadLetters } = this;
    const notify = new Notify(this, 'Notify', { deployment, told, deadLetters, logRetention });
    this.notifyFunction = notify.function;

    for (const key of keys) {
      const permission = allowSecret(this, rotate.function, key);
      key.bindRotator({
        deploymentName: deployment.name,
        rotateFunction: rotate.function,
        roles: [rotate.role, retire.role, leaks.respond.role],
        // Deploying rotates at once, and what is logged before somebody subscribes is in no event.
        dependencies: [permission, ...rotate.policies, notify],
      });
    }
    this.deployment = deployment;
    this.rotateFunction = rotate.function;
    this.retireFunction = retire.function;
    this.deploymentName = deployment.name;
    this.keys = keys;
    this.retireEvery = retireEvery;
  }

  /** A metric of one of the functions, by its name in `METRICS`. The sum over five minutes, unless told otherwise. */
  metric(metricName: string, service: ServiceName, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return serviceMetric(metricName, service, { statistic: cloudwatch.Stats.SUM, ...options });
  }

  /** Keys that were made. */
  metricKeysMinted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysMinted, 'rotate', options);
  }

  /** Keys that became current: rotations that went well. */
  metricKeysPromoted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysPromoted, 'rotate', options);
  }

  /** Steps of rotations that failed, those included that the next attempt heals. */
  metricRotationStepsFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.stepsFailed, 'rotate', options);
  }

  /** Invocations of the rotate function that failed: steps, and processes that were stopped or could not start. */
  metricRotationsFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.rotateFunction.metricErrors(options);
  }

  /** Steps that the rotator itself refused, with a code and a remedy. */
  metricRefusals(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.refusals, 'rotate', options);
  }

  /** Keys that were disabled by the retire pass. */
  metricKeysDisabled(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysDisabled, 'retire', options);
  }

  /** Keys that were deleted by the retire pass. */
  metricKeysDeleted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysDeleted, 'retire', options);
  }

  /** Retire passes that failed: a secret of theirs did, or all. */
  metricRetirePassesFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.retireFunction.metricErrors(options);
  }

  /** 1 for each pass that had changed all that it may while more was due, 0 for any other. */
  metricChangeLimitReached(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.changeLimitReached, 'retire', options);
  }

  /** Retiring keys that somebody used although applications have had the time to switch; each pass counts them again. */
  metricKeysNotSwitched(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysNotSwitched, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Keys that are current, by the last complete pass. */
  metricCurrentKeys(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.currentKeys, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Keys that are superseded and still Active. */
  metricRetiringKeys(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.retiringKeys, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Keys that are disabled and not deleted yet. */
  metricAwaitingDeletion(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.awaitingDeletion, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Age of the oldest current key, in seconds. */
  metricOldestCurrentKey(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.oldestCurrentKey, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** The longest time, in seconds, that a key has been held past its overlap. */
  metricLongestHold(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.longestHold, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Secrets whose current key should have been superseded by now. */
  metricKeysOverdue(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.keysOverdue, 'retire', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** Dead letters that nobody has seen to. */
  metricDeadLetters(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.deadLetters.metricApproximateNumberOfMessagesVisible(options);
  }

  /** Audits that went through. */
  metricAuditsCompleted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.auditsCompleted, 'audit', options);
  }

  /** Leaked keys that are still usable. */
  metricLeaksNotContained(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric(METRICS.leaksNotContained, 'respond', options);
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
      'It is itself the dead-letter queue, of the schedules, of failed passes and audits and of log lines that became no event: the rule knows those of queues only.',
  });
  return queue;
}
