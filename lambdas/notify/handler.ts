/** The notify Lambda, subscribed to the logs of the others: middleware, wiring, one call. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import { asError } from '../adapters/call.ts';
import { eventBusAdapter } from '../adapters/clients.ts';
import { readDeployment, readRegion } from '../adapters/deployment-file.ts';
import { sleep } from '../adapters/time.ts';
import { METRICS } from '../contract/names.ts';
import { eventOf } from './events-of.ts';
import { linesOf } from './log-batch.ts';
import { sendEvents } from './send.ts';

const logger = new Logger();
const metrics = new Metrics();
const deployment = readDeployment(process.env);
const bus = eventBusAdapter(readRegion(process.env));

export const handler = middy()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .use(logMetrics(metrics))
  .handler(async (invocation: unknown): Promise<{ readonly sent: number }> => {
    try {
      const events = linesOf(invocation).flatMap((line) => {
        const told = eventOf(line, deployment);
        if (told.kind === 'event') return [told.event];
        if (told.kind === 'malformed') {
          // Sent again it would be no better. The line itself stands in the log that it comes from, under this id.
          logger.error('a log line is not in the form of its event', { logEventId: line.id, problem: told.problem });
          metrics.addMetric(METRICS.eventsMalformed, MetricUnit.Count, 1);
        }
        return [];
      });
      await sendEvents(events, { bus, sleep });
      metrics.addMetric(METRICS.eventsSent, MetricUnit.Count, events.length);
      return { sent: events.length };
    } catch (error) {
      logger.error('events were not sent', asError(error));
      metrics.addMetric(METRICS.eventsSent, MetricUnit.Count, 0);
      throw error;
    }
  });
