import { z } from 'zod';
import { alarmJson } from './alarm-json.ts';
import { PARAMS } from './params.ts';
import { spanQuery } from './time-span.ts';

/** What versions did, as the control plane shows it. Names are snake_case; times are ISO 8601. A figure of nothing is null. */
const at = z.iso.datetime();
const count = z.number().min(0);
const figure = z.number().nullable();
const share = z.number().min(0).max(1).nullable();

export const metricsQuery = z.strictObject({
  /** Default: the stable one. */
  version: PARAMS.version.schema.optional(),
  ...spanQuery.shape,
});

const figures = {
  requests: count,
  /** Requests that failed through us: mistakes of callers, refusals and quotas are none. */
  errors: count,
  error_rate: share,
  /** All failures by code, those of callers too. */
  errors_by_code: z.record(z.string(), count),
  p50_ms: figure,
  p95_ms: figure,
  p99_ms: figure,
  queue_p95_ms: figure,
  batch_rows_mean: figure,
  rows: count,
  compute_ms: count,
  cache_hits: count,
  fallbacks: count,
  crashes: count,
  /** Share of each label: of the 20 most frequent in all of the span, the same in every step. */
  labels: z.record(z.string(), z.number()),
  confidence_mean: figure,
  input_elements_p95: figure,
};

const bin = z.strictObject({ from: z.number(), until: z.number(), count });
const metricsStepJson = z.strictObject({ at, ...figures }).meta({ id: 'MetricsStep' });

export const metricsJson = z
  .strictObject({
    model: z.string(),
    version: z.string(),
    from: at,
    until: at,
    step_s: z.number(),
    /** In order; steps without anything are left out. */
    items: z.array(metricsStepJson),
    total: z.strictObject({
      ...figures,
      latency_histogram: z.array(z.strictObject({ from_ms: z.number(), until_ms: z.number(), count })),
      confidence_histogram: z.array(bin),
      /** The 20 with the most requests, then `other` of all the rest, if any. */
      tenants: z.array(z.strictObject({ tenant: z.string(), requests: count })),
    }),
  })
  .meta({ id: 'Metrics' });

export const overviewJson = z
  .strictObject({
    region: z.string(),
    at,
    /** Over the last minute. */
    requests_per_s: z.number(),
    requests_last_hour: count,
    /** Over the last five minutes, as the error rate. */
    p50_ms: figure,
    p95_ms: figure,
    error_rate: share,
    /** Since midnight UTC, up to a minute old. */
    cost_today_usd: z.number(),
    queues: z.array(z.strictObject({ pool: z.string(), lane: z.string(), depth: count, oldest_s: figure })),
    workers: count,
    runners: count,
    busy_share: share,
    active_releases: z.array(
      z.strictObject({
        release: z.string(),
        model: z.string(),
        phase: z.string(),
        /** From 1. */
        step: z.number(),
        candidate: z.string(),
        stable: z.string(),
        weight_percent: z.number(),
      }),
    ),
    /** All, those that are on first. */
    alarms: z.array(alarmJson),
    /** The last sixty minutes, those without requests left out. */
    series: z.array(z.strictObject({ at, requests: count, errors: count, p95_ms: figure })),
  })
  .meta({ id: 'Overview' });
