import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import { type ApiClient, firstOutput, fourOf } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

/** Tenants, keys, plans and roles over HTTP. */
export function describeControlPlane(start: StartPlatform): void {
  let running: PlatformUnderTest;
  let operator: ApiClient;
  let admin: ApiClient;
  let acmeAdmin: ApiClient;
  let acmeUser: ApiClient;

  beforeAll(async () => {
    running = await start({ models: ['row-sum'] });
    operator = await running.addKey(undefined, { role: 'operator' });
    admin = await running.addKey(undefined, { role: 'admin' });
    acmeAdmin = await running.addTenant('acme');
    acmeUser = await running.addKey('acme');
  });

  afterAll(() => running.end());

  const TENANTS = '/control/v1/tenants';

  type TenantJson = { readonly id: string; readonly epoch: number; readonly [member: string]: unknown };

  describe('tenants', () => {
    test('are created, read, listed, changed and removed', async () => {
      const created = await operator.post(TENANTS, { id: 'hooli', name: 'Hooli', plan: 'pro' });
      expect(created.status).toBe(201);
      expect(created.header('location')).toBe(`${TENANTS}/hooli`);
      const tenant = created.json<TenantJson>();
      expect(tenant).toMatchObject({
        id: 'hooli',
        region: 'us',
        plan: 'pro',
        overrides: {},
        wrong_region: 'refuse',
        allowed_origins: [],
        suspended: false,
        epoch: 1,
      });
      expect((await operator.get(`${TENANTS}/hooli`)).json()).toEqual(tenant);
      const changed = await operator.send('PATCH', `${TENANTS}/hooli`, {
        body: { name: 'Hooli Inc', overrides: { requests_per_second: 7 }, epoch: 1 },
      });
      expect(changed.json()).toEqual({ ...tenant, name: 'Hooli Inc', overrides: { requests_per_second: 7 }, epoch: 2 });
      const { items } = (await operator.get(`${TENANTS}?limit=1000`)).json<{ items: TenantJson[] }>();
      expect(items.map(({ id }) => id)).toContain('hooli');
      expect((await operator.send('DELETE', `${TENANTS}/hooli`)).status).toBe(204);
      expectProblem(await operator.get(`${TENANTS}/hooli`), 'tenant-unknown', { field: 'tenant' });
    });

    test('are listed in pages, each once', async () => {
      for (const name of ['a', 'b', 'c']) await running.addTenant(`paged-${name}`);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = await operator.get(`${TENANTS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        const { items, next } = page.json<{ items: TenantJson[]; next: string | null }>();
        expect(items.length).toBeLessThanOrEqual(2);
        seen.push(...items.map(({ id }) => id));
        cursor = next === null ? null : encodeURIComponent(next);
      }
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen).toEqual(expect.arrayContaining(['acme', 'paged-a', 'paged-b', 'paged-c']));
    });

    test('are not changed over another\u2019s change', async () => {
      await running.addTenant('contended');
      const patch = (name: string) => operator.send('PATCH', `${TENANTS}/contended`, { body: { name, epoch: 1 } });
      expect((await patch('first')).status).toBe(200);
      expectProblem(await patch('second'), 'state-conflict', { epoch: 2 });
      expectProblem(await operator.post(TENANTS, { id: 'contended', name: 'Again', plan: 'pro' }), 'already-exists');
    });

    test.each([
      ['no id', { name: 'X', plan: 'pro' }, 'request-invalid', 'id'],
      ['an id with capitals', { id: 'Hooli', name: 'X', plan: 'pro' }, 'request-invalid', 'id'],
      ['a plan that is not there', { id: 'hooli2', name: 'X', plan: 'gold' }, 'plan-unknown', 'plan'],
      ['another region', { id: 'hooli2', name: 'X', plan: 'pro', region: 'eu' }, 'wrong-region', undefined],
      ['an unknown member', { id: 'hooli2', name: 'X', plan: 'pro', colour: 'red' }, 'field-unknown', 'colour'],
      [
        'an override of nothing',
        { id: 'hooli2', name: 'X', plan: 'pro', overrides: { rps: 1 } },
        'field-unknown',
        'overrides.rps',
      ],
      [
        'a rate of zero',
        { id: 'hooli2', name: 'X', plan: 'pro', overrides: { requests_per_second: 0 } },
        'request-invalid',
        'overrides.requests_per_second',
      ],
    ] as const)('are not created with %s', async (_, body, code, field) => {
      expectProblem(await operator.post(TENANTS, body), code, field === undefined ? {} : { field });
      expectProblem(await operator.get(`${TENANTS}/hooli2`), 'tenant-unknown');
    });
  });

  describe('roles', () => {
    test.each([
      ['GET', TENANTS],
      ['POST', TENANTS],
      ['PATCH', `${TENANTS}/acme`],
      ['DELETE', `${TENANTS}/acme`],
      ['GET', '/control/v1/plans'],
      ['PUT', '/control/v1/plans/free'],
      ['POST', '/control/v1/uploads'],
      ['POST', '/control/v1/models/row-sum/versions'],
      ['PUT', '/control/v1/models/row-sum/stable'],
    ])('%s %s is for operators', async (method, path) => {
      const call = { body: method === 'GET' || method === 'DELETE' ? undefined : {} };
      for (const caller of [acmeAdmin, acmeUser]) {
        expectProblem(await caller.send(method, path, call), 'forbidden', { required_role: 'operator' });
      }
      expectProblem(await running.client(undefined).send(method, path, call), 'credentials-missing');
    });

    test.each([
      ['GET', '/control/v1/operator-keys'],
      ['POST', '/control/v1/operator-keys'],
      ['PUT', '/control/v1/issuers'],
      ['DELETE', '/control/v1/issuers?issuer=https://x.example'],
    ])('%s %s is for admins', async (method, path) => {
      const call = { body: method === 'GET' || method === 'DELETE' ? undefined : {} };
      expectProblem(await operator.send(method, path, call), 'forbidden', { required_role: 'admin' });
    });

    test('a tenant\u2019s admin sees its own tenant and nobody else\u2019s, there or not', async () => {
      await running.addTenant('initech');
      expect((await acmeAdmin.get(`${TENANTS}/acme`)).status).toBe(200);
      expect((await acmeAdmin.get(`${TENANTS}/acme/usage`)).status).toBe(200);
      for (const tenant of ['initech', 'nobody']) {
        for (const path of ['', '/usage', '/keys']) {
          expectProblem(await acmeAdmin.get(`${TENANTS}/${tenant}${path}`), 'forbidden', { required_role: 'operator' });
        }
        expectProblem(await acmeAdmin.send('DELETE', `${TENANTS}/${tenant}/data`), 'forbidden');
        expectProblem(await acmeAdmin.post(`${TENANTS}/${tenant}/keys`, { label: 'x' }), 'forbidden');
      }
      expectProblem(await acmeUser.get(`${TENANTS}/acme/usage`), 'forbidden', { required_role: 'tenant-admin' });
    });
  });

  describe('keys', () => {
    test('are created, listed without their secret, and revoked', async () => {
      const created = await acmeAdmin.post(`${TENANTS}/acme/keys`, { label: 'ci', models: ['row-sum'] });
      expect(created.status).toBe(201);
      const { key, ...record } = created.json<{ key: string; id: string }>();
      expect(key).toMatch(/^slk_us_acme\.[0-9a-f]{8}_[0-9a-f]{64}$/);
      expect(record).toMatchObject({ tenant: 'acme', role: 'tenant-user', models: ['row-sum'], revoked_at_ms: null });
      const list = async () =>
        (await acmeAdmin.get(`${TENANTS}/acme/keys`)).json<{ items: { id: string; revoked_at_ms: number | null }[] }>()
          .items;
      expect(await list()).toContainEqual(record);
      expect((await acmeAdmin.send('DELETE', `${TENANTS}/acme/keys/${record.id}`)).status).toBe(204);
      expect((await list()).find(({ id }) => id === record.id)?.revoked_at_ms).toBeGreaterThan(0);
    });

    test('of another tenant are not there', async () => {
      const other = await running.addTenant('vandelay');
      const { id } = (await other.post(`${TENANTS}/vandelay/keys`, { label: 'x' })).json<{ id: string }>();
      expectProblem(await acmeAdmin.send('DELETE', `${TENANTS}/acme/keys/${id}`), 'key-unknown', { field: 'key' });
      expectProblem(await acmeAdmin.send('DELETE', `${TENANTS}/acme/keys/acme.00000000`), 'key-unknown');
    });

    test('are never stronger than their maker', async () => {
      const scoped = await running.addKey('acme', { role: 'tenant-admin', models: ['row-sum'] });
      const made = await scoped.post(`${TENANTS}/acme/keys`, { label: 'x' });
      expect(made.json()).toMatchObject({ models: ['row-sum'] });
      expectProblem(await scoped.post(`${TENANTS}/acme/keys`, { label: 'x', models: ['encoder-l6'] }), 'forbidden');
      expectProblem(await acmeAdmin.post(`${TENANTS}/acme/keys`, { label: 'x', role: 'operator' }), 'request-invalid');
    });

    test('of operators and admins are made by admins', async () => {
      const created = await admin.post('/control/v1/operator-keys', { label: 'on call' });
      const { key, id } = created.json<{ key: string; id: string }>();
      expect((await running.client(key).get(TENANTS)).status).toBe(200);
      expect((await admin.get('/control/v1/operator-keys')).text).toContain(id);
      expect((await admin.send('DELETE', `/control/v1/operator-keys/${id}`)).status).toBe(204);
      await vi.waitFor(async () => expectProblem(await running.client(key).get(TENANTS), 'credentials-invalid'), {
        timeout: 3000,
      });
    });
  });

  describe('plans', () => {
    const { id: _, epoch: __, ...free } = DEFAULT_PLANS[0]!;
    const limits = {
      requests_per_second: free.limits.requestsPerSecond,
      request_burst: free.limits.requestBurst,
      rows_per_minute: free.limits.rowsPerMinute,
      requests_in_flight: free.limits.requestsInFlight,
      waiting_handlers: free.limits.waitingHandlers,
      daily_compute_ms: free.limits.dailyComputeMs,
      weight: free.limits.weight,
      models: free.limits.models,
    };
    const put = (plan: string, changes: object = {}, rest: object = {}) =>
      operator.send('PUT', `/control/v1/plans/${plan}`, { body: { limits: { ...limits, ...changes }, ...rest } });

    test('free, pro and enterprise are there at the start', async () => {
      const { items } = (await operator.get('/control/v1/plans')).json<{ items: { id: string; limits: object }[] }>();
      expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(['enterprise', 'free', 'pro']));
      expect(items.find(({ id }) => id === 'free')?.limits).toEqual(limits);
    });

    test('a change is in force within a second for every tenant of the plan', async () => {
      expect((await put('trial', { request_burst: 1000, requests_per_second: 100 }, { epoch: 0 })).status).toBe(200);
      const caller = await running.addTenant('trying', { plan: 'trial' });
      expect((await caller.infer('row-sum', fourOf(1))).status).toBe(200);
      expect((await put('trial', { models: ['encoder-l6'] })).status).toBe(200);
      const changedAt = performance.now();
      await vi.waitFor(async () => expectProblem(await caller.infer('row-sum', fourOf(1)), 'model-unknown'), {
        timeout: 3000,
        interval: 50,
      });
      expect(performance.now() - changedAt).toBeLessThan(2000);
    });

    test('a tenant that moves to another plan has its limits within a second', async () => {
      expect((await put('tiny', { request_burst: 1, requests_per_second: 1 })).status).toBe(200);
      const caller = await running.addTenant('moving', { plan: 'tiny' });
      const quotaOf = async () =>
        /q=(\d+)/.exec((await caller.get('/v2/models')).header('ratelimit-policy') ?? '')?.[1];
      expect(await quotaOf()).toBe('1');
      await operator.send('PATCH', `${TENANTS}/moving`, { body: { plan: 'enterprise' } });
      await vi.waitFor(
        async () => {
          expect(await quotaOf()).toBe('4000');
          expect((await caller.infer('row-sum', fourOf(1))).status).toBe(200);
        },
        { timeout: 5000 },
      );
    });

    test('are not changed over another\u2019s change, nor half', async () => {
      expect((await put('raced', {}, { epoch: 0 })).status).toBe(200);
      expectProblem(await put('raced', {}, { epoch: 0 }), 'state-conflict', { epoch: 1 });
      const { weight: _weight, ...without } = limits;
      const half = await operator.send('PUT', '/control/v1/plans/raced', { body: { limits: without } });
      expectProblem(half, 'request-invalid', { field: 'limits.weight' });
    });
  });

  describe('erasure', () => {
    test('takes everything that was stored for a tenant, and leaves the tenant and its neighbours', async () => {
      const leaving = await running.addTenant('leaving');
      const staying = await running.addTenant('staying');
      const asked = { headers: { prefer: 'respond-async' } };
      const gone = (await leaving.infer('row-sum', fourOf(1), asked)).header('location')!;
      const kept = (await staying.infer('row-sum', fourOf(2), asked)).header('location')!;
      expect(firstOutput(await leaving.result(gone))).toEqual([4]);
      const keyed = { headers: { 'Idempotency-Key': 'once' } };
      await leaving.infer('row-sum', fourOf(1), keyed);
      expect((await leaving.send('DELETE', `${TENANTS}/leaving/data`)).status).toBe(204);
      expectProblem(await leaving.get(gone), 'prediction-unknown');
      expect(firstOutput(await staying.result(kept))).toEqual([8]);
      const again = await leaving.infer('row-sum', fourOf(3), keyed);
      expect(firstOutput(again)).toEqual([12]);
      expect(again.header('sluice-replayed')).toBeUndefined();
    });

    test('of a removed tenant goes with its keys; the id is free again', async () => {
      const removed = await running.addTenant('removed');
      await removed.infer('row-sum', fourOf(1));
      expect((await operator.send('DELETE', `${TENANTS}/removed`)).status).toBe(204);
      await vi.waitFor(async () => expect((await removed.infer('row-sum', fourOf(1))).status).toBe(401), {
        timeout: 3000,
      });
      const again = await running.addTenant('removed');
      expect((await again.infer('row-sum', fourOf(1))).status).toBe(200);
      expectProblem(await removed.infer('row-sum', fourOf(1)), 'credentials-invalid');
    });
  });
}
