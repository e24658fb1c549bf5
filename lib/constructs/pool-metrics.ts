import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { queueName } from '../../adapters/aws/environment.ts';
import type { RegionContext } from '../region-context.ts';

/** Where processes write their own metrics, each by deployment, region and pool. */
export const METRICS_NAMESPACE = 'Sluice';

export type PoolMetrics = {
  /** Jobs that wait in each of a pool's queues. */
  readonly visible: readonly [Metric, Metric];
  readonly running: Metric;
  /** Jobs that one worker has taken and not started, as they are no longer visible: an average over workers. */
  readonly prefetched: Metric;
  /** Submissions that found no worker, by ten seconds. */
  readonly coldSubmits: Metric;
};

export type PoolNames = {
  readonly context: RegionContext;
  readonly pool: string;
  readonly cluster: string;
  readonly service: string;
};

export function poolMetrics({ context: { config, region }, pool, cluster, service }: PoolNames): PoolMetrics {
  const period = Duration.minutes(1);
  const visible = (lane: 'interactive' | 'bulk') =>
    new Metric({
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensionsMap: { QueueName: `${cluster}-${queueName(pool, lane)}` },
      statistic: 'Maximum',
      period,
    });
  const dimensionsMap = { Deployment: config.deployment, Region: region, Pool: pool };
  return {
    visible: [visible('interactive'), visible('bulk')],
    running: new Metric({
      namespace: 'ECS/ContainerInsights',
      metricName: 'RunningTaskCount',
      dimensionsMap: { ClusterName: cluster, ServiceName: service },
      statistic: 'Average',
      period,
    }),
    prefetched: new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: 'PrefetchedNotStarted',
      dimensionsMap,
      statistic: 'Average',
      period,
    }),
    coldSubmits: new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: 'ColdSubmits',
      dimensionsMap,
      statistic: 'Sum',
      period: Duration.seconds(10),
    }),
  };
}

/** 1 while jobs wait and no task runs. */
export function waitingWithoutWorkers({ visible: [interactive, bulk], running }: PoolMetrics): MathExpression {
  return new MathExpression({
    expression: 'IF((FILL(i, 0) + FILL(b, 0)) > 0 AND FILL(r, 0) < 1, 1, 0)',
    usingMetrics: { i: interactive, b: bulk, r: running },
    period: Duration.minutes(1),
  });
}
