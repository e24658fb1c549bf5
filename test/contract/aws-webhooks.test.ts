import { afterAll, beforeAll } from 'vitest';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { AwsWebhooks } from '../../adapters/aws/webhooks.ts';
import type { Webhooks } from '../../core/ports/webhooks.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { KmsEmulator } from '../support/aws/kms-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import type { Adapter } from './contract.ts';
import { describeWebhooksContract } from './webhooks.contract.ts';

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

const webhooks: Adapter<Webhooks> = {
  async open() {
    const table = new Table(dynamo.client, await dynamo.createTable());
    const name = await dynamo.createTable();
    const clock = new SteppedClock();
    const open = () => {
      const dataKeys = new AwsDataKeys(table, kms.client, 'alias/region', clock);
      const port = new AwsWebhooks({ table: new Table(dynamo.client, name), dataKeys, clock, log: NO_LOG });
      // What expires is deleted by the table itself.
      return Object.assign(port, { purge: (nowMs: number) => dynamo.expire(name, nowMs, 'delivery#') });
    };
    return clientSubject(clock, open);
  },
};

describeWebhooksContract('aws', webhooks);
