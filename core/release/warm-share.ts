import type { CapacityReport } from '../ports/capacity.ts';
import { BUCKETS } from './assign.ts';

/**
 * Share of a pool's traffic, in buckets, that a version can take: that of the pool's runners which have it loaded, over all workers that take work. A
 * runner that has several versions counts for each. 0 where there is no runner.
 */
export function warmShare(reports: readonly CapacityReport[], version: string): number {
  let [all, warm] = [0, 0];
  for (const { draining, runners, warm: warmRunners } of reports) {
    if (draining) continue;
    all += runners;
    warm += Math.min(runners, warmRunners?.[version] ?? 0);
  }
  return all === 0 ? 0 : Math.floor((warm * BUCKETS) / all);
}

/** How many of a worker's runners have a version, for the pool to be warm for `share` of its traffic: every worker has its part. */
export function runnersFor(share: number, runners: number): number {
  return Math.min(runners, Math.ceil((share * runners) / BUCKETS));
}
