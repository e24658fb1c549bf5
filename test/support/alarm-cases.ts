import { type AlarmId, type AlarmRule, ruleOf } from '../../core/operations/alarms.ts';
import { type MetricName, metricOf } from '../../core/operations/metric.ts';

/** A gauge by minute, what it is, in its own unit, and for how many minutes. */
export type Series = {
  readonly metric: MetricName;
  readonly of: Readonly<Record<string, string>>;
  readonly runs: readonly (readonly [value: number | 'gone', minutes: number])[];
};
export type Case = {
  readonly name: string;
  readonly series: readonly Series[];
  readonly atMinute: number;
  readonly fires: boolean;
};

/** Every rule: beyond its threshold for its time, not as long, not as far, of something else, and over again. */
export function casesOf(id: AlarmId): readonly Case[] {
  const rule = ruleOf(id);
  const { forMinutes, clearsAfterMinutes, noData, metrics } = rule;
  const [beyond, within] = valuesOf(rule);
  const steady = (value: number | 'gone', minutes: number) => allOf(rule, [[value, minutes]]);
  const overAt = forMinutes + 4;
  const over = allOf(rule, [
    [beyond, overAt],
    [within, 60],
  ]);
  const cases: Case[] = [
    { name: 'beyond for its time', series: steady(beyond, 60), atMinute: forMinutes + 2, fires: true },
    { name: 'within', series: steady(within, 60), atMinute: 50, fires: false },
    {
      name: 'over, and not for long',
      series: over,
      atMinute: overAt + Math.max(0, clearsAfterMinutes - 2),
      fires: clearsAfterMinutes > 0,
    },
    { name: 'over for long', series: over, atMinute: overAt + clearsAfterMinutes + 2, fires: false },
  ];
  if (forMinutes > 1)
    cases.push({ name: 'not for its time', series: steady(beyond, 60), atMinute: forMinutes - 1, fires: false });
  const elsewhere = otherThan(rule, beyond);
  if (elsewhere !== undefined) cases.push({ name: 'of something else', series: elsewhere, atMinute: 50, fires: false });
  for (const metric of metrics.length > 1 ? metrics : []) {
    const one = steady(beyond, 60).map((series) =>
      series.metric === metric ? { ...series, runs: [[within, 60] as const] } : series,
    );
    cases.push({ name: `all but ${metric}`, series: one, atMinute: 50, fires: false });
  }
  const gone = allOf(rule, [
    [beyond, overAt],
    ['gone', 60],
  ]);
  cases.push({ name: 'measured no more', series: gone, atMinute: overAt + 30, fires: noData !== 'ok' });
  if (noData === 'keep')
    cases.push({
      name: 'measured no more for long',
      series: gone,
      atMinute: overAt + 6 * 60 + clearsAfterMinutes + 2,
      fires: false,
    });
  if (noData !== 'alarm') cases.push({ name: 'never measured', series: [], atMinute: 50, fires: false });
  else cases.push({ name: 'never measured', series: [], atMinute: forMinutes + 2, fires: true });
  return cases;
}

/** A value that just is an alarm, and one that just is none. */
function valuesOf({ is, threshold }: AlarmRule): readonly [number, number] {
  return is === 'below' ? [threshold * 0.999, threshold] : [threshold, threshold * 0.999];
}

function allOf(rule: AlarmRule, runs: Series['runs']): readonly Series[] {
  return rule.metrics.map((metric) => ({ metric, of: labelsOf(rule), runs }));
}

function labelsOf({ by, where = {}, metrics }: AlarmRule): Readonly<Record<string, string>> {
  const dimensions = by === 'any' ? metricOf(metrics[0]).of.slice(0, 1) : by;
  return Object.fromEntries(dimensions.map((dimension) => [dimension, where[dimension] ?? `some-${dimension}`]));
}

/** The same metric of another scope, or of what the rule leaves out. */
function otherThan(rule: AlarmRule, value: number): readonly Series[] | undefined {
  const { by, where = {}, metrics } = rule;
  if (by === 'any') return undefined;
  const runs = [[value, 60]] as const;
  if (Object.keys(where).length > 0)
    return metrics.map((metric) => ({ metric, of: { ...labelsOf(rule), lane: 'another' }, runs }));
  const missing = metricOf(metrics[0]).of.find((dimension) => !by.includes(dimension));
  if (missing !== undefined)
    return metrics.map((metric) => ({ metric, of: { ...labelsOf(rule), [missing]: 'some' }, runs }));
  return by.length === 0 ? undefined : metrics.map((metric) => ({ metric, of: {}, runs }));
}
