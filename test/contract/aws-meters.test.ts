import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsBudgets } from '../../adapters/aws/budgets.ts';
import { AwsMeters } from '../../adapters/aws/meters.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Budgets } from '../../core/ports/budgets.ts';
import type { Meters } from '../../core/ports/meters.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { aMeterRecord, aUse } from '../support/meters.ts';
import { describeBudgetsContract } from './budgets.contract.ts';
import type { Adapter } from './contract.ts';
import { describeMetersContract } from './meters.contract.ts';

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
    const port = new AwsMeters({ table: new Table(emulator.client, name), clock, log });
    // What expires is deleted by the table itself.
    return Object.assign(port, { purge: (nowMs: number) => emulator.expire(name, nowMs) });
  };
  const items = async () => (await emulator.client.send(new ScanCommand({ TableName: name }))).Items ?? [];
  return { name, clock, logged, create, items };
}

const meters: Adapter<Meters> = {
  async open() {
    const { clock, create } = await open();
    return clientSubject(clock, create);
  },
};
const budgets: Adapter<Budgets> = {
  async open() {
    const name = await emulator.createTable();
    return clientSubject(new SteppedClock(), () => new AwsBudgets(new Table(emulator.client, name), NO_LOG));
  },
};
describeMetersContract('aws', meters);
describeBudgetsContract('aws', budgets);

test('a record is one put, however many requests it tells of, and a day of a few workers one query', async () => {
  const { clock, create } = await open();
  const port = create();
  const { calls, stop } = recordCalls(emulator.client);
  for (const writer of ['a', 'b', 'c'])
    await port.save(aMeterRecord(clock.nowMs(), { writer, uses: [aUse({ requests: 1e9 })] }));
  expect(calls.splice(0)).toEqual(new Array(3).fill('PutItem'));
  expect(await port.read(aMeterRecord(clock.nowMs()).day)).toHaveLength(3);
  expect(calls).toEqual(['Query']);
  stop();
});

test('a record of twenty tenants is one write unit, the largest far below what an item may be', async () => {
  const { clock, create, items } = await open();
  const port = create();
  const usesOf = (length: number) =>
    Array.from({ length }, (_, at) =>
      aUse({ tenant: `tenant-${(at * 7919) % 10_007}`, computeMs: at * 1.125, rows: at }),
    );
  await port.save(aMeterRecord(clock.nowMs(), { uses: usesOf(20) }));
  await port.save(aMeterRecord(clock.nowMs(), { uses: usesOf(3000), part: 1 }));
  const bytes = (await items()).map(({ encoded }) => encoded!.B!.length).sort((a, b) => a - b);
  expect(bytes[0]).toBeLessThan(900);
  expect(bytes[1]).toBeLessThan(100 * 1024);
});

test('one that cannot be read is left out with a line in the log', async () => {
  const { name, clock, create, items, logged } = await open();
  const port = create();
  const record = aMeterRecord(clock.nowMs());
  for (const part of [0, 1]) await port.save({ ...record, part });
  const [first] = await items();
  await emulator.client.send(
    new PutItemCommand({ TableName: name, Item: { ...first!, encoded: { B: Buffer.from('damaged') } } }),
  );
  expect(await port.read(record.day)).toHaveLength(1);
  expect(logged).toHaveLength(1);
});
