import { describe, expect, test } from 'vitest';
import { ProcessCounters } from '../../core/operations/process-counters.ts';
import { prometheusText } from '../../core/operations/prometheus.ts';
import { TopTenants } from '../../core/operations/top-tenants.ts';
import type { Telemetry, TelemetryItem } from '../../core/ports/telemetry.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { HAS_PROMTOOL, promtool } from '../support/promtool.ts';
import { watchRecord } from '../support/watch-records.ts';

const START_MS = 1_800_000_000_000;

function item(change: (telemetry: Telemetry) => void, version = '1', model = 'm'): TelemetryItem {
  const telemetry = emptyTelemetry();
  change(telemetry);
  return { model, version, windowStartMs: START_MS, writer: 'w', sequence: 0, shard: 0, telemetry };
}

function answered(tenant: string, ...latenciesMs: readonly number[]): TelemetryItem {
  return item((telemetry) => {
    for (const ms of latenciesMs) telemetry.latencyMs.add(ms);
    telemetry.requests += latenciesMs.length;
    telemetry.tenants.add(tenant, latenciesMs.length);
  });
}

function sampleOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series} in\n${text}`);
  return Number(line.slice(series.length + 1));
}

/** Every counter and bucket of a text, by its series. */
function countersOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => /^sluice_[a-z_]+(_total|_bucket|_count|_sum)\{/.test(line));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('what a Prometheus scrapes', () => {
  test.skipIf(!HAS_PROMTOOL)('is what promtool takes without a word, of an idle host and of a busy one', () => {
    const counters = new ProcessCounters();
    expect(promtool(['check', 'metrics'], prometheusText('us', counters, undefined, START_MS))).toBe('');
    counters.add([
      answered('acme', 1, 20, 700),
      item((telemetry) => {
        telemetry.requests = 2;
        telemetry.errors.set('runner-crashed', 2);
        telemetry.crashes = 1;
      }),
    ]);
    expect(promtool(['check', 'metrics'], prometheusText('us', counters, watchRecord(START_MS), START_MS))).toBe('');
  });

  test('has latencies in the bucket of their time, and all of them in the last', () => {
    const counters = new ProcessCounters();
    counters.add([answered('acme', 3, 30, 300, 3000, 60_000)]);
    const text = prometheusText('us', counters, undefined, START_MS);
    const bucket = (le: string) =>
      sampleOf(text, `sluice_request_duration_seconds_bucket{region="us",model="m",version="1",le="${le}"}`);
    expect(['0.0025', '0.005', '0.05', '0.5', '5', '30', '+Inf'].map(bucket)).toEqual([0, 1, 2, 3, 4, 4, 5]);
    expect(sampleOf(text, 'sluice_request_duration_seconds_count{region="us",model="m",version="1"}')).toBe(5);
  });

  test('never goes down, whoever calls when', () => {
    const counters = new ProcessCounters();
    let before = new Map<string, number>() as ReadonlyMap<string, number>;
    for (let minute = 0; minute < 50; minute += 1) {
      const tenants = Array.from({ length: 60 }, (_, at) => `tenant-${(at * 7 + minute * 13) % 90}`);
      counters.add(tenants.map((tenant, at) => answered(tenant, ...new Array(1 + (at % 9)).fill(5))));
      counters.tenants.turn();
      const now = countersOf(prometheusText('us', counters, undefined, START_MS));
      for (const [series, value] of now)
        if (before.has(series)) expect(value, series).toBeGreaterThanOrEqual(before.get(series)!);
      before = now;
    }
  });

  test('names no tenant in what is measured, shows no number that is minutes old, and says how old it is', () => {
    const counters = new ProcessCounters();
    const fresh = prometheusText('us', counters, watchRecord(START_MS), START_MS + MINUTE_MS);
    expect(sampleOf(fresh, 'sluice_error_rate{region="us",model="m",version="1"}')).toBe(0.25);
    expect(sampleOf(fresh, 'sluice_alarm{region="us",alarm="server-errors"}')).toBe(1);
    expect(sampleOf(fresh, 'sluice_watch_age_seconds{region="us"}')).toBe(60);
    const old = prometheusText('us', counters, watchRecord(START_MS), START_MS + HOUR_MS);
    expect(sampleOf(old, 'sluice_watch_age_seconds{region="us"}')).toBe(3600);
    expect(old).not.toContain('sluice_error_rate');
  });

  test('has at most twenty tenants by name, and two hundred versions', () => {
    const counters = new ProcessCounters();
    for (let at = 0; at < 500; at += 1) {
      counters.add([{ ...answered(`tenant-${at}`, 5), version: String(at) }]);
      counters.tenants.turn();
    }
    const text = prometheusText('us', counters, undefined, START_MS);
    expect(text.match(/^sluice_tenant_requests_total\{/gm)).toHaveLength(21);
    expect(text.match(/^sluice_requests_total\{/gm)).toHaveLength(200);
  });
});

describe('tenants by name', () => {
  test('are those who call most, once they have for a while', () => {
    const tenants = new TopTenants();
    for (let minute = 0; minute < 20; minute += 1) {
      for (let at = 0; at < 30; at += 1) tenants.add(`small-${at}`, 1);
      if (minute >= 5) for (let at = 0; at < 5; at += 1) tenants.add(`large-${at}`, 1000);
      tenants.turn();
    }
    const names = tenants.totals().named.map(([tenant]) => tenant);
    expect(names).toHaveLength(20);
    expect(names.filter((name) => name.startsWith('large-'))).toHaveLength(5);
  });

  test('and all others are never counted twice', () => {
    const tenants = new TopTenants();
    let all = 0;
    for (let minute = 0; minute < 30; minute += 1) {
      for (let at = 0; at < 100; at += 1) {
        const count = 1 + ((at * minute) % 17);
        tenants.add(`tenant-${at}`, count);
        all += count;
      }
      tenants.turn();
    }
    const { named, other } = tenants.totals();
    // Who lost a name has left a series behind that ends; what it counted is in none any more.
    expect(named.reduce((sum, [, total]) => sum + total, other)).toBeLessThanOrEqual(all);
    expect(other).toBeGreaterThan(0);
  });
});
