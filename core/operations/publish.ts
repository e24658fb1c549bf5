import { ALARM_IDS, type AlarmId, ruleOf, valuesOf } from './alarms.ts';
import { type Dimension, type Measure, type MetricName, type MetricUnit, metricOf } from './metric.ts';

/** The metric on which CloudWatch's alarms stand, by the dimension `Alarm`. */
export const ALARM_METRIC = 'alarm_value';

/** Models that have metrics of their own, the busiest: each metric of each costs 0.30 dollars a month. */
const MOST_MODELS = 10;
const MODEL_METRICS: ReadonlySet<MetricName> = new Set([
  'requests',
  'error_rate',
  'latency_p95_ms',
  'feedback_accuracy',
]);
/** Of these a model's is the worst of its versions. */
const WORST_METRICS = ['drift_value', 'missing_classes'] as const satisfies readonly MetricName[];
/** Of what else there are only a few, whatever the customers do. */
const FEW: ReadonlySet<Dimension> = new Set(['pool', 'lane', 'check']);

/** A number for CloudWatch, of the region and these dimensions. */
export type Published = {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
};

/**
 * What of a minute is published: of each alarm the value that is nearest to its threshold or farthest beyond, whatever it is of; and the region's, pools',
 * checks' and ten busiest models' numbers for dashboards. Bounded: never by tenant, version, worker or key.
 */
export function publishedOf(measures: readonly Measure[]): readonly Published[] {
  const alarms = ALARM_IDS.filter((id) => ruleOf(id).cloudWatch === 'measures').flatMap((id): readonly Published[] => {
    const value = worstOf(id, measures);
    const { unit } = metricOf(ruleOf(id).metrics[0]);
    return value === undefined ? [] : [{ name: ALARM_METRIC, unit, dimensions: { Alarm: id }, value }];
  });
  const busiest = busiestModels(measures);
  const shown = measures.filter((measure) => isShown(measure, busiest));
  return [
    ...alarms,
    ...[...shown, ...worstOfModels(measures, busiest)].map(({ metric, of, value }) => ({
      name: metric,
      unit: metricOf(metric).unit,
      dimensions: Object.fromEntries(Object.entries(of).map(([dimension, name]) => [dimensionName(dimension), name])),
      value,
    })),
  ];
}

/** As CloudWatch shows it: `Pool`. */
export function dimensionName(dimension: string): string {
  return `${dimension[0]!.toUpperCase()}${dimension.slice(1)}`;
}

/** Of all that an alarm is of, the value that is farthest beyond its threshold, or nearest to it. */
export function worstOf(id: AlarmId, measures: readonly Measure[]): number | undefined {
  const rule = ruleOf(id);
  const values = valuesOf(rule, measures).map(({ value }) => value);
  if (values.length === 0) return undefined;
  const worst = rule.is === 'below' ? Math.min(...values) : Math.max(...values);
  return worst;
}

function worstOfModels(measures: readonly Measure[], busiest: ReadonlySet<string>): readonly Measure[] {
  return [...busiest].flatMap((model) =>
    WORST_METRICS.flatMap((metric) => {
      const values = measures.filter((measure) => measure.metric === metric && measure.of.model === model);
      return values.length === 0
        ? []
        : [{ metric, of: { model }, value: Math.max(...values.map(({ value }) => value)) }];
    }),
  );
}

function busiestModels(measures: readonly Measure[]): ReadonlySet<string> {
  const ofModels = measures.filter(
    ({ metric, of }) => metric === 'requests' && of.model !== undefined && of.version === undefined,
  );
  const sorted = ofModels.toSorted((a, b) => b.value - a.value).slice(0, MOST_MODELS);
  return new Set(sorted.map(({ of }) => of.model!));
}

function isShown({ metric, of }: Measure, busiest: ReadonlySet<string>): boolean {
  const dimensions = Object.keys(of) as Dimension[];
  if (dimensions.every((dimension) => FEW.has(dimension))) return true;
  return dimensions.length === 1 && of.model !== undefined && busiest.has(of.model) && MODEL_METRICS.has(metric);
}
