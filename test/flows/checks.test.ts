import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { watchMinute } from '../../core/operations/watch.ts';
import { CANARY_TENANT } from '../../core/tenancy/canary.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { type Checks, openChecks } from '../../embedded/checks.ts';
import { type ApiClient, texts } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { HAS_PROMTOOL, promtool } from '../support/promtool.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const WRITTEN = { timeout: 15_000, interval: 250 };

let running: RunningPlatform;
let operator: ApiClient;
let acme: ApiClient;
let checks: Checks;

beforeAll(async () => {
  running = await startRunning({ models: ['ticket-sentiment'], runners: 1 });
  operator = await running.addKey(undefined);
  acme = await running.addTenant('acme');
  const { platform, url } = running.region();
  checks = await openChecks(platform, url, `${running.dataFolder}/us/canary-key`);
}, 60_000);

afterAll(() => running?.end());

const results = async () => (await checks()).map(({ check, ok, status }) => [check, ok, status]);

describe('a region that asks itself', () => {
  test('is asked through its front door: that it is there, who asks, and for a prediction', async () => {
    expect(await results()).toEqual([
      ['live', true, 200],
      ['models', true, 200],
      ['predict', true, 200],
    ]);
  });

  test('counts that in no number of the model, and answers with it', async () => {
    for (let at = 0; at < 3; at += 1) await acme.infer('ticket-sentiment', texts('text', 'Thank you!'));
    const total = async () =>
      (await operator.get('/control/v1/models/ticket-sentiment/metrics')).json<{
        total: { requests: number; labels: object; tenants: { tenant: string }[] };
      }>().total;
    await vi.waitFor(async () => expect((await total()).requests).toBe(3), WRITTEN);
    expect((await total()).tenants.map(({ tenant }) => tenant)).toEqual(['acme']);
    const { platform } = running.region();
    await watchMinute(platform, [], await checks(), platform.clock.nowMs() + MINUTE_MS);
    const { items } = (await operator.get('/control/v1/checks')).json<{ items: { check: string; region: string }[] }>();
    expect(items.map(({ check, region }) => [check, region])).toEqual([
      ['predict', 'us'],
      ['models', 'us'],
      ['live', 'us'],
    ]);
  });

  test('finds a key that no longer counts, and a model that does not answer, each as what it is', async () => {
    const { registry } = running.region().platform;
    const [key] = await registry.listKeys(CANARY_TENANT);
    vi.spyOn(registry, 'readKey').mockImplementation(async () => undefined);
    // Verified keys are remembered for a second.
    await vi.waitFor(async () => expect((await results())[1]).toEqual(['models', false, 401]), {
      timeout: 5000,
      interval: 300,
    });
    vi.restoreAllMocks();
    expect(key?.role).toBe('tenant-user');
    expect(running.logLines.join()).toContain('a check of this region failed');
    expect(running.logLines.join()).not.toMatch(/slk_us_sluice-canary/);
  });

  test('asks for no prediction where that would wake a pool that sleeps', async () => {
    const { capacity } = running.region().platform;
    vi.spyOn(capacity, 'read').mockImplementation(async () => []);
    expect((await checks()).map(({ check }) => check)).toEqual(['live', 'models']);
    vi.restoreAllMocks();
  });

  test('has the same key after a restart', async () => {
    const { platform, url } = running.region();
    await openChecks(platform, url, `${running.dataFolder}/us/canary-key`);
    expect(await platform.registry.listKeys(CANARY_TENANT)).toHaveLength(1);
  });
});

describe('alarms, checks and numbers are for operators', () => {
  test.each(['/control/v1/alarms', '/control/v1/checks', '/metrics'])(
    '%s is refused to a tenant and to who shows nothing',
    async (path) => {
      expectProblem(await acme.get(path), 'forbidden');
      expectProblem(await running.client(undefined).get(path), 'credentials-missing');
      expect((await operator.get(path)).status).toBe(200);
    },
  );

  test.skipIf(!HAS_PROMTOOL)('and what a Prometheus scrapes is what promtool takes', async () => {
    const scraped = await operator.get('/metrics');
    expect(scraped.header('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(scraped.text).toMatch(/^sluice_requests_total\{region="us",model="ticket-sentiment",version="1"\} 3$/m);
    expect(scraped.text).not.toContain(CANARY_TENANT);
    expect(promtool(['check', 'metrics'], scraped.text)).toBe('');
  });

  test('nothing below the path of metrics is served', async () => {
    for (const path of ['/metrics/', '/metricsx']) expectProblem(await operator.get(path), 'route-unknown');
  });
});
