import type { z } from 'zod';
import { failuresOf } from '../operations/measure-serving.ts';
import type { Overview } from '../operations/read-overview.ts';
import type { RegionConfig } from '../ports/platform.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { CONFIDENCE_BINS } from '../quality/confidence.ts';
import type { Metrics } from '../quality/read-metrics.ts';
import { Sketch } from '../quality/sketch.ts';
import { compareHistograms } from '../release/compare-histograms.ts';
import { SECOND_MS } from '../units.ts';
import { alarmToJson } from './alarm-json.ts';
import type { metricsJson, overviewJson } from './metrics-schemas.ts';
import type { TimeSpan } from './time-span.ts';

export type MetricsJson = z.infer<typeof metricsJson>;
export type OverviewJson = z.infer<typeof overviewJson>;

/** Labels that are shown, and tenants. */
const SHOWN = 20;

export function metricsToJson(model: string, { version, steps, total }: Metrics, span: TimeSpan): MetricsJson {
  const labels = total.labels.top(SHOWN).top.map(([label]) => label);
  const { top, other } = total.tenants.top(SHOWN);
  const tenants = top.map(([tenant, requests]) => ({ tenant, requests }));
  return {
    model,
    version,
    from: isoOf(span.fromMs),
    until: isoOf(span.untilMs),
    step_s: span.stepMs / SECOND_MS,
    items: steps.map(({ startMs, telemetry }) => ({ at: isoOf(startMs), ...figuresOf(telemetry, labels) })),
    total: {
      ...figuresOf(total, labels),
      latency_histogram: compareHistograms(total.latencyMs, new Sketch()).map(({ from, until, stable }) => ({
        from_ms: from,
        until_ms: until,
        count: stable,
      })),
      confidence_histogram: total.confidence.bins.map((count, bin) => ({
        from: bin / CONFIDENCE_BINS,
        until: (bin + 1) / CONFIDENCE_BINS,
        count,
      })),
      tenants: other > 0 ? [...tenants, { tenant: 'other', requests: other }] : tenants,
    },
  };
}

export function overviewToJson(
  overview: Overview,
  { region, runbookUrl }: Pick<RegionConfig, 'region' | 'runbookUrl'>,
): OverviewJson {
  const { atMs, recent, queues, releases } = overview;
  return {
    region,
    at: isoOf(atMs),
    requests_per_s: overview.requestsPerS,
    requests_last_hour: overview.requestsLastHour,
    p50_ms: recent.latencyMs.quantile(0.5) ?? null,
    p95_ms: recent.latencyMs.quantile(0.95) ?? null,
    error_rate: shareOf(failuresOf(recent), recent.requests),
    cost_today_usd: overview.costTodayUsd,
    queues: queues.map(({ pool, lane, depth, oldestMs }) => ({
      pool,
      lane,
      depth,
      oldest_s: oldestMs === undefined ? null : oldestMs / SECOND_MS,
    })),
    workers: overview.workers,
    runners: overview.runners,
    busy_share: shareOf(overview.busy, overview.runners),
    active_releases: releases.map(({ weightPercent, ...release }) => ({ ...release, weight_percent: weightPercent })),
    alarms: overview.alarms.map((alarm) => alarmToJson(alarm, runbookUrl)),
    series: overview.minutes.map(({ startMs, telemetry }) => ({
      at: isoOf(startMs),
      requests: telemetry.requests,
      errors: failuresOf(telemetry),
      p95_ms: telemetry.latencyMs.quantile(0.95) ?? null,
    })),
  };
}

function figuresOf(telemetry: Telemetry, shown: readonly string[]): Omit<MetricsJson['items'][number], 'at'> {
  const { requests, latencyMs, batchRows, labels, confidence } = telemetry;
  const errors = failuresOf(telemetry);
  const all = labels.total;
  const seen = shown.filter((label) => labels.get(label) > 0);
  return {
    requests,
    errors,
    error_rate: shareOf(errors, requests),
    errors_by_code: Object.fromEntries(telemetry.errors),
    p50_ms: latencyMs.quantile(0.5) ?? null,
    p95_ms: latencyMs.quantile(0.95) ?? null,
    p99_ms: latencyMs.quantile(0.99) ?? null,
    queue_p95_ms: telemetry.queueMs.quantile(0.95) ?? null,
    batch_rows_mean: batchRows.count === 0 ? null : batchRows.sum / batchRows.count,
    rows: telemetry.rows,
    compute_ms: telemetry.computeMs,
    cache_hits: telemetry.cacheHits,
    fallbacks: telemetry.fallbacks,
    crashes: telemetry.crashes,
    labels: Object.fromEntries(seen.map((label) => [label, labels.get(label) / all])),
    confidence_mean: meanOf(confidence.bins),
    input_elements_p95: telemetry.inputElements.quantile(0.95) ?? null,
  };
}

/** Of the middles of the bins: within half a bin, 0.025. */
function meanOf(bins: readonly number[]): number | null {
  const count = bins.reduce((sum, of) => sum + of, 0);
  const sum = bins.reduce((total, of, bin) => total + (of * (bin + 0.5)) / CONFIDENCE_BINS, 0);
  return count === 0 ? null : sum / count;
}

function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
