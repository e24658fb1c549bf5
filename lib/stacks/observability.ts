import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { GraphWidget, type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { serviceName } from '../../adapters/aws/environment.ts';
import { ALARM_IDS, type AlarmId, ruleOf } from '../../core/operations/alarms.ts';
import { AlarmBoard, percentOf } from '../constructs/alarm-board.ts';
import { alarmMetric, measuredMetric } from '../constructs/measured-metric.ts';
import { poolMetrics, waitingWithoutWorkers } from '../constructs/pool-metrics.ts';
import { RegionCanary } from '../constructs/region-canary.ts';
import { RegionDashboards } from '../constructs/region-dashboards.ts';
import type { RegionContext } from '../region-context.ts';
import type { Api } from './api.ts';
import type { Foundation } from './foundation.ts';
import type { Inference } from './inference.ts';
import type { Release } from './release.ts';

/** Which alarm tells of a job that has waited for long: users wait for one kind, nobody for the other. */
const QUEUE_AGE = { interactive: 'queue-age', bulk: 'batch-queue-age' } as const;
/** Fewer requests may have been refused before anything counts them. */
const COUNTED_REQUESTS = 20;
const CERTIFICATE_DAYS = 30;

export type ObservabilityParts = {
  readonly context: RegionContext;
  readonly foundation: Foundation;
  readonly inference: Inference;
  readonly api: Api;
  readonly release: Release;
  /** Code of the checks from outside, as CloudWatch Synthetics wants it. */
  readonly canaryFolder: string;
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
    this.#watchMeasures(parts.context);
    this.#watchFromOutside(parts);
    this.#drawDashboards(parts);
  }

  #watchQueues({ inference }: ObservabilityParts): void {
    for (const { pool, lane, queue, dead } of inference.queues.lanes) {
      const of = `${pool}-${lane}`;
      this.#add('dead-letters', of, {
        metric: dead.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: Duration.minutes(1) }),
      });
      this.#add(QUEUE_AGE[lane], of, {
        metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: Duration.minutes(1) }),
      });
    }
  }

  /** One of those that there are everywhere, as it is defined there, on a metric of AWS's own or on what was measured. */
  #add(
    id: AlarmId,
    of: string | undefined,
    { metric, threshold }: { readonly metric: IMetric; readonly threshold?: number },
  ): void {
    const rule = ruleOf(id);
    this.board.add({
      name: id,
      ...(of !== undefined && { of }),
      metric,
      threshold: threshold ?? rule.threshold,
      is: rule.is,
      periods: Math.max(1, rule.forMinutes),
      noData: rule.noData,
      says: rule.says,
    });
  }

  #watchMeasures(context: RegionContext): void {
    for (const id of ALARM_IDS.filter((each) => ruleOf(each).cloudWatch === 'measures'))
      this.#add(id, undefined, { metric: alarmMetric(context, id) });
    const arn = context.settings.domain?.certificateArn;
    if (arn === undefined) return;
    this.board.add({
      name: 'key-expiry',
      of: 'certificate',
      metric: new Metric({
        namespace: 'AWS/CertificateManager',
        metricName: 'DaysToExpiry',
        dimensionsMap: { CertificateArn: arn },
        statistic: 'Minimum',
        period: Duration.days(1),
      }),
      threshold: CERTIFICATE_DAYS,
      is: 'below',
      periods: 1,
      says: "The certificate of the API's name expires within a month",
    });
  }

  #watchPools({ context, inference }: ObservabilityParts): void {
    if (context.config.compute !== 'ecs') return;
    for (const pool of Object.keys(context.settings.pools)) {
      this.#add('no-workers', pool, {
        metric: waitingWithoutWorkers(metricsOf(context, pool, inference.compute.clusterName)),
      });
    }
  }

  #watchApi({ context, api: { api } }: ObservabilityParts): void {
    const period = Duration.minutes(1);
    const { api: rest } = api;
    const requests = rest.metricCount({ period, statistic: 'Sum' });
    this.#add('server-errors', undefined, {
      metric: percentOf(rest.metricServerError({ period, statistic: 'Sum' }), requests),
      threshold: 100 * ruleOf('server-errors').threshold,
    });
    this.#add('slow-answers', undefined, { metric: rest.metricLatency({ period, statistic: 'p95' }) });
    this.#add('telemetry-stale', undefined, {
      metric: new MathExpression({
        expression: `IF(FILL(asked, 0) >= ${COUNTED_REQUESTS} AND FILL(counted, 0) < 1, 1, 0)`,
        usingMetrics: { asked: requests, counted: measuredMetric(context, 'requests') },
        period,
      }),
      threshold: 1,
    });
  }

  /** From outside, through the public path, as callers come: what is wrong with names, certificates or the firewall too. */
  #watchFromOutside({ context, foundation, inference, api, canaryFolder }: ObservabilityParts): void {
    if (context.config.checks.everyMinutes === 0) return;
    const { canary } = new RegionCanary(this, 'Canary', {
      context,
      url: api.url,
      folder: canaryFolder,
      keySecretArn: inference.resources.canaryKeySecretArn,
      keys: foundation.keys,
    });
    const period = Duration.minutes(context.config.checks.everyMinutes);
    this.board.add({
      name: 'check-failed',
      of: 'outside',
      metric: canary.metricFailed({ period, statistic: 'Sum' }),
      threshold: 1,
      // Once may be chance; of none at all a canary is broken itself.
      periods: 2,
      noData: 'alarm',
      says: ruleOf('check-failed').says,
    });
  }

  #watchFunctions({ api }: ObservabilityParts): void {
    const period = Duration.minutes(1);
    for (const [of, handler] of Object.entries(api.functions)) {
      this.board.add({
        name: 'throttled-functions',
        of,
        metric: handler.metricThrottles({ period, statistic: 'Sum' }),
        threshold: 1,
        periods: 3,
        says: 'A function has as many invocations as it may',
      });
    }
    this.board.add({
      name: 'failed-invocations',
      metric: api.failed.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
      threshold: 1,
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
      threshold: 1,
      periods: 1,
      says: 'The clock of a release has stopped: it goes on once a minute, or from where another execution took over',
    });
  }

  #drawDashboards({ context, inference, api }: ObservabilityParts): void {
    const { api: rest } = api.api;
    const period = Duration.minutes(1);
    const graph = (title: string, left: readonly IMetric[]) => new GraphWidget({ title, width: 12, left: [...left] });
    const pools = Object.keys(context.settings.pools).map((pool) => ({
      pool,
      ...metricsOf(context, pool, inference.compute.clusterName),
    }));
    const operations = [
      [
        graph('API Gateway: requests and errors', [
          rest.metricCount({ period, statistic: 'Sum' }),
          rest.metricClientError({ period, statistic: 'Sum' }),
          rest.metricServerError({ period, statistic: 'Sum' }),
        ]),
        graph('API Gateway: latency', [
          rest.metricLatency({ period, statistic: 'p50' }),
          rest.metricLatency({ period, statistic: 'p95' }),
          rest.metricLatency({ period, statistic: 'p99' }),
        ]),
      ],
      ...pools.map(({ pool, visible, prefetched, running }) => [
        graph(`${pool}: jobs in queues`, [...visible, prefetched]),
        graph(`${pool}: tasks`, [running]),
      ]),
    ];
    new RegionDashboards(this, 'Dashboards', context, { operations });
  }
}

function metricsOf(context: RegionContext, pool: string, cluster: string) {
  return poolMetrics({ context, pool, cluster, service: serviceName(context.config.deployment, pool) });
}
