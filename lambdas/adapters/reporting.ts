/** What happens, as structured logs and as metrics. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS } from '../contract/names.ts';
import type { Happening, Report } from '../domain/happenings.ts';

const METRIC_OF: Readonly<Partial<Record<Happening['what'], string>>> = {
  minted: METRICS.keysMinted,
  promoted: METRICS.keysPromoted,
  held: METRICS.keysHeld,
  disabled: METRICS.keysDisabled,
  deleted: METRICS.keysDeleted,
  'orphan-cleared': METRICS.orphansCleared,
};

/** Logs each happening as one line of JSON, and counts those that changed or held a key. */
export function reporting(logger: Logger, metrics: Metrics): Report {
  return (happening) => {
    const { what, lastUse, due, ...facts } = { lastUse: undefined, due: undefined, ...happening };
    logger.info(what, {
      ...facts,
      ...(due && { due: due.toISOString() }),
      ...(lastUse && { lastUse: { ...lastUse, at: lastUse.at.toISOString() } }),
    });
    const metric = METRIC_OF[what];
    const observed = 'observed' in happening && happening.observed;
    if (metric !== undefined && !observed) metrics.addMetric(metric, MetricUnit.Count, 1);
  };
}
