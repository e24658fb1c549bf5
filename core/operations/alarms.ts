import type { Dimension, Measure, MetricName } from './metric.ts';

/**
 * When people are told. Every alarm is a section of docs/runbook.md with its name, a rule in docs/prometheus/rules.yml, an alarm of the
 * embedded host and one in CloudWatch.
 */
export type AlarmRule = {
  /** `page` wakes somebody; a `ticket` is read in the morning. */
  readonly severity: 'page' | 'ticket';
  /** All of them are beyond the threshold at once. */
  readonly metrics: readonly [MetricName, ...MetricName[]];
  /** Each of these by itself; `any`: whatever the metric is of. */
  readonly by: readonly Dimension[] | 'any';
  readonly where?: Readonly<Partial<Record<Dimension, string>>>;
  readonly is: 'at-least' | 'below';
  readonly threshold: number;
  /** How long it must hold; 0: once is enough. */
  readonly forMinutes: number;
  /** How long it must have been over before the alarm ends. */
  readonly clearsAfterMinutes: number;
  /**
   * Of a minute without a measure: `ok`, nothing is wrong; `keep`, an alarm stays for six hours until a measure says otherwise; `alarm`, that
   * is wrong too.
   */
  readonly noData: 'ok' | 'keep' | 'alarm';
  /** `aws`: CloudWatch has a metric of AWS's own that sees more, and its alarm stands on that. */
  readonly cloudWatch: 'measures' | 'aws';
  readonly says: string;
};

export const ALARM_RULES = {
  'server-errors': {
    ...at('error_rate', 0.02, []),
    severity: 'page',
    forMinutes: 5,
    cloudWatch: 'aws',
    says: '2 % of answers or more are errors of ours',
  },
  'slow-answers': {
    ...at('latency_p95_ms', 5000, []),
    severity: 'page',
    forMinutes: 5,
    cloudWatch: 'aws',
    says: 'Of a hundred answers five take 5000 ms or longer',
  },
  'slow-version': {
    ...at('latency_p95_ms', 5000, ['model', 'version']),
    forMinutes: 10,
    says: 'Of a hundred answers of one version five take 5000 ms or longer',
  },
  'error-budget-fast': {
    ...at('error_budget_burn_5m', 14.4, ['model']),
    metrics: ['error_budget_burn_5m', 'error_budget_burn_1h'],
    severity: 'page',
    forMinutes: 2,
    says: 'A model fails so often that 2 % of the month’s error budget go in an hour',
  },
  'error-budget-slow': {
    ...at('error_budget_burn_30m', 6, ['model']),
    metrics: ['error_budget_burn_30m', 'error_budget_burn_6h'],
    severity: 'page',
    forMinutes: 5,
    says: 'A model fails so often that 5 % of the month’s error budget go in six hours',
  },
  'no-traffic': {
    ...at('traffic_share', 0.1, []),
    is: 'below',
    severity: 'page',
    forMinutes: 10,
    noData: 'keep',
    says: 'Nearly nobody calls, at a time when many do',
  },
  'no-traffic-of-model': {
    ...at('traffic_share', 0.1, ['model']),
    is: 'below',
    forMinutes: 30,
    noData: 'keep',
    says: 'Nearly nobody calls a model, at a time when many do',
  },
  saturation: {
    ...at('runners_busy_share', 0.95, ['pool']),
    forMinutes: 15,
    says: 'All runners of a pool have been at work for a quarter of an hour',
  },
  'queue-age': {
    ...at('queue_oldest_s', 60, ['pool', 'lane']),
    where: { lane: 'interactive' },
    severity: 'page',
    forMinutes: 5,
    cloudWatch: 'aws',
    says: 'A job for which somebody waits is 60 s old or older',
  },
  'batch-queue-age': {
    ...at('queue_oldest_s', 3600, ['pool', 'lane']),
    where: { lane: 'bulk' },
    forMinutes: 5,
    cloudWatch: 'aws',
    says: 'A job of a batch is an hour old or older',
  },
  'dead-letters': {
    ...at('dead_letters', 1, ['pool', 'lane']),
    severity: 'page',
    forMinutes: 0,
    clearsAfterMinutes: 0,
    says: 'Jobs that nobody could handle',
  },
  'no-workers': {
    ...at('jobs_without_workers', 1, ['pool']),
    severity: 'page',
    forMinutes: 10,
    cloudWatch: 'aws',
    says: 'Jobs have waited for ten minutes and no worker runs',
  },
  'cold-start': {
    ...at('cold_start_s', 300, ['pool']),
    forMinutes: 0,
    says: 'Jobs have waited for five minutes for the first worker of their pool',
  },
  drift: {
    ...at('drift_alarming', 1, ['model', 'version']),
    forMinutes: 0,
    noData: 'keep',
    says: 'What a version is asked or answers has moved away from its reference',
  },
  'missing-class': {
    ...at('missing_classes', 1, ['model', 'version']),
    forMinutes: 0,
    noData: 'keep',
    says: 'A label of the reference is predicted no more',
  },
  'budget-near': {
    ...at('budget_alarming', 1, 'any'),
    forMinutes: 0,
    says: 'So much of a budget is spent that it is to be told: four fifths, unless it names other shares',
  },
  'budget-spent': {
    ...at('budget_spent_share', 1, 'any'),
    forMinutes: 0,
    says: 'A budget is spent',
  },
  'key-expiry': {
    ...at('key_days_left', 14, ['key']),
    is: 'below',
    forMinutes: 0,
    says: 'A key of an operator expires within two weeks',
  },
  'check-failed': {
    ...at('check_failed', 1, ['check']),
    severity: 'page',
    forMinutes: 2,
    says: 'The region does not answer its own checks as it should',
  },
  'audit-broken': {
    ...at('audit_broken', 1, []),
    severity: 'page',
    forMinutes: 0,
    noData: 'keep',
    says: 'The audit log was changed or cut by somebody',
  },
  'telemetry-stale': {
    ...at('telemetry_age_s', 600, []),
    forMinutes: 5,
    cloudWatch: 'aws',
    says: 'Requests are answered and nothing is counted: every other alarm about them is blind',
  },
  'watch-stalled': {
    ...at('watch_age_s', 300, []),
    severity: 'page',
    forMinutes: 0,
    noData: 'alarm',
    says: 'Nothing has been measured for five minutes: every other alarm is blind',
  },
} as const satisfies Readonly<Record<string, AlarmRule>>;

