/** The rotation Lambda: middleware, wiring, one call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { asError } from '../adapters/call.ts';
import { iamAdapter, identitiesAdapter, secretsAdapter } from '../adapters/clients.ts';
import { readDeployment, readRegion } from '../adapters/deployment-file.ts';
import { reporting } from '../adapters/reporting.ts';
import { sesSmtpPassword } from '../adapters/ses-smtp.ts';
import { deadlineOf, now, sleep } from '../adapters/time.ts';
import { LINES } from '../contract/lines.ts';
import { METRICS } from '../contract/names.ts';
import { isRefusal } from '../domain/errors.ts';
import { rotate } from './rotate.ts';
import { tellEvent } from './rotation.ts';

const logger = new Logger();
const metrics = new Metrics();
const deployment = readDeployment(process.env);
const region = readRegion(process.env);
const adapters = { iam: iamAdapter(region), secrets: secretsAdapter(region), identities: identitiesAdapter() };

export const handler = middy()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .use(logMetrics(metrics))
  .handler(async (event: unknown, context: Context): Promise<void> => {
    logger.appendKeys(tellEvent(event));
    metrics.addMetric(METRICS.stepsRun, MetricUnit.Count, 1);
    try {
      const world = {
        ...adapters,
        smtpPassword: sesSmtpPassword,
        now,
        sleep,
        deadline: deadlineOf(context),
        runId: context.awsRequestId,
        report: reporting(logger, metrics),
      };
      await rotate(event, deployment, world);
    } catch (error) {
      metrics.addMetric(METRICS.stepsFailed, MetricUnit.Count, 1);
      metrics.addMetric(METRICS.refusals, MetricUnit.Count, isRefusal(error) ? 1 : 0);
      logger.error(LINES.stepFailed, asError(error));
      throw error;
    }
  });
