import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { MetricsJson, OverviewJson } from '../../core/api/metrics-json.ts';
import { rollUp, WHOLE_REGION } from '../../core/quality/roll-up.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { type ApiClient, fourOf, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

/** Windows are 5 s, and what was recorded then is written at their end. */
const WRITTEN_WITHIN_MS = 15_000;
const MODEL = '/control/v1/models/ticket-sentiment/metrics';

/** What versions did over time, and the region at a glance. */
export function describeMetrics(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let operator: ApiClient;
  let acme: ApiClient;

  beforeAll(async () => {
    running = await start({ models: ['ticket-sentiment'], runners: 1 });
    operator = await running.addKey(undefined);
    acme = await running.addTenant('acme');
    const globex = await running.addTenant('globex');
    for (const client of [acme, acme, globex])
      expect((await client.infer('ticket-sentiment', texts('text', 'I hate it.'))).status).toBe(200);
    expect((await acme.infer('ticket-sentiment', fourOf(1))).status).toBe(400);
    await vi.waitFor(
      async () => {
        // A frozen handler writes with the next request.
        expectProblem(await acme.infer('no-such-model', fourOf(1)), 'model-unknown');
        expect((await metrics()).total.requests).toBe(3);
      },
      { timeout: WRITTEN_WITHIN_MS, interval: 250 },
    );
  }, 60_000);

  afterAll(() => running.end());

  const metrics = async (query = '') => (await operator.get(`${MODEL}${query}`)).json<MetricsJson>();
  const overview = async () => (await operator.get('/control/v1/overview')).json<OverviewJson>();

  test('the last hour of the stable version by minute: requests, latency, labels, inputs, and who asked', async () => {
    const { version, step_s, items, total } = await metrics();
    expect({ version, step_s, steps: items.length <= 2 }).toEqual({ version: '1', step_s: 60, steps: true });
    expect(items.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
    expect(items.every(({ at }) => Date.parse(at) % MINUTE_MS === 0)).toBe(true);
    expect(total).toMatchObject({ requests: 3, rows: 3, errors: 0, error_rate: 0, labels: { negative: 1 } });
    expect(total.p50_ms).toBeGreaterThan(0);
    expect(total.p95_ms).toBeGreaterThanOrEqual(total.p50_ms!);
    expect(total.batch_rows_mean).toBeGreaterThanOrEqual(1);
    expect(total.latency_histogram.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(total.confidence_histogram.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(total.tenants).toEqual([
      { tenant: 'acme', requests: 2 },
      { tenant: 'globex', requests: 1 },
    ]);
  });

  test('steps are as long as they are asked to be, and the same is in all of them once it is rolled up', async () => {
    const before = await metrics();
    const { telemetry, clock } = running.region().platform;
    await rollUp({ telemetry }, clock.nowMs() + 2 * MINUTE_MS);
    expect((await telemetry.rolledUntil())!.minutesMs).toBeGreaterThan(clock.nowMs());
    const [model, version] = [WHOLE_REGION.model, WHOLE_REGION.version];
    const whole = await telemetry.readRollUps('minute', model, version, clock.nowMs() - HOUR_MS, clock.nowMs());
    expect(whole.reduce((sum, minute) => sum + minute.telemetry.requests, 0)).toBe(3);
    for (const step of [5, 60, 300, 3600]) {
      const { step_s, total, items } = await metrics(`?step_s=${step}`);
      expect([step_s, total]).toEqual([step, before.total]);
      expect(items.every(({ at }) => Date.parse(at) % (step * 1000) === 0)).toBe(true);
    }
  });

  test('nothing is there before it was asked, and of what is old only whole hours', async () => {
    const day = (days: number) => new Date(running.region().platform.clock.nowMs() - days * 24 * HOUR_MS).toISOString();
    expect((await metrics(`?from=${day(2)}&until=${day(1)}`)).items).toEqual([]);
    expect((await metrics(`?from=${day(100)}`)).step_s).toBe(86_400);
    expectProblem(await operator.get(`${MODEL}?from=${day(30)}&until=${day(29)}&step_s=60`), 'request-invalid');
    expectProblem(await operator.get(`${MODEL}?from=${day(1)}&until=${day(2)}`), 'request-invalid');
    expectProblem(await operator.get(`${MODEL}?from=${day(10)}&step_s=60`), 'request-invalid');
    expectProblem(await operator.get(`${MODEL}?step_s=7`), 'request-invalid');
    expectProblem(await operator.get(`${MODEL}?version=2`), 'version-unknown');
    expectProblem(await operator.get('/control/v1/models/no-such-model/metrics'), 'model-unknown');
  });

  test('the overview adds up all versions, and tells of queues, workers and releases', async () => {
    const { region, requests_last_hour, error_rate, p50_ms, queues, workers, runners, busy_share, ...rest } =
      await overview();
    expect(region).toBe(running.region().platform.config.region);
    expect([requests_last_hour, error_rate]).toEqual([3, 0]);
    // As its last heartbeat said.
    expect([0, 1]).toContain(busy_share);
    expect(p50_ms).toBeGreaterThan(0);
    expect(queues.map(({ pool, lane, depth }) => [pool, lane, depth])).toEqual([
      ['default', 'interactive', 0],
      ['default', 'bulk', 0],
    ]);
    expect([workers, runners, rest.active_releases]).toEqual([1, 1, []]);
    expect(rest.series.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
    expect(rest.requests_per_s).toBeLessThanOrEqual(3 / 60);
  });

  test('is for operators alone', async () => {
    const admin = await running.addKey('acme', { role: 'tenant-admin' });
    for (const caller of [acme, admin])
      for (const path of [MODEL, '/control/v1/overview']) expectProblem(await caller.get(path), 'forbidden');
  });
}
