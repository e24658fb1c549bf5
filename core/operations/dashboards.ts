import type { Dimension, MetricName } from './metric.ts';

/** A graph of some metrics of one unit, each of every pool, model or check if it says so, else of the region. */
export type Panel = {
  readonly title: string;
  readonly metrics: readonly MetricName[];
  readonly by?: readonly Dimension[];
};

export type DashboardDefinition = {
  readonly says: string;
  /** Rows of at most four panels. */
  readonly rows: readonly (readonly Panel[])[];
};

/** What one looks at: the same numbers that alarms stand on, and that the API answers with. */
export const DASHBOARDS = {
  operations: {
    says: 'Is it up, is it fast, what does it cost',
    rows: [
      [
        { title: 'Requests a minute', metrics: ['requests'] },
        { title: 'Errors of ours', metrics: ['error_rate'] },
        { title: 'Latency', metrics: ['latency_p50_ms', 'latency_p95_ms', 'latency_p99_ms'] },
        { title: 'Traffic, of what is usual', metrics: ['traffic_share'] },
      ],
      [
        { title: 'Jobs that wait', metrics: ['queue_depth'], by: ['pool', 'lane'] },
        { title: 'Workers', metrics: ['workers'], by: ['pool'] },
        { title: 'Runners at work', metrics: ['runners_busy_share'], by: ['pool'] },
        { title: 'Waiting for a first worker', metrics: ['cold_start_s'], by: ['pool'] },
      ],
      [
        { title: 'Checks that failed', metrics: ['check_failed'], by: ['check'] },
        { title: 'Time of checks', metrics: ['check_ms'], by: ['check'] },
        { title: 'Dead letters', metrics: ['dead_letters'], by: ['pool', 'lane'] },
        { title: 'Age of the watch', metrics: ['watch_age_s'] },
      ],
      [
        { title: 'Cost since midnight UTC', metrics: ['cost_today_usd'] },
        { title: 'Idle, of what is paid', metrics: ['idle_share'], by: ['pool'] },
      ],
    ],
  },
  'data-science': {
    says: 'Is the model still right',
    rows: [
      [
        { title: 'Requests a minute', metrics: ['requests'], by: ['model'] },
        { title: 'Errors', metrics: ['error_rate'], by: ['model'] },
        { title: 'Latency, p95', metrics: ['latency_p95_ms'], by: ['model'] },
      ],
      [
        { title: 'Right, of what feedback tells', metrics: ['feedback_accuracy'], by: ['model'] },
        { title: 'Farthest from the reference', metrics: ['drift_value'], by: ['model'] },
        { title: 'Labels predicted no more', metrics: ['missing_classes'], by: ['model'] },
      ],
    ],
  },
} as const satisfies Readonly<Record<string, DashboardDefinition>>;

export type DashboardName = keyof typeof DASHBOARDS;

export function dashboardOf(name: DashboardName): DashboardDefinition {
  return DASHBOARDS[name];
}
