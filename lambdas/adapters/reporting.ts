/** What happens, as structured logs and as metrics. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS } from '../contract/names.ts';
import { tellSwitch } from '../domain/follow.ts';
import type { Happening, Report } from '../domain/happenings.ts';

const METRIC_OF: Readonly<Partial<Record<Happening['what'], string>>> = {
  minted: METRICS.keysMinted,
  promoted: METRICS.keysPromoted,
  held: METRICS.keysHeld,
  disabled: METRICS.keysDisabled,
  deleted: METRICS.keysDeleted,
  'orphan-cleared': METRICS.orphansCleared,
  'rolled-back': METRICS.keysRolledBack,
  'leak-reported': METRICS.leaksReported,
  'leak-contained': METRICS.leaksContained,
  'leak-not-contained': METRICS.leaksNotContained,
};

const NO_DATES = { lastUse: undefined, due: undefined, since: undefined, previousReadOn: undefined };

function metricOf(happening: Happening): string | undefined {
  if (happening.what !== 'followed') return METRIC_OF[happening.what];
  return happening.switched === 'no' ? METRICS.keysNotSwitched : undefined;
}

/** Logs each happening as one line of JSON, and counts those that changed or held a key, or found one in use that applications should have left. */
export function reporting(logger: Logger, metrics: Metrics): Report {
  return (happening) => {
    const { what, lastUse, due, since, previousReadOn, ...facts } = { ...NO_DATES, ...happening };
    logger.info(what, {
      ...facts,
      ...(due && { due: due.toISOString() }),
      ...(lastUse && { lastUse: { ...lastUse, at: lastUse.at.toISOString() } }),
      ...(since && { since: since.toISOString() }),
      ...(previousReadOn && { previousReadOn: previousReadOn.toISOString().slice(0, 10) }),
      ...(happening.what === 'followed' && { told: tellSwitch(happening) }),
    });
    const metric = metricOf(happening);
    const observed = 'observed' in happening && happening.observed;
    if (metric !== undefined && !observed) metrics.addMetric(metric, MetricUnit.Count, 1);
  };
}
