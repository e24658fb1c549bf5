import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsCapacity } from '../../adapters/aws/capacity.ts';
import { heartbeatPartition } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { CapacityReport } from '../../core/ports/capacity.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { serviceError, stubCalls } from '../support/aws/stub-calls.ts';

let dynamo: DynamoEmulator;
let capacity: AwsCapacity;

beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  capacity = new AwsCapacity(new Table(dynamo.client, await dynamo.createTable()));
});
afterAll(() => dynamo.stop());

function report(worker: string, atMs: number, changes: Partial<CapacityReport> = {}): Promise<void> {
  const idle = { pool: 'default', runners: 1, backlogMs: 0, rowMs: {}, loaded: [], breakers: {}, draining: false };
  return capacity.report({ ...idle, worker, atMs, ...changes });
}

test('a worker that reports ten times a second costs one write a second, and one more for each change that is urgent', async () => {
  const { calls, stop } = recordCalls(dynamo.client);
  for (let tenths = 0; tenths < 50; tenths += 1) await report('w1', 1_000_000 + tenths * 100, { backlogMs: tenths });
  expect(calls).toEqual(['PutItem', 'Query', ...Array.from({ length: 4 }, () => 'PutItem')]);
  await report('w1', 1_005_000, { draining: true });
  await report('w1', 1_005_001, { draining: true });
  await report('w2', 1_005_001);
  stop();
  expect(calls).toHaveLength(9);
});

test('a report that could not be written is followed by the next one at once', async () => {
  const release = stubCalls(dynamo.client, () => serviceError('InternalServerError'));
  await expect(report('w3', 1)).rejects.toMatchObject({ code: 'storage-unavailable' });
  release();
  await report('w3', 2);
  expect((await capacity.read('default', 2)).map(({ worker, atMs }) => [worker, atMs])).toContainEqual(['w3', 2]);
});

test('a worker that starts takes away what is left of those that are gone, so that reads do not pay for them', async () => {
  const table = new Table(dynamo.client, await dynamo.createTable());
  const idle = { pool: 'p', runners: 1, backlogMs: 0, rowMs: {}, loaded: [], breakers: {}, draining: false };
  for (let dead = 0; dead < 30; dead += 1)
    await new AwsCapacity(table).report({ ...idle, worker: `d${dead}`, atMs: 1 });
  await new AwsCapacity(table).report({ ...idle, worker: 'silent', atMs: 40_000 });
  await new AwsCapacity(table).report({ ...idle, worker: 'new', atMs: 90_000 });
  const left = await Array.fromAsync(table.query(heartbeatPartition('p')));
  expect(left.map(({ sk }) => sk)).toEqual(['new', 'silent']);
});

test('a pool that has workers is read twice a second by a process that may, one without whenever it is asked for', async () => {
  const reader = new AwsCapacity(new Table(dynamo.client, await dynamo.createTable()), 500);
  const { calls, stop } = recordCalls(dynamo.client);
  for (let at = 0; at < 10; at += 1) expect(await reader.read('p', 1000 + at)).toEqual([]);
  expect(calls).toHaveLength(10);
  stop();
  const idle = { pool: 'p', runners: 1, backlogMs: 0, rowMs: {}, loaded: [], breakers: {}, draining: false };
  await reader.report({ ...idle, worker: 'w', atMs: 2000 });
  const { calls: reads, stop: stopReads } = recordCalls(dynamo.client);
  for (let at = 0; at < 1000; at += 100) expect(await reader.read('p', 2000 + at)).toHaveLength(1);
  stopReads();
  expect(reads).toHaveLength(2);
});
