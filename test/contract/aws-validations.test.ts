import { afterAll, beforeAll } from 'vitest';
import { Table } from '../../adapters/aws/table.ts';
import { AwsValidations } from '../../adapters/aws/validations.ts';
import type { Validations } from '../../core/ports/validations.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import type { Adapter } from './contract.ts';
import { describeValidationsContract } from './validations.contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const validations: Adapter<Validations> = {
  async open() {
    const name = await dynamo.createTable();
    const clock = new SteppedClock();
    // What expires is deleted by the table itself.
    const open = () =>
      Object.assign(new AwsValidations(new Table(dynamo.client, name), NO_LOG, clock), {
        purge: (nowMs: number) => dynamo.expire(name, nowMs, 'validation#'),
      });
    return clientSubject(clock, open);
  },
};

describeValidationsContract('aws', validations);
