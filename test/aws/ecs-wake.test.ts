import { afterAll, beforeAll, expect, test } from 'vitest';
import { EcsWake } from '../../adapters/aws/ecs-wake.ts';
import { Table } from '../../adapters/aws/table.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { FakeEcs } from '../support/aws/fake-ecs.ts';
import { serviceError, stubCalls } from '../support/aws/stub-calls.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SERVICE = 'test-default';
const NOW_MS = 1_800_000_000_000;

let dynamo: DynamoEmulator;
let ecs: FakeEcs;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  ecs = await FakeEcs.start();
});
afterAll(() => Promise.all([dynamo.stop(), ecs.stop()]));

async function open(cluster = 'cluster') {
  ecs.set(SERVICE, 0);
  ecs.calls.length = 0;
  const [logged, lines]: [string[], string[]] = [[], []];
  const log = new JsonLog({ write: (line) => logged.push(line) }, new ManualClock());
  const table = new Table(dynamo.client, await dynamo.createTable());
  const names = { cluster, deployment: 'test', region: 'us' };
  const wake = new EcsWake({ ...names, client: ecs.client, table, log, write: (line) => lines.push(line) });
  return { wake, logged, lines };
}

test('a table that does not answer is no failure of a request: the start is thought to take what it takes, and tried again', async () => {
  const { wake, logged } = await open();
  const release = stubCalls(dynamo.client, () => serviceError('InternalServerError'));
  expect(await wake.wake('default', NOW_MS)).toBe(2.5 * MINUTE_MS);
  await wake.started('default', NOW_MS);
  release();
  expect(logged).toHaveLength(2);
  expect(ecs.calls).toEqual([]);
  expect(await wake.wake('default', NOW_MS + SECOND_MS)).toBe(2.5 * MINUTE_MS);
  expect(ecs.updatesOf(SERVICE)).toBe(1);
});

test('a pool without a service is told to operators, not to callers', async () => {
  const { wake, logged } = await open();
  expect(await wake.wake('gone', NOW_MS)).toBeGreaterThan(0);
  expect(logged.join()).toContain('a pool without workers was not woken');
});

test('where the cluster starts workers by itself nobody is asked, and starts are measured all the same', async () => {
  const { wake, logged } = await open('');
  expect(await wake.wake('default', NOW_MS)).toBe(2.5 * MINUTE_MS);
  expect(await wake.wake('default', NOW_MS + 1.5 * MINUTE_MS)).toBe(MINUTE_MS);
  await wake.started('default', NOW_MS + 2 * MINUTE_MS);
  expect(await wake.wake('default', NOW_MS + 60 * MINUTE_MS)).toBe(2 * MINUTE_MS);
  expect(ecs.calls).toEqual([]);
  expect(logged.join()).not.toContain('not woken');
});

test('an instance that never comes does not make a start look imminent, nor endless', async () => {
  const { wake } = await open();
  await wake.wake('default', NOW_MS);
  expect(await wake.wake('default', NOW_MS + 30 * MINUTE_MS)).toBe(3 * MINUTE_MS);
  expect(await wake.wake('default', NOW_MS + 1000 * MINUTE_MS)).toBe(10 * MINUTE_MS);
  await wake.started('default', NOW_MS + 1000 * MINUTE_MS);
  ecs.set(SERVICE, 0);
  // No start: it is not what the next one is expected to take.
  expect(await wake.wake('default', NOW_MS + 1010 * MINUTE_MS)).toBe(2.5 * MINUTE_MS);
});

test('submissions that found no worker are told as a metric, a line a second at the most', async () => {
  const { wake, lines } = await open();
  for (let at = 0; at < 50; at += 1) await wake.wake('default', NOW_MS + at * 50);
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told.map(({ ColdSubmits }) => ColdSubmits)).toEqual([1, 20, 20]);
  expect(told[0]).toMatchObject({ Deployment: 'test', Region: 'us', Pool: 'default' });
  expect(told[0]).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: 'Sluice', Metrics: [{ Name: 'ColdSubmits' }] }] },
  });
});
