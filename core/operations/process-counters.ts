import type { FailureCode } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { TelemetryItem } from '../ports/telemetry.ts';
import { MINUTE_MS, SECOND_MS } from '../units.ts';
import type { Measure } from './metric.ts';
import { TopTenants } from './top-tenants.ts';

/** Upper bounds in seconds. A latency is known within 1.9 %, so that it may stand in the bucket beside its own. */
export const LATENCY_BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** What one process has seen of a version since it started: no number ever goes down. */
export type VersionCounters = {
  readonly model: string;
  readonly version: string;
  requests: number;
  readonly errors: Map<FailureCode, number>;
  cacheHits: number;
  fallbacks: number;
  crashes: number;
  rows: number;
  computeS: number;
  /** By bound, the last one without any; each of its own bucket alone. */
  readonly latencies: number[];
  latencySumS: number;
};

/** Versions by name: each has some forty series, which a scrape reads and a Prometheus keeps. Those that come later are not counted here. */
const MOST_VERSIONS = 200;

/** Adds up what a recorder seals, in memory: a scrape reads no storage. */
export class ProcessCounters {
  readonly tenants = new TopTenants();
  readonly #versions = new Map<string, VersionCounters>();
  /** Of the last report with a request in it. */
  #countedMs: number | undefined;

  versions(): IterableIterator<VersionCounters> {
    return this.#versions.values();
  }

  /** How far what is kept is behind what was counted. */
  async measure({ telemetry }: Pick<Platform, 'telemetry'>, nowMs: number): Promise<readonly Measure[]> {
    const countedMs = this.#countedMs;
    // What was counted just now is not written yet.
    if (countedMs === undefined || nowMs - countedMs < MINUTE_MS) return [];
    const kept = await telemetry.activeVersions(countedMs, countedMs + MINUTE_MS);
    return [{ metric: 'telemetry_age_s', of: {}, value: kept.length > 0 ? 0 : (nowMs - countedMs) / SECOND_MS }];
  }

  /** Once for each report, within a window of when it happened. */
  add(items: readonly TelemetryItem[]): void {
    for (const item of items) this.#add(item);
  }

  #add(item: TelemetryItem): void {
    const { model, version, telemetry } = item;
    if (telemetry.requests > 0) this.#countedMs = Math.max(this.#countedMs ?? 0, item.windowStartMs);
    const { top, other } = telemetry.tenants.top(Number.POSITIVE_INFINITY);
    for (const [tenant, count] of top) this.tenants.add(tenant, count);
    this.tenants.addOther(other);
    const counters = this.#find(model, version);
    if (counters === undefined) return;
    counters.requests += telemetry.requests;
    counters.cacheHits += telemetry.cacheHits;
    counters.fallbacks += telemetry.fallbacks;
    counters.crashes += telemetry.crashes;
    counters.rows += telemetry.rows;
    counters.computeS += telemetry.computeMs / SECOND_MS;
    counters.latencySumS += telemetry.latencyMs.sum / SECOND_MS;
    for (const [code, count] of telemetry.errors) counters.errors.set(code, (counters.errors.get(code) ?? 0) + count);
    telemetry.latencyMs.forEach((middleMs, count) => {
      const bucket = LATENCY_BOUNDS_S.findIndex((bound) => middleMs / SECOND_MS <= bound);
      counters.latencies[bucket === -1 ? LATENCY_BOUNDS_S.length : bucket]! += count;
    });
  }

  #find(model: string, version: string): VersionCounters | undefined {
    const key = `${model}@${version}`;
    const known = this.#versions.get(key);
    if (known !== undefined || this.#versions.size >= MOST_VERSIONS) return known;
    const none = { requests: 0, cacheHits: 0, fallbacks: 0, crashes: 0, rows: 0, computeS: 0, latencySumS: 0 };
    const latencies = new Array<number>(LATENCY_BOUNDS_S.length + 1).fill(0);
    const counters: VersionCounters = { ...none, model, version, errors: new Map(), latencies };
    this.#versions.set(key, counters);
    return counters;
  }
}
