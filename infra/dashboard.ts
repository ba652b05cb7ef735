import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { RUNBOOK } from '../lambdas/contract/lines.ts';
import type { KeyRotator } from './key-rotator.ts';

export interface DashboardProps {
  readonly rotator: KeyRotator;
  /** Where the runbook is to be read. */
  readonly runbookUrl: string;
}

const WIDTH = 8;

/** One page of CloudWatch: how the keys stand, what was done, and how the functions are. */
export class Dashboard extends Construct {
  readonly dashboardName: string;

  constructor(scope: Construct, id: string, { rotator, runbookUrl }: DashboardProps) {
    super(scope, id);
    // Dashboards are known in all Regions of an account.
    const name = `${Stack.of(this).stackName}-${Stack.of(this).region}`;
    const dashboard = new cloudwatch.Dashboard(this, 'Page', {
      dashboardName: name,
      defaultInterval: Duration.days(7),
    });
    const hour = { period: Duration.hours(1) };
    const graph = (title: string, left: cloudwatch.IMetric[], more: Partial<cloudwatch.GraphWidgetProps> = {}) =>
      new cloudwatch.GraphWidget({ title, left, width: WIDTH, ...more });
    const inDays = (label: string, seconds: cloudwatch.Metric) =>
      new cloudwatch.MathExpression({ label, expression: 'seconds / 86400', usingMetrics: { seconds }, ...hour });
    const days = { leftYAxis: { label: 'days', showUnits: false, min: 0 } };

    const functions = {
      rotate: rotator.rotateFunction,
      retire: rotator.retireFunction,
      respond: rotator.respondFunction,
      audit: rotator.audit.function,
      notify: rotator.notifyFunction,
    };
    const each = (metric: (fn: IFunction, label: string) => cloudwatch.IMetric) =>
      Object.entries(functions).map(([label, fn]) => metric(fn, label));

    dashboard.addWidgets(
      new cloudwatch.TextWidget({ markdown: text(rotator.deploymentName, runbookUrl), width: 3 * WIDTH, height: 3 }),
    );
    dashboard.addWidgets(
      graph('Keys by state', [
        rotator.metricCurrentKeys({ label: 'current', ...hour }),
        rotator.metricRetiringKeys({ label: 'retiring', ...hour }),
        rotator.metricAwaitingDeletion({ label: 'disabled', ...hour }),
      ]),
      graph('Age of the oldest current key', [inDays('oldest', rotator.metricOldestCurrentKey(hour))], {
        ...days,
        leftAnnotations: [{ value: 90, label: '90 days' }],
      }),
      graph('Overdue, and not switched', [
        rotator.metricKeysOverdue({ label: 'overdue', ...hour }),
        rotator.metricKeysNotSwitched({ label: 'still used after the switch', ...hour }),
      ]),
    );
    dashboard.addWidgets(
      graph('Rotations', [
        rotator.metricKeysPromoted({ label: 'succeeded', ...hour }),
        rotator.metricRotationStepsFailed({ label: 'failed steps', ...hour }),
        rotator.metricRefusals({ label: 'of which refused', ...hour }),
      ]),
      graph('Longest hold', [inDays('longest', rotator.metricLongestHold(hour))], days),
      graph('Keys retired', [
        rotator.metricKeysDisabled({ label: 'disabled', ...hour }),
        rotator.metricKeysDeleted({ label: 'deleted', ...hour }),
        rotator.metricChangeLimitReached({ label: 'limit reached', ...hour }),
      ]),
    );
    dashboard.addWidgets(
      graph(
        'Duration',
        each((fn, label) => fn.metricDuration({ label, statistic: 'p95', ...hour })),
      ),
      graph(
        'Errors',
        each((fn, label) => fn.metricErrors({ label, ...hour })),
      ),
      graph('Dead letters', [rotator.metricDeadLetters({ label: 'waiting', statistic: 'max', ...hour })]),
    );
    this.dashboardName = name;
  }
}

function text(deployment: string, runbookUrl: string): string {
  const link = (label: string, section: string) => `[${label}](${runbookUrl}#${section})`;
  return [
    `# IAM access keys: ${deployment}`,
    `All is well while nothing is overdue, nothing fails and nothing is held for long. The runbook: [all of it](${runbookUrl}) · ` +
      `${link('rotation failed', RUNBOOK.rotationFailed)} · ${link('key overdue', RUNBOOK.keyOverdue)} · ` +
      `${link('hold too long', RUNBOOK.holdTooLong)} · ${link('dead letters', RUNBOOK.deadLetters)}`,
  ].join('\n\n');
}
