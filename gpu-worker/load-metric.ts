import { SECOND_MS } from '../core/units.ts';
import type { WorkerLoad } from './worker.ts';

/** Alarms look every ten seconds: a line for each, 8,640 a day and worker, 2.5 MB of logs. */
export const METRIC_EVERY_MS = 10 * SECOND_MS;

export type MetricNames = { readonly deployment: string; readonly region: string; readonly pool: string };

/**
 * One line in CloudWatch's embedded metric format: what this worker has taken from the queue and not started, which the queue
 * no longer counts as visible. An average over workers is the backlog of one of them: of all of them it is that times their
 * number. Nothing of it is by tenant or model.
 */
export function loadMetricLine({ deployment, region, pool }: MetricNames, load: WorkerLoad, nowMs: number): string {
  const line = {
    _aws: {
      Timestamp: Math.round(nowMs),
      CloudWatchMetrics: [
        {
          Namespace: 'Sluice',
          Dimensions: [['Deployment', 'Region', 'Pool']],
          Metrics: [{ Name: 'PrefetchedNotStarted', Unit: 'Count', StorageResolution: 1 }],
        },
      ],
    },
    Deployment: deployment,
    Region: region,
    Pool: pool,
    PrefetchedNotStarted: load.notStarted,
  };
  return `${JSON.stringify(line)}\n`;
}