export type AlarmId = keyof typeof ALARM_RULES;

export const ALARM_IDS = Object.keys(ALARM_RULES) as readonly AlarmId[];

/** Alarms that there are in AWS alone, of what only AWS has. */
export const AWS_ALARMS = ['throttled-functions', 'failed-invocations', 'release-clock'] as const;

export function ruleOf(id: AlarmId): AlarmRule {
  return ALARM_RULES[id];
}

export function isAlarmId(id: string): id is AlarmId {
  return Object.hasOwn(ALARM_RULES, id);
}

/** What a rule sees in a minute's measures, by what it is of: the value nearest to its threshold, as all have to be beyond. */
export function valuesOf(rule: AlarmRule, measures: readonly Measure[]): readonly Pick<Measure, 'of' | 'value'>[] {
  const [first, ...others] = rule.metrics;
  const found = measures.filter(({ metric, of }) => metric === first && isOf(rule, of));
  return found.flatMap(({ of, value }) => {
    const key = keyOf(of);
    const more = others.map((name) =>
      measures.find(({ metric, of: other }) => metric === name && keyOf(other) === key),
    );
    if (more.includes(undefined)) return [];
    const values = [value, ...more.map((measure) => measure!.value)];
    return [{ of, value: rule.is === 'below' ? Math.max(...values) : Math.min(...values) }];
  });
}

/** True if a value is one of which people are told. */
export function isBreach({ is, threshold }: Pick<AlarmRule, 'is' | 'threshold'>, value: number): boolean {
  return is === 'below' ? value < threshold : value >= threshold;
}

/** The same of what is of the same, in whatever order. */
export function keyOf(of: Measure['of']): string {
  return Object.entries(of)
    .map(([dimension, name]) => `${dimension}=${name}`)
    .sort()
    .join(',');
}

function isOf({ by, where = {} }: AlarmRule, of: Measure['of']): boolean {
  const isThere = Object.entries(where).every(([dimension, name]) => of[dimension as Dimension] === name);
  if (!isThere || by === 'any') return isThere;
  return Object.keys(of).length === by.length && by.every((dimension) => of[dimension] !== undefined);
}

/** What most alarms are like. */
function at(metric: MetricName, threshold: number, by: AlarmRule['by']) {
  const usual = {
    severity: 'ticket',
    is: 'at-least',
    clearsAfterMinutes: 5,
    noData: 'ok',
    cloudWatch: 'measures',
  } as const;
  return { ...usual, metrics: [metric], threshold, by } as const;
}
