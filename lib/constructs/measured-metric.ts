import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmId } from '../../core/operations/alarms.ts';
import type { Dimension, MetricName } from '../../core/operations/metric.ts';
import { ALARM_METRIC, dimensionName } from '../../core/operations/publish.ts';
import type { RegionContext } from '../region-context.ts';
import { METRICS_NAMESPACE } from './pool-metrics.ts';

/** Numbers come once a minute. */
const PERIOD = Duration.minutes(1);

/** On what an alarm stands: the worst of all that it is of. */
export function alarmMetric({ config, region }: RegionContext, id: AlarmId): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: ALARM_METRIC,
    dimensionsMap: { Deployment: config.deployment, Region: region, Alarm: id },
    statistic: 'Maximum',
    period: PERIOD,
  });
}

/** A metric of the region, or of each pool, model or check that there is when somebody looks. */
export function measuredMetric(
  { config, region }: RegionContext,
  metric: MetricName,
  by: readonly Dimension[] = [],
): IMetric {
  const ofRegion = { Deployment: config.deployment, Region: region };
  if (by.length === 0) {
    const dimensionsMap = ofRegion;
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: metric,
      dimensionsMap,
      statistic: 'Average',
      period: PERIOD,
    });
  }
  const schema = [METRICS_NAMESPACE, ...Object.keys(ofRegion), ...by.map(dimensionName)].join(',');
  const terms = Object.entries({ MetricName: metric, ...ofRegion }).map(([name, value]) => `${name}="${value}"`);
  return new MathExpression({
    expression: `SEARCH('{${schema}} ${terms.join(' ')}', 'Average', ${PERIOD.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period: PERIOD,
  });
}
