/** What is measured of a region once a minute. The unit is the last word of a name; of those without one it is beside them. */
export const METRICS = {
  /** Of the minute that has ended. */
  requests: { unit: 'count', says: 'Requests that were assigned to a version' },
  /** Errors of ours: no refusals, no mistakes of the caller. */
  error_rate: { unit: 'share', says: 'Requests that failed through us' },
  latency_p50_ms: { unit: 'ms', says: 'Half of the requests are answered within' },
  latency_p95_ms: { unit: 'ms', says: 'Ninety-five of a hundred requests are answered within' },
  latency_p99_ms: { unit: 'ms', says: 'Ninety-nine of a hundred requests are answered within' },
  error_budget_burn_5m: { unit: 'ratio', says: 'How many times too fast the error budget was spent in 5 minutes' },
  error_budget_burn_30m: { unit: 'ratio', says: 'How many times too fast the error budget was spent in 30 minutes' },
  error_budget_burn_1h: { unit: 'ratio', says: 'How many times too fast the error budget was spent in an hour' },
  error_budget_burn_6h: { unit: 'ratio', says: 'How many times too fast the error budget was spent in 6 hours' },
  queue_depth: { unit: 'count', says: 'Jobs that wait in a queue' },
  queue_oldest_s: { unit: 's', says: 'How long the job at the head of a queue has waited' },
  workers: { unit: 'count', says: 'Workers that report' },
  runners_busy_share: { unit: 'share', says: 'Runners of a pool that work' },
  dead_letters: { unit: 'count', says: 'Messages that nobody could handle' },
  drift_value: { unit: 'ratio', says: 'Distance from the reference' },
  /** 1 where drift has held for as many windows as an alarm needs, 0 where not. */
  drift_alarming: { unit: 'flag', says: 'The version has drifted from its reference' },
  missing_classes: { unit: 'count', says: 'Labels of the reference that are predicted no more' },
  feedback_accuracy: { unit: 'share', says: 'Predictions that feedback calls right' },
  budget_spent_share: { unit: 'share', says: 'Spent of a budget; more than 1 is over it' },
  cost_today_usd: { unit: 'usd', says: 'Cost of compute since midnight UTC' },
  cold_start_s: { unit: 's', says: 'From a wake to the first worker that reports' },
  key_days_left: { unit: 'days', says: 'Until a key or certificate expires' },
  check_failed: { unit: 'flag', says: 'The last synthetic check failed' },
  check_ms: { unit: 'ms', says: 'How long the last synthetic check took' },
  idle_share: { unit: 'share', says: 'Paid runner time in which nothing ran' },
  telemetry_age_s: { unit: 's', says: 'Age of the newest telemetry of a version that is called' },
  /** 1 where the chain of the audit log does not hold, 0 where it does. */
  audit_broken: { unit: 'flag', says: 'The audit log has been changed or cut' },
} as const satisfies Record<string, { readonly unit: MetricUnit; readonly says: string }>;

export type MetricName = keyof typeof METRICS;
export type MetricUnit = 'count' | 'share' | 'ms' | 's' | 'ratio' | 'usd' | 'days' | 'flag';

/** Of what a measure is. A region's has none. */
export type Dimension = 'model' | 'version' | 'pool' | 'lane' | 'tenant' | 'check' | 'worker';

/** One number of one minute. Names and ids only: never label text, payload or a secret. */
export type Measure = {
  readonly metric: MetricName;
  readonly of: Readonly<Partial<Record<Dimension, string>>>;
  readonly value: number;
};
