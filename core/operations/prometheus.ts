import { DAY_MS, SECOND_MS } from '../units.ts';
import { isOn } from './list-alarms.ts';
import { METRICS, type MetricName, metricOf } from './metric.ts';
import { LATENCY_BOUNDS_S, type ProcessCounters, type VersionCounters } from './process-counters.ts';
import type { WatchRecord } from './watch-record.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly suffix?: string; readonly labels: Labels; readonly value: number };
type Family = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
};

/** What is measured is not shown once it is so old: a value of an hour ago would be taken for that of now. */
const FRESH_MS = 5 * 60 * SECOND_MS;

/** As Prometheus calls a metric, in the base unit that it wants. */
export function prometheusName(metric: MetricName): string {
  return `sluice_${metric.replace(/_ms$|_s$/, '_seconds').replace('_days_left', '_left_seconds')}`;
}

/** A value in that unit. */
export function prometheusValue(metric: MetricName, value: number): number {
  const { unit } = metricOf(metric);
  if (unit === 'ms') return value / SECOND_MS;
  return unit === 'days' ? (value * DAY_MS) / SECOND_MS : value;
}

/** The text that a Prometheus scrapes (exposition format 0.0.4): what this process counted, and what was measured last. */
export function prometheusText(
  region: string,
  counters: ProcessCounters,
  record: WatchRecord | undefined,
  nowMs: number,
): string {
  const families = [...countersOf(counters), ...(record === undefined ? [] : gaugesOf(record, nowMs))];
  return families.map((family) => render(family, region)).join('');
}

function countersOf(counters: ProcessCounters): readonly Family[] {
  const versions = [...counters.versions()];
  const counter = (name: string, help: string, value: (version: VersionCounters) => number): Family => ({
    name: `sluice_${name}_total`,
    type: 'counter',
    help,
    samples: versions.map((version) => ({ labels: labelsOf(version), value: value(version) })),
  });
  const { named, other } = counters.tenants.totals();
  return [
    counter('requests', 'Requests that a version answered or failed at', ({ requests }) => requests),
    {
      ...counter('request_errors', 'Requests that ended in an error, by its code', () => 0),
      samples: versions.flatMap((version) =>
        [...version.errors].map(([code, value]) => ({ labels: { ...labelsOf(version), code }, value })),
      ),
    },
    counter('cache_hits', 'Requests that were answered from the cache', ({ cacheHits }) => cacheHits),
    counter('fallbacks', 'Requests that a fallback answered', ({ fallbacks }) => fallbacks),
    counter('runner_crashes', 'Runners that a version killed', ({ crashes }) => crashes),
    counter('rows', 'Rows that were computed', ({ rows }) => rows),
    counter('compute_seconds', 'Time of runners that was spent on them', ({ computeS }) => computeS),
    {
      name: 'sluice_request_duration_seconds',
      type: 'histogram',
      help: 'From admission to the answer',
      samples: versions.flatMap(histogramOf),
    },
    {
      name: 'sluice_tenant_requests_total',
      type: 'counter',
      help: 'Requests of the 20 tenants who call most; of all others as other="yes"',
      samples: [
        ...named.map(([tenant, value]) => ({ labels: { tenant }, value })),
        { labels: { tenant: '', other: 'yes' }, value: other },
      ],
    },
  ];
}

function histogramOf(version: VersionCounters): readonly Sample[] {
  const labels = labelsOf(version);
  let seen = 0;
  const buckets = version.latencies.map((count, at) => {
    seen += count;
    const le = at < LATENCY_BOUNDS_S.length ? String(LATENCY_BOUNDS_S[at]) : '+Inf';
    return { suffix: '_bucket', labels: { ...labels, le }, value: seen };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: version.latencySumS },
    { suffix: '_count', labels, value: seen },
  ];
}

function gaugesOf(record: WatchRecord, nowMs: number): readonly Family[] {
  const ageMs = nowMs - record.atMs;
  const age: Family = {
    name: prometheusName('watch_age_s'),
    type: 'gauge',
    help: metricOf('watch_age_s').says,
    samples: [{ labels: {}, value: Math.max(0, ageMs) / SECOND_MS }],
  };
  if (ageMs > FRESH_MS) return [age];
  const gauges = (Object.keys(METRICS) as MetricName[])
    .filter((metric) => metric !== 'watch_age_s')
    .map(
      (metric): Family => ({
        name: prometheusName(metric),
        type: 'gauge',
        help: metricOf(metric).says,
        samples: record.measures
          .filter((measure) => measure.metric === metric)
          .map(({ of, value }) => ({ labels: of, value: prometheusValue(metric, value) })),
      }),
    );
  const alarms: Family = {
    name: 'sluice_alarm',
    type: 'gauge',
    help: 'Alarms of this host: 1 while they are on',
    samples: record.alarms.map((alarm) => ({ labels: { alarm: alarm.id, ...alarm.of }, value: isOn(alarm) ? 1 : 0 })),
  };
  return [age, ...gauges, alarms];
}

function labelsOf({ model, version }: VersionCounters): Labels {
  return { model, version };
}

function render({ name, type, help, samples }: Family, region: string): string {
  if (samples.length === 0) return '';
  const lines = samples.map(
    ({ suffix = '', labels, value }) => `${name}${suffix}${renderLabels({ region, ...labels })} ${value}`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

/** An empty label is no label to Prometheus. */
function renderLabels(labels: Labels): string {
  const set = Object.entries(labels).filter(([, value]) => value !== '');
  return `{${set.map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
