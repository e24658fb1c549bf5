import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsQualityReports } from '../../adapters/aws/quality-reports.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { QualityReports } from '../../core/ports/quality-reports.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { aJudgedWindow, aState } from '../support/drift.ts';
import { type Adapter, failureCodeOf } from './contract.ts';
import { describeQualityReportsContract } from './quality-reports.contract.ts';

let emulator: DynamoEmulator;
beforeAll(async () => {
  emulator = await DynamoEmulator.start();
});
afterAll(() => emulator.stop());

async function open() {
  const name = await emulator.createTable();
  const clock = new SteppedClock();
  const create = () => {
    const port = new AwsQualityReports({ table: new Table(emulator.client, name), clock, log: NO_LOG });
    // What expires is deleted by the table itself.
    return Object.assign(port, { purge: (nowMs: number) => emulator.expire(name, nowMs) });
  };
  return { name, clock, create };
}

const qualityReports: Adapter<QualityReports> = {
  async open() {
    const { clock, create } = await open();
    return clientSubject(clock, create);
  },
};
describeQualityReportsContract('aws', qualityReports);

test('a look at a version is one transaction, and all versions are one query', async () => {
  const { clock, create } = await open();
  const port = create();
  const { calls, stop } = recordCalls(emulator.client);
  await port.writeState(aState(clock.nowMs()), [aJudgedWindow(clock.nowMs())]);
  expect(calls.splice(0)).toEqual(['TransactWriteItems']);
  await port.listSummaries();
  expect(calls).toEqual(['Query']);
  stop();
});

test('what cannot be read is told of where it is asked for, and left out of lists', async () => {
  const { name, clock, create } = await open();
  const port = create();
  for (const version of ['1', '2']) await port.writeState(aState(clock.nowMs(), { version }), []);
  const { Items: items = [] } = await emulator.client.send(new ScanCommand({ TableName: name }));
  for (const item of items.filter(({ pk, sk }) => `${pk!.S}${sk!.S}`.includes('m@1')))
    await emulator.client.send(
      new PutItemCommand({ TableName: name, Item: { ...item, record: { B: Buffer.from('damaged') } } }),
    );
  expect(await failureCodeOf(port.readState('m', '1'))).toBe('record-damaged');
  expect((await port.listSummaries()).map(({ version }) => version)).toEqual(['2']);
});
