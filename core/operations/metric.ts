/** What a measure may be of. A region's is of nothing more. Ids only. */
export type Dimension = 'model' | 'version' | 'pool' | 'lane' | 'tenant' | 'check' | 'worker' | 'key';

export type MetricUnit = 'count' | 'share' | 'ms' | 's' | 'ratio' | 'usd' | 'days' | 'flag';

type Metric = {
  readonly unit: MetricUnit;
  /** All that it may be of; one with fewer is of all together. */
  readonly of: readonly Dimension[];
  readonly says: string;
};

const SERVED = ['model', 'version'] as const;
const QUEUE = ['pool', 'lane'] as const;

/** What is measured of a region once a minute. What cannot be told (of too little traffic, say) is not measured. */
export const METRICS = {
  requests: { unit: 'count', of: SERVED, says: 'Requests of the last minute' },
  error_rate: { unit: 'share', of: SERVED, says: 'Requests of the last 5 minutes that failed through us' },
  latency_p50_ms: { unit: 'ms', of: SERVED, says: 'Half of the last 5 minutes were answered within' },
  latency_p95_ms: { unit: 'ms', of: SERVED, says: '95 % of the last 5 minutes were answered within' },
  latency_p99_ms: { unit: 'ms', of: SERVED, says: '99 % of the last 5 minutes were answered within' },
  error_budget_burn_5m: { unit: 'ratio', of: ['model'], says: 'Error budget of 5 minutes, spent so many times' },
  error_budget_burn_30m: { unit: 'ratio', of: ['model'], says: 'Error budget of 30 minutes, spent so many times' },
  error_budget_burn_1h: { unit: 'ratio', of: ['model'], says: 'Error budget of an hour, spent so many times' },
  error_budget_burn_6h: { unit: 'ratio', of: ['model'], says: 'Error budget of 6 hours, spent so many times' },
  traffic_share: { unit: 'share', of: ['model'], says: 'Requests of 15 minutes, of what usually come then' },
  queue_depth: { unit: 'count', of: QUEUE, says: 'Jobs that wait' },
  queue_oldest_s: { unit: 's', of: QUEUE, says: 'How long the oldest of them has waited' },
  workers: { unit: 'count', of: ['pool'], says: 'Workers that report and take work' },
  runners: { unit: 'count', of: ['pool'], says: 'Runners of these workers' },
  jobs_without_workers: { unit: 'count', of: ['pool'], says: 'Jobs that wait in a pool without workers' },
  runners_busy_share: { unit: 'share', of: ['pool', 'worker'], says: 'Runners that are at work' },
  runner_memory_bytes: { unit: 'count', of: ['pool'], says: 'Resident memory of the runners, in bytes' },
  runner_cpu_share: { unit: 'share', of: ['pool'], says: 'CPU that runners take, of a core for each' },
  gpu_busy_share: { unit: 'share', of: ['pool'], says: 'Utilization of the GPUs, as their driver tells it' },
  gpu_memory_share: { unit: 'share', of: ['pool'], says: 'Memory of the GPUs that is taken' },
  cold_start_s: { unit: 's', of: ['pool'], says: 'How long jobs have waited for the first worker of their pool' },
  dead_letters: { unit: 'count', of: QUEUE, says: 'Messages that nobody could handle' },
  drift_value: { unit: 'ratio', of: [...SERVED, 'check'], says: 'Distance of what is seen from the reference' },
  /** 1 once drift has held for as many windows as an alarm needs, else 0. */
  drift_alarming: { unit: 'flag', of: SERVED, says: 'The version has drifted from its reference' },
  missing_classes: { unit: 'count', of: SERVED, says: 'Labels of the reference that are predicted no more' },
  feedback_accuracy: { unit: 'share', of: SERVED, says: 'Predictions that feedback calls right' },
  /** 1 from the first of the shares on at which a budget is to be told, else 0. */
  budget_alarming: { unit: 'flag', of: ['model', 'tenant'], says: 'A budget is to be told of' },
  /** More than 1: over it. */
  budget_spent_share: { unit: 'share', of: ['model', 'tenant'], says: 'Spent of a budget' },
  cost_today_usd: { unit: 'usd', of: ['model', 'tenant', 'pool'], says: 'Compute since midnight UTC' },
  idle_share: { unit: 'share', of: ['pool'], says: 'Paid time of runners in which nothing ran' },
  /** Less than 0: over. */
  key_days_left: { unit: 'days', of: ['key'], says: 'Until a key expires' },
  check_failed: { unit: 'flag', of: ['check'], says: 'The last synthetic check failed' },
  check_ms: { unit: 'ms', of: ['check'], says: 'How long the last synthetic check took' },
  telemetry_age_s: { unit: 's', of: [], says: 'How far what is kept is behind what was counted' },
  /** 1 where its chain does not hold, else 0. */
  audit_broken: { unit: 'flag', of: [], says: 'The audit log was changed or cut' },
  watch_age_s: { unit: 's', of: [], says: 'How long ago the region was measured before this' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** One number of one minute. Names and ids only: never label text, payload or a secret. */
export type Measure = {
  readonly metric: MetricName;
  readonly of: Readonly<Partial<Record<Dimension, string>>>;
  readonly value: number;
};

/** What a metric is and may be of. */
export function metricOf(name: MetricName): Metric {
  return METRICS[name];
}
