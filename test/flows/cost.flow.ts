import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, fourOf, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Workers save every few seconds. */
const SAVED_WITHIN_MS = 20_000;

type Item = {
  readonly [key: string]: unknown;
  readonly cost_usd: number;
  readonly rows: number;
  readonly requests: number;
  readonly compute_s: number;
  readonly usd_per_thousand: number | null;
  readonly idle_usd?: number;
};
type Cost = {
  readonly total_usd: number;
  readonly idle_usd: number;
  readonly idle_share: number;
  readonly items: Item[];
};

/** What is charged for what was asked, over HTTP. */
export function describeCost(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let operator: ApiClient;
  let acme: ApiClient;
  let globex: ApiClient;

  beforeAll(async () => {
    const cached = withManifest(echoText('cached'), { cache: { seconds: 3600 } });
    running = await start({ models: ['row-sum', cached], runners: 1 });
    operator = await running.addKey(undefined, { role: 'operator' });
    acme = await running.addTenant('acme');
    globex = await running.addTenant('globex');
    for (const client of [acme, acme, globex]) expect((await client.infer('row-sum', fourOf(1))).status).toBe(200);
    await vi.waitFor(async () => expect(await requestsBy('tenant')).toEqual({ acme: 2, globex: 1 }), {
      timeout: SAVED_WITHIN_MS,
      interval: 250,
    });
  }, 60_000);

  afterAll(() => running.end());

  async function costBy(by: string): Promise<Cost> {
    return (await operator.get(`/control/v1/cost?by=${by}`)).json<Cost>();
  }

  async function requestsBy(key: string): Promise<Record<string, number>> {
    const { items } = await costBy(key);
    return Object.fromEntries(items.map((item) => [String(item[key]), item.requests]));
  }

  test.each(['day', 'tenant', 'model', 'version', 'pool'])(
    'by %s what was used and what was idle add up to what workers cost',
    async (by) => {
      const { total_usd, idle_usd, idle_share, items } = await costBy(by);
      const used = items.reduce((sum, { cost_usd }) => sum + cost_usd, 0);
      expect(total_usd).toBeGreaterThan(0);
      expect(used + idle_usd).toBeCloseTo(total_usd, 8);
      expect(idle_share).toBeCloseTo(idle_usd / total_usd, 6);
      expect(items.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
      for (const { cost_usd, rows, usd_per_thousand } of items)
        expect(usd_per_thousand).toBeCloseTo((cost_usd / rows) * 1000, 6);
    },
  );

  test('a day and a pool say what their workers cost beside that, and on what they ran', async () => {
    const today = new Date(running.region().platform.clock.nowMs()).toISOString().slice(0, 10);
    const [byDay, byPool] = [await costBy('day'), await costBy('pool')];
    expect(byDay.items.map(({ day }) => day)).toContain(today);
    expect(byPool.items).toMatchObject([{ pool: 'default', gpu: false, idle_usd: expect.any(Number) }]);
    expect(byPool.items[0]!.instances).toHaveLength(1);
  });

  test('a tenant sees its own cost and nothing of others', async () => {
    const path = '/control/v1/tenants/acme/cost?by=model';
    const own = (await acme.get(path)).json<Cost & { tenant: string }>();
    expect(own).toMatchObject({ tenant: 'acme', items: [{ model: 'row-sum', requests: 2, rows: 2 }], rest: null });
    expect(own.total_usd).toBeGreaterThan(0);
    const all = (await costBy('tenant')).items.find(({ tenant }) => tenant === 'acme')!;
    expect(own.total_usd).toBeCloseTo(all.cost_usd, 9);
    expect(JSON.stringify(own)).not.toMatch(/globex|idle/);
    expectProblem(await globex.get(path), 'forbidden');
    expectProblem(await acme.get('/control/v1/cost'), 'forbidden');
    const user = await running.addKey('acme');
    expectProblem(await user.get(path), 'forbidden');
    expectProblem(await operator.get('/control/v1/tenants/nobody/cost'), 'tenant-unknown');
  });

  test('usage tells of the month beside the day', async () => {
    const { month } = (await acme.get('/control/v1/tenants/acme/usage')).json<{ month: Record<string, number> }>();
    expect(month).toMatchObject({ requests: 2, rows: 2 });
    expect(month.cost_usd).toBeGreaterThan(0);
    expect(new Date(month.start_ms!).getUTCDate()).toBe(1);
  });

  test('a span is whole days, and one in which nothing ran costs nothing', async () => {
    const asked = (query: string) => operator.get(`/control/v1/cost?${query}`);
    const past = (await asked('from=2020-01-01&until=2020-01-31T12:00:00Z')).json<
      Cost & { from: string; until: string }
    >();
    expect(past).toMatchObject({
      from: '2020-01-01T00:00:00.000Z',
      until: '2020-02-01T00:00:00.000Z',
      total_usd: 0,
      items: [],
    });
    expectProblem(await asked('from=yesterday'), 'request-invalid');
    expectProblem(await asked('by=colour'), 'request-invalid');
    expectProblem(await asked('since=2020-01-01'), 'field-unknown');
  });

  test('answers from the cache cost nothing, and show as such', async () => {
    const ask = async () => expect((await acme.infer('cached', texts('text', 'again'))).status).toBe(200);
    await vi.waitFor(
      async () => {
        // A handler that is frozen between requests tells of one with a later one.
        await ask();
        const { items } = await costBy('model');
        const line = (model: string) => items.find((item) => item.model === model);
        expect(line('cached')).toMatchObject({ requests: 1, cache_hits: expect.any(Number) });
        expect(line('cached')!.cache_hits).toBeGreaterThanOrEqual(2);
        expect(line('row-sum')).toMatchObject({ requests: 3, cache_hits: 0 });
      },
      { timeout: SAVED_WITHIN_MS, interval: 1100 },
    );
  });

  type Budget = { readonly scope: string; readonly epoch: number; readonly [member: string]: unknown };
  const BUDGETS = '/control/v1/budgets';
  const put = (body: object) => operator.send('PUT', BUDGETS, { body });

  test('a budget says how much of it is spent, is replaced and removed, and is not changed over another change', async () => {
    const set = (await put({ scope: 'tenant:acme', usd_per_day: 1e-9, epoch: 0 })).json<Budget>();
    expect(set).toMatchObject({
      scope: 'tenant:acme',
      usd_per_month: null,
      alarm_at: [0.8, 1],
      epoch: 1,
      state: 'alarm',
      reached: 1,
    });
    expect(set.spent_share).toBeGreaterThan(1);
    const region = (await put({ scope: 'region', usd_per_month: 1000, alarm_at: [0.5] })).json<Budget>();
    expect(region).toMatchObject({ state: 'ok', reached: null, usd_per_day: null });
    expect(region.spent_month_usd).toBeGreaterThan(0);
    expectProblem(await put({ scope: 'tenant:acme', usd_per_day: 2, epoch: 0 }), 'state-conflict', { epoch: 1 });
    expect((await put({ scope: 'tenant:acme', usd_per_day: 2 })).json<Budget>()).toMatchObject({
      epoch: 2,
      state: 'ok',
    });
    const { items } = (await operator.get(BUDGETS)).json<{ items: Budget[] }>();
    expect(items.map(({ scope, epoch }) => [scope, epoch])).toEqual([
      ['region', 1],
      ['tenant:acme', 2],
    ]);
    for (const scope of ['tenant:acme', 'region', 'region'])
      expect((await operator.send('DELETE', `${BUDGETS}?scope=${scope}`)).status).toBe(204);
    expect((await operator.get(BUDGETS)).json()).toEqual({ items: [] });
  });

  test.each([
    ['of nothing', { scope: 'region' }, 'request-invalid'],
    ['of a scope that is none', { scope: 'pool:default', usd_per_day: 1 }, 'request-invalid'],
    ['of a tenant that is not there', { scope: 'tenant:nobody', usd_per_day: 1 }, 'tenant-unknown'],
    ['of a model that is not there', { scope: 'model:nothing', usd_per_day: 1 }, 'model-unknown'],
    ['with alarms out of order', { scope: 'region', usd_per_day: 1, alarm_at: [1, 0.8] }, 'request-invalid'],
    ['with a field that is none', { scope: 'region', usd_per_day: 1, currency: 'EUR' }, 'field-unknown'],
  ] as const)('a budget %s is refused', async (_, body, code) => {
    expectProblem(await put(body), code);
  });

  test('budgets and orphans are for operators alone', async () => {
    for (const path of [BUDGETS, '/control/v1/orphans']) expectProblem(await acme.get(path), 'forbidden');
    expectProblem(await acme.send('PUT', BUDGETS, { body: { scope: 'tenant:acme', usd_per_day: 1 } }), 'forbidden');
    expectProblem(await acme.send('DELETE', `${BUDGETS}?scope=region`), 'forbidden');
  });

  test('what was used or pushed of late is no orphan', async () => {
    const found = (await operator.get('/control/v1/orphans?days=1')).json<{ items: unknown[]; days: number }>();
    expect(found).toMatchObject({ days: 1, items: [], has_more: false });
    expectProblem(await operator.get('/control/v1/orphans?days=0'), 'request-invalid');
  });
}
