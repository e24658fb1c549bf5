import { metricLine, type PoolName } from '../adapters/aws/metric-line.ts';
import { SECOND_MS } from '../core/units.ts';
import type { WorkerLoad } from './worker.ts';

/** Alarms look every ten seconds: a line for each, 8,640 a day and worker, 2.5 MB of logs. */
export const METRIC_EVERY_MS = 10 * SECOND_MS;

/**
 * What this worker has taken from the queue and not started, which the queue no longer counts as visible. An average over workers
 * is the backlog of one of them: of all of them it is that times their number.
 */
export function loadMetricLine(pool: PoolName, load: WorkerLoad, nowMs: number): string {
  return metricLine(pool, 'PrefetchedNotStarted', load.notStarted, nowMs);
}
