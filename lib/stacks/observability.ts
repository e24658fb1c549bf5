import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { serviceName } from '../../adapters/aws/environment.ts';
import { AlarmBoard, percentOf } from '../constructs/alarm-board.ts';
import { poolMetrics, waitingWithoutWorkers } from '../constructs/pool-metrics.ts';
import { regionPrefix } from '../names.ts';
import type { RegionContext } from '../region-context.ts';
import type { Api } from './api.ts';
import type { Foundation } from './foundation.ts';
import type { Inference } from './inference.ts';
import type { Release } from './release.ts';

/** How old a job may be before somebody is told: users wait for one kind, nobody for the other. */
const OLDEST_S = { interactive: 60, bulk: 3600 } as const;
const SLOW_MS = 5000;
const ERROR_PERCENT = 2;

export type ObservabilityParts = {
  readonly context: RegionContext;
  readonly foundation: Foundation;
  readonly inference: Inference;
  readonly api: Api;
  readonly release: Release;
};

/** Who is told when a region is not well, and what one looks at then. */
export class Observability extends Stack {
  readonly board: AlarmBoard;

  constructor(scope: Construct, id: string, props: StackProps, parts: ObservabilityParts) {
    super(scope, id, props);
    const { config } = parts.context;
    const topic = new Topic(this, 'Alarms', { masterKey: parts.foundation.keys.operations, enforceSSL: true });
    for (const email of config.alarmEmails) topic.addSubscription(new EmailSubscription(email));
    this.board = new AlarmBoard(this, 'Board', topic, config.runbookUrl);
    this.#watchQueues(parts);
    this.#watchPools(parts);
    this.#watchApi(parts);
    this.#watchFunctions(parts);
    this.#watchReleases(parts);
    this.#drawDashboard(parts);
  }

  #watchQueues({ inference }: ObservabilityParts): void {
    for (const { pool, lane, queue, dead } of inference.queues.lanes) {
      const of = `${pool}-${lane}`;
      this.board.add({
        name: 'dead-letters',
        of,
        metric: dead.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: Duration.minutes(1) }),
        atLeast: 1,
        periods: 1,
        says: 'Messages that nobody could handle',
      });
      this.board.add({
        name: 'queue-age',
        of,
        metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: Duration.minutes(1) }),
        atLeast: OLDEST_S[lane],
        periods: 5,
        says: `A job has waited for ${OLDEST_S[lane]} s or longer`,
      });
    }
  }

  #watchPools({ context, inference }: ObservabilityParts): void {
    if (context.config.compute !== 'ecs') return;
    for (const pool of Object.keys(context.settings.pools)) {
      this.board.add({
        name: 'no-workers',
        of: pool,
        metric: waitingWithoutWorkers(metricsOf(context, pool, inference.compute.clusterName)),
        atLeast: 1,
        periods: 10,
        says: 'Jobs have waited for ten minutes and no worker runs',
      });
    }
  }

  #watchApi({ api: { api } }: ObservabilityParts): void {
    const period = Duration.minutes(1);
    const { api: rest } = api;
    this.board.add({
      name: 'server-errors',
      metric: percentOf(
        rest.metricServerError({ period, statistic: 'Sum' }),
        rest.metricCount({ period, statistic: 'Sum' }),
      ),
      atLeast: ERROR_PERCENT,
      periods: 5,
      says: `${ERROR_PERCENT} % of answers or more are errors of ours`,
    });
    this.board.add({
      name: 'slow-answers',
      metric: rest.metricLatency({ period, statistic: 'p95' }),
      atLeast: SLOW_MS,
      periods: 5,
      says: `Of a hundred answers five take ${SLOW_MS} ms or longer`,
    });
  }

  #watchFunctions({ api }: ObservabilityParts): void {
    const period = Duration.minutes(1);
    for (const [of, handler] of Object.entries(api.functions)) {
      this.board.add({
        name: 'throttled-functions',
        of,
        metric: handler.metricThrottles({ period, statistic: 'Sum' }),
        atLeast: 1,
        periods: 3,
        says: 'A function has as many invocations as it may',
      });
    }
    this.board.add({
      name: 'failed-invocations',
      metric: api.failed.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
      atLeast: 1,
      periods: 1,
      says: 'An invocation that nobody waited for has failed for good',
    });
  }

  #watchReleases({ release: { clock } }: ObservabilityParts): void {
    const period = Duration.minutes(5);
    this.board.add({
      name: 'release-clock',
      metric: new MathExpression({
        expression: 'FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)',
        usingMetrics: {
          failed: clock.metric('ExecutionsFailed'),
          timedOut: clock.metric('ExecutionsTimedOut'),
          aborted: clock.metric('ExecutionsAborted'),
        },
        period,
      }),
      atLeast: 1,
      periods: 1,
      says: 'The clock of a release has stopped: it goes on once a minute, or from where another execution took over',
    });
  }

  #drawDashboard({ context, inference, api }: ObservabilityParts): void {
    const { config, region, settings } = context;
    const { api: rest } = api.api;
    const period = Duration.minutes(1);
    const graph = (title: string, left: readonly IMetric[]) => new GraphWidget({ title, width: 12, left: [...left] });
    const pools = Object.keys(settings.pools).map((pool) => ({
      pool,
      ...metricsOf(context, pool, inference.compute.clusterName),
    }));
    new Dashboard(this, 'Dashboard', {
      dashboardName: regionPrefix(config.deployment, region),
      widgets: [
        [
          graph('Requests and errors', [
            rest.metricCount({ period, statistic: 'Sum' }),
            rest.metricClientError({ period, statistic: 'Sum' }),
            rest.metricServerError({ period, statistic: 'Sum' }),
          ]),
          graph('Latency', [
            rest.metricLatency({ period, statistic: 'p50' }),
            rest.metricLatency({ period, statistic: 'p95' }),
            rest.metricLatency({ period, statistic: 'p99' }),
          ]),
        ],
        ...pools.map(({ pool, visible, prefetched, running }) => [
          graph(`${pool}: jobs that wait`, [...visible, prefetched]),
          graph(`${pool}: tasks`, [running]),
        ]),
      ],
    });
  }
}

function metricsOf(context: RegionContext, pool: string, cluster: string) {
  return poolMetrics({ context, pool, cluster, service: serviceName(context.config.deployment, pool) });
}
