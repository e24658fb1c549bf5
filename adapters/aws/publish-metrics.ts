import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { MetricUnit as Unit } from '../../core/operations/metric.ts';
import type { Published } from '../../core/operations/publish.ts';

/** The namespace of all metrics that processes of ours write. */
const NAMESPACE = 'Sluice';

const UNITS: Readonly<Record<Unit, (typeof MetricUnit)[keyof typeof MetricUnit]>> = {
  count: MetricUnit.Count,
  flag: MetricUnit.Count,
  ms: MetricUnit.Milliseconds,
  s: MetricUnit.Seconds,
  share: MetricUnit.NoUnit,
  ratio: MetricUnit.NoUnit,
  usd: MetricUnit.NoUnit,
  days: MetricUnit.NoUnit,
};

/**
 * Writes numbers to this function's log in CloudWatch's embedded metric format, from which CloudWatch makes metrics: by deployment, region and what each is of. What is
 * of the same goes into one line.
 */
export function publishMetrics(
  { deployment, region }: { readonly deployment: string; readonly region: string },
  numbers: readonly Published[],
  nowMs: number,
): void {
  const ofRegion = { Deployment: deployment, Region: region };
  for (const same of Map.groupBy(numbers, ({ dimensions }) => JSON.stringify(dimensions)).values()) {
    const metrics = new Metrics({ namespace: NAMESPACE });
    // Its own, the name of a service, would be one more by which every number is to be asked for.
    metrics.clearDefaultDimensions();
    for (const [name, value] of Object.entries({ ...ofRegion, ...same[0]!.dimensions }))
      metrics.addDimension(name, value);
    metrics.setTimestamp(Math.round(nowMs));
    for (const { name, unit, value } of same) metrics.addMetric(name, UNITS[unit], value);
    metrics.publishStoredMetrics();
  }
}
