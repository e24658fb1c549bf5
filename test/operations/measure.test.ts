import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { measureKeys } from '../../core/operations/measure-keys.ts';
import { measureBudgets, measureServing, readLastHour } from '../../core/operations/measure-serving.ts';
import { measureTraffic } from '../../core/operations/measure-traffic.ts';
import type { Measure, MetricName } from '../../core/operations/metric.ts';
import { burnRate } from '../../core/operations/slo.ts';
import type { WatchRecord } from '../../core/operations/watch-record.ts';
import type { RegionConfig } from '../../core/ports/platform.ts';
import { emptyTelemetry } from '../../core/quality/telemetry.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

const CONFIG = { region: 'us' } as RegionConfig;

let local: LocalPlatform;
let sequence = 0;
beforeEach(async () => {
  local = await openLocalPlatform();
});
afterEach(() => local.close());

const host = () => ({ config: CONFIG, telemetry: local.ports.telemetry });

/** What one version did in a window. */
async function served(
  { model = 'm', version = '1', atMs }: { model?: string; version?: string; atMs: number },
  requests: number,
  { errors = {}, latencyMs = 10 }: { errors?: Record<string, number>; latencyMs?: number } = {},
): Promise<void> {
  const telemetry = emptyTelemetry();
  telemetry.requests = requests;
  for (let at = 0; at < requests; at += 1) telemetry.latencyMs.add(latencyMs);
  for (const [code, count] of Object.entries(errors)) telemetry.errors.set(code as 'internal', count);
  sequence += 1;
  const windowStartMs = Math.floor(atMs / (5 * SECOND_MS)) * 5 * SECOND_MS;
  await local.ports.telemetry.append([{ model, version, windowStartMs, writer: 'w', sequence, shard: 0, telemetry }]);
}

function measureOf(measures: readonly Measure[], metric: MetricName, of: Measure['of'] = {}): number | undefined {
  const key = JSON.stringify(of);
  return measures.find((measure) => measure.metric === metric && JSON.stringify(measure.of) === key)?.value;
}

describe('requests, errors and latency', () => {
  test('are of each version, of each model over its versions, and of the region', async () => {
    const nowMs = local.clock.nowMs();
    await served({ version: '1', atMs: nowMs - 2 * MINUTE_MS }, 60, { errors: { 'runner-crashed': 6 } });
    await served({ version: '2', atMs: nowMs - 2 * MINUTE_MS }, 40, { latencyMs: 1000 });
    await served({ model: 'n', atMs: nowMs - 2 * MINUTE_MS }, 100);
    const measures = measureServing(await readLastHour(host(), nowMs), nowMs);
    const rates = [{}, { model: 'm' }, { model: 'm', version: '1' }, { model: 'm', version: '2' }].map((of) =>
      measureOf(measures, 'error_rate', of),
    );
    expect(rates).toEqual([0.03, 0.06, 0.1, 0]);
    const slowest = measureOf(measures, 'latency_p95_ms', { model: 'm' })!;
    expect(Math.abs(slowest - 1000)).toBeLessThan(20);
  });

  test('count what failed through us, and no mistake of a caller', async () => {
    const nowMs = local.clock.nowMs();
    const errors = { 'prediction-failed': 30, 'prediction-cancelled': 10, 'model-load-failed': 5, internal: 5 };
    await served({ atMs: nowMs - 2 * MINUTE_MS }, 100, { errors });
    expect(measureOf(measureServing(await readLastHour(host(), nowMs), nowMs), 'error_rate')).toBe(0.1);
  });

  test('are not told of so few requests that they would say nothing', async () => {
    const nowMs = local.clock.nowMs();
    await served({ atMs: nowMs - 2 * MINUTE_MS }, 19, { errors: { internal: 19 } });
    const measures = measureServing(await readLastHour(host(), nowMs), nowMs);
    expect(measureOf(measures, 'error_rate')).toBeUndefined();
    expect(measureOf(measures, 'latency_p95_ms')).toBeUndefined();
  });
});

