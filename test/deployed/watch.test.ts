import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CANARY_TENANT } from '../../core/tenancy/canary.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { type ApiClient, fourOf } from '../support/http-client.ts';

const REQUESTS = 60;

let cloud: Cloud;
let platform: DeployedPlatform;
let operator: ApiClient;

beforeAll(async () => {
  cloud = await startCloud();
  platform = await DeployedPlatform.start(cloud, { models: ['row-sum'], runners: 1 });
  operator = await platform.addKey(undefined);
  const acme = await platform.addTenant('acme');
  const values = Array.from({ length: REQUESTS }, (_, value) => value);
  while (values.length > 0)
    await Promise.all(values.splice(0, 10).map((value) => acme.infer('row-sum', fourOf(value))));
}, 180_000);

afterAll(async () => {
  await platform?.end();
  await cloud?.stop();
});

const watch = () => platform.region().deployed.functions.watch.run({});
const list = async <T>(path: string) => (await operator.get(path)).json<{ items: T[] }>().items;

test('a look measures what was asked a minute ago, publishes it, and asks the region as its canary', async () => {
  await vi.waitFor(
    async () => {
      await watch();
      const alarms = await list<{ name: string; state: string; value: number | null }>('/control/v1/alarms');
      expect(alarms.find(({ name }) => name === 'server-errors')).toMatchObject({ state: 'ok', value: 0 });
    },
    { timeout: 100_000, interval: 2000 },
  );
  const checks = await list<{ check: string; ok: boolean; status: number; region: string }>('/control/v1/checks');
  expect(new Set(checks.map(({ check }) => check))).toEqual(new Set(['live', 'models', 'predict']));
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  const published = platform.logLines.filter((line) => line.includes('"_aws"')).map((line) => JSON.parse(line));
  const dimensions = new Set(published.flatMap(({ _aws }) => _aws.CloudWatchMetrics[0].Dimensions[0] as string[]));
  expect([...dimensions].sort()).toEqual(['Alarm', 'Check', 'Deployment', 'Lane', 'Model', 'Pool', 'Region']);
  expect(JSON.stringify(published)).not.toContain('acme');
}, 120_000);

test('checks are in no number of the model that they ask, nor in those of its tenants', async () => {
  const { total } = (await operator.get('/control/v1/models/row-sum/metrics')).json<{
    total: { requests: number; tenants: { tenant: string }[] };
  }>();
  expect(total.requests).toBe(REQUESTS);
  expect(total.tenants.map(({ tenant }) => tenant)).not.toContain(CANARY_TENANT);
});

test('is what its policy allows, and no table is written but that of numbers', () => {
  expect(platform.access().filter(({ process }) => process === 'watch' || process === 'setup')).toEqual([]);
});
