import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sluice } from '../support/command-line.ts';
import { type ApiClient, fourOf } from '../support/http-client.ts';
import type { PlatformUnderTest } from '../support/platform-under-test.ts';
import { startRunning } from '../support/running-platform.ts';

let running: PlatformUnderTest;
let operator: ApiClient;
let acme: ApiClient;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum'], runners: 1 });
  operator = await running.addKey(undefined);
  acme = await running.addTenant('acme');
  expect((await acme.infer('row-sum', fourOf(1))).status).toBe(200);
  await vi.waitFor(async () => expect((await sluice(['cost', '--by', 'tenant'], operator)).stdout).toContain('acme'), {
    timeout: 20_000,
    interval: 500,
  });
}, 40_000);

afterAll(() => running.end());

test('an operator asks for the bill of all, a tenant for its own', async () => {
  const all = await sluice(['cost', '--by', 'tenant', '--json'], operator);
  expect(JSON.parse(all.stdout)).toMatchObject({ by: 'tenant', items: [{ tenant: 'acme', requests: 1 }] });
  const own = await sluice(['cost', '--tenant', 'acme', '--by', 'model'], acme);
  expect([own.code, own.stderr]).toEqual([0, '']);
  expect(own.stdout).toMatch(/row-sum.*total/s);
  const denied = await sluice(['cost'], acme);
  expect(denied.code).toBe(1);
  expect(denied.stderr).toContain('forbidden');
  expect((await sluice(['cost', '--by', 'colour'], operator)).code).toBe(1);
});

test('usage at a terminal tells of the month beside the day', async () => {
  const { stdout } = await sluice(['tenant', 'usage', 'acme'], acme);
  expect(stdout).toMatch(/daily_compute_ms.*month\.cost_usd/s);
});

test('a budget is set, listed and removed; what is no amount is refused before it is sent', async () => {
  const set = await sluice(['budget', 'set', 'tenant:acme', '--month', '20', '--alarm-at', '0.5,1'], operator);
  expect([set.code, set.stderr]).toEqual([0, '']);
  expect(set.stdout).toContain('50 %, 100 %');
  const listed = await sluice(['budget', 'list', '--json'], operator);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ scope: 'tenant:acme', usd_per_month: 20, usd_per_day: null }]);
  expect((await sluice(['budget', 'remove', 'tenant:acme'], operator)).stdout).toBe(
    'removed the budget of tenant:acme\n',
  );
  expect((await sluice(['budget', 'list'], operator)).stdout).toBe('none\n');
  const wrong = await sluice(['budget', 'set', 'region', '--day', 'much'], operator);
  expect([wrong.code, wrong.stderr.includes('an amount in US dollars')]).toEqual([1, true]);
});

test('orphans are listed, and none is told so', async () => {
  expect((await sluice(['orphans', '--days', '1'], operator)).stdout).toBe('none\n');
});
