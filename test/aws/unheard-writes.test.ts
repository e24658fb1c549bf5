import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dynamoClient } from '../../adapters/aws/clients.ts';
import { AwsIdempotency } from '../../adapters/aws/idempotency.ts';
import { AwsLimits } from '../../adapters/aws/limits.ts';
import { Table } from '../../adapters/aws/table.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { ServiceProxy } from '../support/aws/service-proxy.ts';

/** A write is done and its answer is lost on the way, so that the SDK tries again. */
let dynamo: DynamoEmulator;
let proxy: ServiceProxy;
let table: Table;

beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  const { protocol, hostname, port } = await dynamo.client.config.endpoint!();
  proxy = await ServiceProxy.start(`${protocol}//${hostname}:${port}`);
});

afterAll(async () => {
  proxy.stop();
  await dynamo.stop();
});

beforeEach(async () => {
  proxy.judge = () => 'done';
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = dynamoClient({ region: 'us-east-1', endpoint: proxy.url, credentials });
  table = new Table(client, await dynamo.createTable());
});

/** The next call of this operation is not heard of. */
function loseAnswerOf(operation: string): void {
  let isLost = false;
  proxy.judge = (call) => {
    if (isLost || call.operation !== operation) return 'done';
    isLost = true;
    return 'unheard';
  };
}

const NOW_MS = Date.now();
const reservation = (id: string) => ({
  tenant: 'acme',
  id,
  computeMs: 10,
  dailyComputeMs: 1000,
  inFlightLimit: 2,
  expiresAtMs: NOW_MS + 60_000,
});

test('a claim that was written finds itself in its way, and holds', async () => {
  const idempotency = new AwsIdempotency(table);
  const key = { tenant: 'acme', principal: 'key:1', route: 'infer/m/', key: 'k' };
  const record = { fingerprint: 'f', jobId: 'pred_1', leaseUntilMs: NOW_MS + 1000, expiresAtMs: NOW_MS + 60_000 };
  loseAnswerOf('PutItem');
  expect(await idempotency.claim(key, record, NOW_MS)).toBe('claimed');
  const late = { ...record, jobId: 'pred_2' };
  expect(await idempotency.claim(key, late, NOW_MS)).toEqual(record);
});

test('a place that is given back is given back once: never are more in flight than the limit', async () => {
  const limits = new AwsLimits(table);
  for (const id of ['a', 'b']) expect(await limits.reserve(reservation(id), NOW_MS)).toEqual({ kind: 'granted' });
  loseAnswerOf('UpdateItem');
  await limits.settle('acme', 'a', 1, NOW_MS).catch(() => {});
  proxy.judge = () => 'done';
  await limits.settle('acme', 'a', 1, NOW_MS);
  expect((await limits.usage('acme', NOW_MS)).inFlight).toBe(1);
});

test('a place is taken once; whose caller did not hear of it ends by itself', async () => {
  const limits = new AwsLimits(table);
  await limits.reserve(reservation('a'), NOW_MS);
  loseAnswerOf('UpdateItem');
  await expect(limits.reserve(reservation('b'), NOW_MS)).rejects.toMatchObject({ code: 'storage-unavailable' });
  expect((await limits.usage('acme', NOW_MS)).inFlight).toBe(2);
  expect((await limits.usage('acme', NOW_MS + 62_000)).inFlight).toBe(0);
});
