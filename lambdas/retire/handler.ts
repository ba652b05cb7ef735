/** The scheduled retire Lambda: middleware, wiring, one call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { asError } from '../adapters/call.ts';
import { iamAdapter, secretsAdapter, versionsAdapter } from '../adapters/clients.ts';
import { readDeployment, readRegion } from '../adapters/deployment-file.ts';
import { reporting } from '../adapters/reporting.ts';
import { deadlineOf, now } from '../adapters/time.ts';
import { LINES } from '../contract/lines.ts';
import { METRICS, SERVICES } from '../contract/names.ts';
import type { Gauges } from '../domain/gauges.ts';
import { type PassResult, passFailed, type RetireWorld, retirePass } from './pass.ts';

const logger = new Logger();
const metrics = new Metrics();
const deployment = readDeployment(process.env);
const region = readRegion(process.env);
const adapters = { iam: iamAdapter(region), secrets: secretsAdapter(region), versions: versionsAdapter(region) };

export const handler = middy()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .use(logMetrics(metrics))
  .handler(async (_event: unknown, context: Context) => {
    const world = { ...adapters, now, deadline: deadlineOf(context), report: reporting(logger, metrics), measure };
    const result = await tellingFailure(world);
    metrics.addMetric(METRICS.secretsExamined, MetricUnit.Count, result.examined);
    metrics.addMetric(METRICS.secretsFailed, MetricUnit.Count, result.failures.length);
    metrics.addMetric(METRICS.changeLimitReached, MetricUnit.Count, result.stopped === 'change-limit' ? 1 : 0);
    const { failures, ...told } = result;
    if (result.stopped !== undefined) logger.warn(LINES.endedEarly, told);
    for (const { secret, error } of failures) logger.error(LINES.retirementFailed, { secret, error: asError(error) });
    if (failures.length > 0) throw passFailed(failures);
    return told;
  });

function measure(gauges: Gauges): void {
  metrics.addMetric(METRICS.currentKeys, MetricUnit.Count, gauges.currentKeys);
  metrics.addMetric(METRICS.retiringKeys, MetricUnit.Count, gauges.retiringKeys);
  metrics.addMetric(METRICS.awaitingDeletion, MetricUnit.Count, gauges.awaitingDeletion);
  metrics.addMetric(METRICS.oldestCurrentKey, MetricUnit.Seconds, gauges.oldestCurrentKey);
  metrics.addMetric(METRICS.longestHold, MetricUnit.Seconds, gauges.longestHold);
  metrics.addMetric(METRICS.keysOverdue, MetricUnit.Count, gauges.keysOverdue);
  // As the respond function counts it, and under its name: its attempts end, and the alarm of both must not.
  new Metrics({ serviceName: SERVICES.respond, singleMetric: true }).addMetric(
    METRICS.leaksNotContained,
    MetricUnit.Count,
    gauges.leakedKeys,
  );
}

/** A pass that can't even list the secrets says so in a line of its own, from which an event is made. */
async function tellingFailure(world: RetireWorld): Promise<PassResult> {
  try {
    return await retirePass(deployment, world);
  } catch (error) {
    logger.error(LINES.retirementFailed, asError(error));
    metrics.addMetric(METRICS.secretsExamined, MetricUnit.Count, 0);
    throw error;
  }
}
