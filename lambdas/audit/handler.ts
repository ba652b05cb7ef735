/** The scheduled audit Lambda: middleware, wiring, one call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { auditAdapters } from '../adapters/audit-clients.ts';
import { asError } from '../adapters/call.ts';
import { readDeployment, readRegion, readReportBucket } from '../adapters/deployment-file.ts';
import { deadlineOf, now, sleep } from '../adapters/time.ts';
import { METRICS } from '../contract/names.ts';
import { auditAndPublish } from './publish.ts';
import type { Severity } from './report.ts';

const logger = new Logger();
const metrics = new Metrics();
const deployment = readDeployment(process.env);
const region = readRegion(process.env);
const bucket = readReportBucket(process.env);
const adapters = auditAdapters(region, process.env);
const store = adapters.store(bucket);

const METRIC_OF: Readonly<Record<Severity, string>> = {
  critical: METRICS.findingsCritical,
  high: METRICS.findingsHigh,
  medium: METRICS.findingsMedium,
  low: METRICS.findingsLow,
  info: METRICS.findingsInfo,
};

export const handler = middy()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .use(logMetrics(metrics))
  .handler(async (_event: unknown, context: Context) => {
    const world = { ...adapters, store, now, sleep, deadline: deadlineOf(context) };
    try {
      const { findings, users, keys, latest } = await auditAndPublish(world, deployment, { region });
      for (const [severity, count] of Object.entries(findings))
        metrics.addMetric(METRIC_OF[severity as Severity], MetricUnit.Count, count);
      metrics.addMetric(METRICS.auditsCompleted, MetricUnit.Count, 1);
      metrics.addMetric(METRICS.auditsFailed, MetricUnit.Count, 0);
      const told = { findings, users, keys, report: `s3://${bucket}/${latest.json}` };
      logger.info('audit-completed', told);
      return told;
    } catch (error) {
      metrics.addMetric(METRICS.auditsFailed, MetricUnit.Count, 1);
      logger.error('audit-failed', asError(error));
      throw error;
    }
  });
