import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tenant } from '../../core/tenancy/tenant.ts';
import { slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, fourOf, inferPath, int64s, type JsonTensor } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Every kind of quota, as callers see it; `callers` at once at the most. */
export function describeQuota(start: StartPlatform, callers = 1000): void {
  /** On a machine that does many things at once a second of work may take ten. */
  const SOON = { timeout: 10_000 };
  const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });

  let running: PlatformUnderTest;

  beforeAll(async () => {
    running = await start({ models: ['row-sum', SLOW] });
  });

  afterAll(() => running.end());

  let tenants = 0;

  /** A tenant that nobody else has used anything of. */
  function tenantWith(overrides: Tenant['overrides']): Promise<ApiClient> {
    tenants += 1;
    return running.addTenant(`tenant-${tenants}`, { overrides });
  }

  const rows = (count: number): JsonTensor[] => [
    { name: 'x', shape: [count, 4], datatype: 'FP32', data: new Array<number>(4 * count).fill(1) },
  ];

  /** Reads `"policy";r=1;t=2` and `"policy";q=1;w=2`. */
  function rateLimitOf(answer: Answer): {
    policy: string;
    left: number;
    seconds: number;
    quota: number;
    window: number;
  } {
    const [, policy, left, seconds] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(answer.header('ratelimit') ?? '') ?? [];
    const [, , quota, window] = /^"(\w+)";q=(\d+);w=(\d+)$/.exec(answer.header('ratelimit-policy') ?? '') ?? [];
    return {
      policy: policy ?? '',
      left: Number(left),
      seconds: Number(seconds),
      quota: Number(quota),
      window: Number(window),
    };
  }

  describe('requests per second', () => {
    test('a burst is granted and then refused, with all that a client needs to pace itself', async () => {
      const caller = await tenantWith({ requestsPerSecond: 0.1, requestBurst: 3 });
      for (const left of [2, 1, 0]) {
        const answer = await caller.infer('row-sum', fourOf(1));
        expect(answer.status).toBe(200);
        expect(rateLimitOf(answer)).toMatchObject({ policy: 'requests', left, quota: 3, window: 30 });
      }
      const refused = await caller.infer('row-sum', fourOf(1));
      const problem = expectProblem(refused, 'quota-exceeded', { 'violated-policies': ['requests'] });
      expect(problem.type).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded');
      const { left, seconds } = rateLimitOf(refused);
      expect(left).toBe(0);
      const retryAfter = Number(refused.header('retry-after'));
      expect(retryAfter).toBeGreaterThanOrEqual(seconds);
      expect(retryAfter).toBeLessThanOrEqual(10);
      expect(problem.retry_after_s).toBe(retryAfter);
    });

    test('reading counts as well as predicting; the control plane does not', async () => {
      const caller = await tenantWith({ requestsPerSecond: 0.01, requestBurst: 2 });
      expect((await caller.get('/v2/models')).status).toBe(200);
      expect((await caller.get('/v2/models/row-sum')).status).toBe(200);
      expectProblem(await caller.get('/v2/models'), 'quota-exceeded');
      const tenant = `tenant-${tenants}`;
      expect((await caller.get(`/control/v1/tenants/${tenant}`)).status).toBe(200);
    });

    test('comes back with time', async () => {
      const caller = await tenantWith({ requestsPerSecond: 2, requestBurst: 1 });
      expect((await caller.infer('row-sum', fourOf(1))).status).toBe(200);
      expect((await caller.infer('row-sum', fourOf(1))).status).toBe(429);
      await vi.waitFor(async () => expect((await caller.infer('row-sum', fourOf(1))).status).toBe(200), {
        timeout: 3000,
        interval: 100,
      });
    });
  });

  describe('rows per minute', () => {
    test('a request takes as many as it has; what does not fit is refused, what never fits says so', async () => {
      const caller = await tenantWith({ rowsPerMinute: 60 });
      expect((await caller.infer('row-sum', rows(200))).status).toBe(200);
      const refused = await caller.infer('row-sum', rows(100));
      expectProblem(refused, 'quota-exceeded', { 'violated-policies': ['rows'] });
      expect(rateLimitOf(refused).policy).toBe('rows');
      // 44 rows are needed at one a second.
      expect(Number(refused.header('retry-after'))).toBeGreaterThan(40);
      expect((await caller.infer('row-sum', rows(50))).status).toBe(200);
      expectProblem(await caller.infer('row-sum', rows(300)), 'input-too-large', { limit: 256 });
    });
  });

  describe('requests in flight', () => {
    test('are capped, and a place is free again when an answer was given', async () => {
      const caller = await tenantWith({ requestsInFlight: 2 });
      const busy = [caller.infer('slow', int64s('rounds', 1000)), caller.infer('slow', int64s('rounds', 1000))];
      await vi.waitFor(async () => {
        const refused = await caller.infer('row-sum', fourOf(1));
        expectProblem(refused, 'in-flight-exceeded', { limit: 2 });
      }, SOON);
      for (const answer of await Promise.all(busy)) expect(answer.status).toBe(200);
      await vi.waitFor(async () => expect((await caller.infer('row-sum', fourOf(1))).status).toBe(200), SOON);
    });
  });

  describe('the daily compute budget', () => {
    test('is reserved at the declared maximum and refunded when the work is done', async () => {
      // `slow` reserves 50 ms a row: two rows fit, a third does not while they run.
      const caller = await tenantWith({ dailyComputeMs: 5120 });
      const usage = async () => {
        const answer = await caller.get(`/control/v1/tenants/tenant-${tenants}/usage`);
        return answer.json<{ compute_ms: number; in_flight: number; daily_compute_ms: number }>();
      };
      const busy = caller.infer('slow', int64s('rounds', ...new Array<number>(100).fill(0), 300));
      await vi.waitFor(async () => expect((await usage()).compute_ms).toBe(5050), SOON);
      const refused = await caller.infer('slow', int64s('rounds', 0, 0));
      expectProblem(refused, 'compute-budget-exceeded', { limit: 5120 });
      expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(86_400);
      expect((await busy).status).toBe(200);
      await vi.waitFor(
        async () => {
          const { compute_ms, in_flight, daily_compute_ms } = await usage();
          expect({ in_flight, daily_compute_ms }).toEqual({ in_flight: 0, daily_compute_ms: 5120 });
          expect(compute_ms).toBeGreaterThan(1);
          expect(compute_ms).toBeLessThan(5050);
        },
        { timeout: 10_000 },
      );
    });

    test('once it is used up nothing runs until the next UTC day', async () => {
      const caller = await tenantWith({ dailyComputeMs: 1 });
      const refused = await caller.infer('slow', int64s('rounds', 0));
      expectProblem(refused, 'compute-budget-exceeded');
      const now = new Date();
      const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1);
      const seconds = (midnight - now.getTime()) / 1000;
      expect(Math.abs(Number(refused.header('retry-after')) - seconds)).toBeLessThan(5);
    });
  });

  /** Sends `count` requests at once, each on a connection of its own. Returns how many had each status. */
  async function stampede(caller: ApiClient, agent: Agent, count: number): Promise<Map<number, number>> {
    const body = JSON.stringify({ inputs: fourOf(1) });
    const options = { method: 'POST', agent, headers: { authorization: `Bearer ${caller.key}` } };
    const statuses = await Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<number>((resolve, reject) => {
            const call = request(new URL(inferPath('row-sum'), caller.url), options, (response) => {
              response.resume().on('end', () => resolve(response.statusCode ?? 0));
            });
            call.on('error', reject).end(body);
          }),
      ),
    );
    const counts = new Map<number, number>();
    for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }

  describe(`${callers} concurrent callers of one quota`, () => {
    test.each([
      ['too slow a rate to lease', { requestsPerSecond: callers / 100, requestBurst: callers / 10 }],
      ['a rate that is leased in blocks', { requestsPerSecond: callers / 2, requestBurst: 0.4 * callers }],
    ])('never get more than the limit: %s', async (_, limits) => {
      const caller = await tenantWith({ ...limits, requestsInFlight: 5000, rowsPerMinute: 1_000_000 });
      const agent = new Agent({ keepAlive: true, maxSockets: callers });
      const startedMs = performance.now();
      let granted = 0;
      let refused = 0;
      try {
        for (let round = 0; round < 2; round += 1) {
          const counts = await stampede(caller, agent, callers);
          granted += counts.get(200) ?? 0;
          refused += counts.get(429) ?? 0;
          expect([...counts.keys()].filter((status) => status !== 200 && status !== 429)).toEqual([]);
        }
      } finally {
        agent.destroy();
      }
      const seconds = (performance.now() - startedMs) / 1000;
      const most = limits.requestBurst + limits.requestsPerSecond * seconds;
      expect(granted + refused).toBe(2 * callers);
      expect(granted).toBeLessThanOrEqual(most);
      // And the quota is there to be used: at the least the burst, less what leasing holds back of it.
      expect(granted).toBeGreaterThanOrEqual(0.9 * Math.min(limits.requestBurst, 2 * callers));
    });
  });
}
