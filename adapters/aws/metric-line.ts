export type PoolName = { readonly deployment: string; readonly region: string; readonly pool: string };

/**
 * One line in CloudWatch's embedded metric format, from which a log group makes a metric of 1 s resolution: alarms may look every
 * ten seconds. By deployment, region and pool: nothing of it is by tenant or model.
 */
export function metricLine(
  { deployment, region, pool }: PoolName,
  name: 'PrefetchedNotStarted' | 'ColdSubmits',
  value: number,
  nowMs: number,
): string {
  const line = {
    _aws: {
      Timestamp: Math.round(nowMs),
      CloudWatchMetrics: [
        {
          Namespace: 'Sluice',
          Dimensions: [['Deployment', 'Region', 'Pool']],
          Metrics: [{ Name: name, Unit: 'Count', StorageResolution: 1 }],
        },
      ],
    },
    Deployment: deployment,
    Region: region,
    Pool: pool,
    [name]: value,
  };
  return `${JSON.stringify(line)}\n`;
}
