import { BatchWriteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Table } from '../../adapters/aws/table.ts';
import { AwsTelemetry } from '../../adapters/aws/telemetry.ts';
import type { Telemetries } from '../../core/ports/telemetry.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { aReport, aTelemetry } from '../support/telemetry.ts';
import type { Adapter } from './contract.ts';
import { describeTelemetryContract } from './telemetry.contract.ts';

let emulator: DynamoEmulator;
beforeAll(async () => {
  emulator = await DynamoEmulator.start();
});
afterAll(() => emulator.stop());

async function open() {
  const name = await emulator.createTable();
  const clock = new SteppedClock();
  const logged: string[] = [];
  const log = { ...NO_LOG, error: (message: string, cause: unknown) => void logged.push(`${message} ${cause}`) };
  const create = () => {
    const port = new AwsTelemetry({ table: new Table(emulator.client, name), clock, log });
    // What expires is deleted by the table itself.
    const purge = async (nowMs: number) => {
      const before = (await items()).length;
      await emulator.expire(name, nowMs);
      return before - (await items()).length;
    };
    return Object.assign(port, { purge });
  };
  const all = async () => (await emulator.client.send(new ScanCommand({ TableName: name }))).Items ?? [];
  /** Reports. */
  const items = async () => (await all()).filter(({ pk }) => pk!.S!.startsWith('telemetry#'));
  return { name, clock, logged, create, items };
}

const adapter: Adapter<Telemetries> = {
  async open() {
    const { clock, create } = await open();
    return clientSubject(clock, create);
  },
};
describeTelemetryContract('aws', adapter);

test('a hundred reports are four calls, and a read of a few minutes one small query of each shard', async () => {
  const { clock, create } = await open();
  const nowMs = clock.nowMs();
  const telemetry = create();
  const { calls, stop } = recordCalls(emulator.client);
  await telemetry.append(Array.from({ length: 100 }, (_, at) => aReport(nowMs, { sequence: at, shard: at % 16 })));
  // One more marks that the version was active, once.
  expect(calls.splice(0)).toEqual(new Array(5).fill('BatchWriteItem'));
  await telemetry.append(Array.from({ length: 50 }, (_, at) => aReport(nowMs, { sequence: 50 + at, shard: at % 4 })));
  expect(calls.splice(0)).toEqual(new Array(2).fill('BatchWriteItem'));
  expect((await telemetry.read('m', '1', nowMs, nowMs + 60 * SECOND_MS)).requests).toBe(150);
  expect(calls).toEqual(new Array(16).fill('Query'));
  stop();
});

test('what a throttled table leaves of a batch is written all the same', async () => {
  const { name, clock } = await open();
  const nowMs = clock.nowMs();
  const { client } = emulator;
  const throttled = Object.create(client) as typeof client;
  const sent: string[] = [];
  throttled.send = (async (command: PutItemCommand) => {
    sent.push(command.constructor.name);
    if (!(command instanceof BatchWriteItemCommand)) return client.send(command);
    const requests = command.input.RequestItems![name]!;
    await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: requests.slice(0, 2) } }));
    return { UnprocessedItems: { [name]: requests.slice(2) } };
  }) as typeof client.send;
  const telemetry = new AwsTelemetry({ table: new Table(throttled, name), clock, log: NO_LOG });
  await telemetry.append([1, 2].map((sequence) => aReport(nowMs, { sequence })));
  sent.length = 0;
  await telemetry.append([1, 2, 3, 4, 5].map((sequence) => aReport(nowMs, { sequence })));
  expect(sent).toEqual(['BatchWriteItemCommand', 'PutItemCommand', 'PutItemCommand', 'PutItemCommand']);
  expect((await telemetry.read('m', '1', nowMs, nowMs + 1)).requests).toBe(5);
});

test('one that cannot be read is left out with a line in the log, and nothing of it is in that line', async () => {
  const { name, clock, create, items, logged } = await open();
  const nowMs = clock.nowMs();
  const telemetry = create();
  const secret = aTelemetry({ label: 'secret' });
  await telemetry.append([1, 2, 3].map((sequence) => aReport(nowMs, { sequence, telemetry: secret })));
  const [first, second] = await items();
  const damage = (item: typeof first, encoded: Uint8Array) =>
    emulator.client.send(new PutItemCommand({ TableName: name, Item: { ...item!, encoded: { B: encoded } } }));
  await damage(first, first!.encoded!.B!.subarray(0, 50));
  await damage(second, Buffer.from('secret'));
  expect((await telemetry.read('m', '1', nowMs, nowMs + 1)).requests).toBe(1);
  expect(logged).toHaveLength(2);
  expect(logged.join()).not.toContain('secret');
});

test('the largest report is far below what an item may be, and a small one costs two write units', async () => {
  const { clock, create, items } = await open();
  const nowMs = clock.nowMs();
  await create().append([
    aReport(nowMs, { sequence: 1 }),
    aReport(nowMs, { sequence: 2, telemetry: aTelemetry({ tenants: 512, labels: 512, cohorts: 200 }) }),
  ]);
  const bytes = (await items()).map(({ encoded }) => encoded!.B!.length).sort((a, b) => a - b);
  expect(bytes[0]).toBeLessThan(1500);
  expect(bytes[1]).toBeLessThan(100 * 1024);
});

test('an hour of minutes is read by one query, and which versions were active by four for each ten minutes', async () => {
  const { clock, create } = await open();
  const hourMs = Math.floor(clock.nowMs() / HOUR_MS) * HOUR_MS - HOUR_MS;
  const telemetry = create();
  const rollUp = { span: 'minute', model: 'm', version: '1', reports: 1, telemetry: aTelemetry() } as const;
  await telemetry.keepRollUps(Array.from({ length: 60 }, (_, at) => ({ ...rollUp, startMs: hourMs + at * MINUTE_MS })));
  await telemetry.markRolled({
    sinceMs: hourMs,
    minutesMs: hourMs + HOUR_MS,
    settledMs: hourMs + HOUR_MS,
    hoursMs: hourMs,
  });
  const { calls, stop } = recordCalls(emulator.client);
  expect(await telemetry.series('m', '1', hourMs, hourMs + HOUR_MS, MINUTE_MS)).toHaveLength(60);
  expect(calls.splice(0)).toEqual(['GetItem', 'Query']);
  await telemetry.activeVersions(hourMs, hourMs + HOUR_MS);
  expect(calls.splice(0)).toEqual(new Array(24).fill('Query'));
  await telemetry.activeVersions(hourMs - 30 * DAY_MS, hourMs + HOUR_MS);
  expect(calls).toEqual(new Array(31).fill('Query'));
  stop();
});