describe('error budgets', () => {
  test('a thousandth of failures spends a budget of 99.9 % exactly, 1.44 % spends it 14.4 times as fast', () => {
    expect(burnRate({ requests: 10_000, errors: 10 })).toBeCloseTo(1, 10);
    expect(burnRate({ requests: 10_000, errors: 144 })).toBeCloseTo(14.4, 10);
    expect(burnRate({ requests: 100, errors: 1 }, 0.99)).toBeCloseTo(1, 10);
    expect(burnRate({ requests: 49, errors: 49 })).toBeUndefined();
  });

  test('of each window are those of its requests alone', async () => {
    const nowMs = local.clock.nowMs();
    await served({ atMs: nowMs - 3 * MINUTE_MS }, 100, { errors: { internal: 10 } });
    await served({ atMs: nowMs - 20 * MINUTE_MS }, 100);
    await served({ atMs: nowMs - 50 * MINUTE_MS }, 200);
    await served({ atMs: nowMs - 5 * HOUR_MS }, 600);
    await served({ atMs: nowMs - 7 * HOUR_MS }, 1000, { errors: { internal: 1000 } });
    const { measures } = await measureBudgets(host(), await readLastHour(host(), nowMs), undefined, nowMs);
    const burn = (
      ['error_budget_burn_5m', 'error_budget_burn_30m', 'error_budget_burn_1h', 'error_budget_burn_6h'] as const
    ).map((metric) => Math.round(measureOf(measures, metric, { model: 'm' })!));
    expect(burn).toEqual([100, 50, 25, 10]);
  });

  test('of six hours that were handed on from minute to minute are those that are read anew, with reports that came late', async () => {
    let before: Pick<WatchRecord, 'slots' | 'atMs'> | undefined;
    for (let minute = 0; minute < 100; minute += 1) {
      await local.clock.advance(MINUTE_MS);
      const nowMs = local.clock.nowMs();
      await served({ atMs: nowMs - 30 * SECOND_MS }, 3 + (minute % 5), { errors: { internal: minute % 3 } });
      if (minute % 7 === 0) await served({ atMs: nowMs - 18 * MINUTE_MS }, 50);
      const { slots } = await measureBudgets(host(), await readLastHour(host(), nowMs), before, nowMs);
      before = { slots, atMs: nowMs };
    }
    const nowMs = local.clock.nowMs();
    const anew = await measureBudgets(host(), await readLastHour(host(), nowMs), undefined, nowMs);
    expect(before?.slots).toEqual(anew.slots);
    expect(before?.slots.m?.length).toBeGreaterThan(15);
  });
});

describe('traffic', () => {
  const share = async (nowMs: number, of: Measure['of'] = {}) =>
    measureOf(
      (await measureTraffic(host(), await readLastHour(host(), nowMs), undefined, nowMs)).measures,
      'traffic_share',
      of,
    );

  test('that is gone is a share of none, by the same time of a week and a day before', async () => {
    const nowMs = local.clock.nowMs();
    for (const beforeMs of [DAY_MS, 7 * DAY_MS]) await served({ atMs: nowMs - beforeMs - 5 * MINUTE_MS }, 100);
    expect(await share(nowMs)).toBe(0);
    expect(await share(nowMs, { model: 'm' })).toBe(0);
    await served({ atMs: nowMs - 5 * MINUTE_MS }, 50);
    expect(await share(nowMs)).toBe(0.5);
  });

  test('is held against the quieter of both: a Sunday is not as loud as a Saturday', async () => {
    const nowMs = local.clock.nowMs();
    await served({ atMs: nowMs - DAY_MS - 5 * MINUTE_MS }, 1000);
    await served({ atMs: nowMs - 7 * DAY_MS - 5 * MINUTE_MS }, 40);
    await served({ atMs: nowMs - 5 * MINUTE_MS }, 40);
    expect(await share(nowMs)).toBe(1);
  });

  test('of a region that began today is held against the hour before', async () => {
    const nowMs = local.clock.nowMs();
    await served({ atMs: nowMs - HOUR_MS - 5 * MINUTE_MS }, 100);
    expect(await share(nowMs)).toBe(0);
  });

  test('that nobody is used to says nothing, and is no loss where some comes all the same', async () => {
    const nowMs = local.clock.nowMs();
    for (const beforeMs of [DAY_MS, 7 * DAY_MS]) await served({ atMs: nowMs - beforeMs - 5 * MINUTE_MS }, 29);
    expect(await share(nowMs)).toBeUndefined();
    await served({ atMs: nowMs - 5 * MINUTE_MS }, 1);
    expect(await share(nowMs)).toBe(1);
  });
});

test('keys of operators count their days; tenants’, revoked and endless ones, and those long over do not', async () => {
  const nowMs = local.clock.nowMs();
  const key = (id: string, expiresInDays: number | undefined, more: object = {}) => ({
    ...{
      id,
      secretSha256: 'x',
      tenant: undefined,
      role: 'operator' as const,
      models: undefined,
      label: id,
      createdAtMs: nowMs,
    },
    ...{
      expiresAtMs: expiresInDays === undefined ? undefined : Math.floor(nowMs + expiresInDays * DAY_MS),
      revokedAtMs: undefined,
    },
    ...more,
  });
  const { registry } = local.ports;
  for (const each of [
    key('soon', 3),
    key('over', -1),
    key('long-over', -30),
    key('endless', undefined),
    key('gone', 3, { revokedAtMs: 1 }),
  ])
    await registry.addKey(each);
  await registry.addKey(key('acme.tenant', 3, { tenant: 'acme' }));
  const measures = await measureKeys({ registry }, nowMs);
  expect(measures.map(({ of, value }) => [of.key, Math.round(value)]).sort()).toEqual([
    ['over', -1],
    ['soon', 3],
  ]);
});
