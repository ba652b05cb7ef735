/** The metrics of the functions, as constructs name them. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { PROJECT, SERVICES } from '../lambdas/contract/names.ts';

export type ServiceName = keyof typeof SERVICES;

/**
 * A metric that a function publishes in the embedded metric format. Powertools gives each the dimension `service` and no other; a metric with other
 * dimensions is another metric, which never has data.
 *
 * @see https://docs.aws.amazon.com/powertools/typescript/latest/features/metrics/
 */
export function serviceMetric(
  metricName: string,
  service: ServiceName,
  options: cloudwatch.MetricOptions,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: PROJECT,
    metricName,
    dimensionsMap: { service: SERVICES[service] },
    ...options,
  });
}
