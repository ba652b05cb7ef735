/** The Lambda that responds to leaks: middleware, wiring, one call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { asError } from '../adapters/call.ts';
import { iamAdapter, rotationsAdapter, secretsAdapter } from '../adapters/clients.ts';
import { readDeployment, readRegion } from '../adapters/deployment-file.ts';
import { reporting } from '../adapters/reporting.ts';
import { deadlineOf, now, sleep } from '../adapters/time.ts';
import { respond } from './respond.ts';

const logger = new Logger();
const metrics = new Metrics();
const deployment = readDeployment(process.env);
const region = readRegion(process.env);
const adapters = { iam: iamAdapter(region), secrets: secretsAdapter(region), rotations: rotationsAdapter(region) };

export const handler = middy()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .use(logMetrics(metrics))
  .handler(async (event: unknown, context: Context) => {
    try {
      const world = { ...adapters, now, sleep, deadline: deadlineOf(context), report: reporting(logger, metrics) };
      return await respond(event, deployment, world);
    } catch (error) {
      logger.error('responding to a leak failed', asError(error));
      throw error;
    }
  });
