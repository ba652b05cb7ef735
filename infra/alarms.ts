import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { RUNBOOK } from '../lambdas/contract/lines.ts';
import type { KeyRotator } from './key-rotator.ts';

export interface AlarmsProps {
  readonly rotator: KeyRotator;
  /** Gets every alarm, and its end. */
  readonly topic: sns.ITopic;
  /** Where the runbook is to be read. */
  readonly runbookUrl: string;
  /** In seconds: a key that is held for longer raises an alarm. */
  readonly holdLongerThan: number;
  /** ARNs of further topics. */
  readonly actions: readonly string[];
}

interface AlarmDefinition {
  readonly metric: cloudwatch.Metric;
  /** Raised at this value and above, unless `below`. */
  readonly threshold: number;
  readonly below?: boolean;
  /** @default 1 */
  readonly periods?: number;
  readonly missing: cloudwatch.TreatMissingData;
  /** What happened, in a sentence. */
  readonly says: string;
}

const { IGNORE, NOT_BREACHING, BREACHING } = cloudwatch.TreatMissingData;

/**
 * The alarms. Each links its section of the runbook: what it means, how to look, how to mend. Their windows slide, which is CloudWatch's standard.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
export class Alarms extends Construct {
  /** By the section of the runbook. */
  readonly alarms: Readonly<Record<keyof typeof RUNBOOK, cloudwatch.Alarm>>;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { topic, runbookUrl, actions } = props;
    const all = [topic, ...actions.map((arn, index) => sns.Topic.fromTopicArn(this, `Action${index}`, arn))];
    const make = (name: keyof typeof RUNBOOK, definition: AlarmDefinition) => {
      const { metric, threshold, below = false, periods = 1, missing, says } = definition;
      const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD: atLeast, LESS_THAN_THRESHOLD: lessThan } =
        cloudwatch.ComparisonOperator;
      const alarm = new cloudwatch.Alarm(this, `${name[0]?.toUpperCase()}${name.slice(1)}`, {
        alarmName: `${Stack.of(this).stackName}-${RUNBOOK[name]}`,
        metric,
        threshold,
        comparisonOperator: below ? lessThan : atLeast,
        evaluationPeriods: periods,
        datapointsToAlarm: periods,
        treatMissingData: missing,
        alarmDescription: `${says} What it means, how to look and how to mend: ${runbookUrl}#${RUNBOOK[name]}`,
      });
      const tell = all.map((to) => new SnsAction(to));
      alarm.addAlarmAction(...tell);
      alarm.addOkAction(...tell);
      return alarm;
    };
    const wanted = definitions(props);
    this.alarms = {
      rotationFailed: make('rotationFailed', wanted.rotationFailed),
      retirementFailed: make('retirementFailed', wanted.retirementFailed),
      deadLetters: make('deadLetters', wanted.deadLetters),
      holdTooLong: make('holdTooLong', wanted.holdTooLong),
      keyOverdue: make('keyOverdue', wanted.keyOverdue),
      changeLimit: make('changeLimit', wanted.changeLimit),
      auditNotRun: make('auditNotRun', wanted.auditNotRun),
      leakNotContained: make('leakNotContained', wanted.leakNotContained),
    };
  }
}

function definitions({ rotator, holdLongerThan }: AlarmsProps): Record<keyof typeof RUNBOOK, AlarmDefinition> {
  const sum = cloudwatch.Stats.SUM;
  const period = aPass(rotator.retireEvery);
  return {
    // At the first failure: neither the number nor the spacing of Secrets Manager's attempts is published, so nobody can wait for them. It ends with
    // an invocation that doesn't fail, and not because nothing runs.
    rotationFailed: {
      metric: rotator.metricRotationsFailed({ statistic: sum, period: Duration.minutes(5) }),
      threshold: 1,
      missing: IGNORE,
      says: 'A step of a rotation failed. Applications go on with the key that they have.',
    },
    retirementFailed: {
      metric: rotator.metricRetirePassesFailed({ statistic: sum, period: Duration.minutes(5) }),
      threshold: 1,
      missing: IGNORE,
      says: 'A retire pass failed, for one secret or for all: superseded keys may live on.',
    },
    deadLetters: {
      metric: rotator.metricDeadLetters({ statistic: cloudwatch.Stats.MAXIMUM, period: Duration.minutes(5) }),
      threshold: 1,
      missing: NOT_BREACHING,
      says: 'The dead-letter queue has messages: a retire pass, an audit or the response to a leak failed or was never started, or log lines became no event.',
    },
    holdTooLong: {
      metric: rotator.metricLongestHold({ period }),
      threshold: holdLongerThan,
      missing: IGNORE,
      says: `A superseded key has been held for longer than ${inWords(holdLongerThan)}, because something still uses it.`,
    },
    // A pass without its gauges, or none at all, is no sign that nothing is overdue; but one of three is.
    keyOverdue: {
      metric: rotator.metricKeysOverdue({ period }),
      threshold: 1,
      periods: 3,
      missing: BREACHING,
      says: 'A current key is older than its period and the margin, or no retire pass has been able to tell for three times its interval.',
    },
    changeLimit: {
      metric: rotator.metricChangeLimitReached({ period }),
      threshold: 1,
      missing: IGNORE,
      says: 'A retire pass stopped at maxChangesPerRun with more keys due. Many keys at once may be a mistake in the configuration.',
    },
    // CloudWatch looks back a little further than the periods that it is told, so this comes 6 to 18 hours after an audit that should have been.
    auditNotRun: {
      metric: rotator.metricAuditsCompleted({ statistic: sum, period: AUDIT_PERIOD }),
      threshold: 1,
      below: true,
      periods: Math.ceil(rotator.audit.every.toHours() / AUDIT_PERIOD.toHours()) + 1,
      missing: BREACHING,
      says: `No audit has been completed for more than ${inWords(rotator.audit.every.toSeconds())}.`,
    },
    // Raised by the respond function. Each pass counts on under the same name, so that it ends when a pass finds no such key any more.
    leakNotContained: {
      metric: rotator.metricLeaksNotContained({ statistic: sum, period }),
      threshold: 1,
      missing: IGNORE,
      says: 'A key that is reported to have leaked IS STILL USABLE.',
    },
  };
}

/** With one more period than the interval has. All together an alarm may look back a week: so much is an audit at most apart, less this. */
const AUDIT_PERIOD = Duration.hours(6);

/** A period in which a pass surely tells its gauges: the interval, and whole hours at least. */
function aPass(every: Duration): Duration {
  return Duration.hours(Math.ceil(every.toHours({ integral: false })));
}

function inWords(seconds: number): string {
  if (seconds === 86_400) return 'a day';
  return seconds % 86_400 === 0 ? `${seconds / 86_400} days` : `${Math.round(seconds / 3_600)} hours`;
}
