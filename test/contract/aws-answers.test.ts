import { afterAll, beforeAll } from 'vitest';
import { AwsAnswers } from '../../adapters/aws/answers.ts';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { AnswerStore } from '../../core/ports/answer-store.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { KmsEmulator } from '../support/aws/kms-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { describeAnswersContract } from './answers.contract.ts';
import type { Adapter } from './contract.ts';

let dynamo: DynamoEmulator;
let kms: KmsEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  kms = await KmsEmulator.start();
});
afterAll(async () => {
  await dynamo.stop();
  await kms.stop();
});

const answers: Adapter<AnswerStore> = {
  async open() {
    const table = new Table(dynamo.client, await dynamo.createTable());
    const name = await dynamo.createTable();
    const clock = new SteppedClock();
    const open = () => {
      const dataKeys = new AwsDataKeys(table, kms.client, 'alias/region', clock);
      const port = new AwsAnswers({ table: new Table(dynamo.client, name), dataKeys, clock, log: NO_LOG });
      // What expires is deleted by the table itself.
      return Object.assign(port, { purge: (nowMs: number) => dynamo.expire(name, nowMs) });
    };
    let port = open();
    return {
      get port() {
        return port;
      },
      nowMs: () => clock.nowMs(),
      advance: (ms) => clock.advance(ms),
      async reopen() {
        await port.close();
        port = open();
      },
      async crash() {
        port = open();
      },
      close: () => port.close(),
    };
  },
};

describeAnswersContract('aws', answers);
