import { afterAll, beforeAll } from 'vitest';
import { AwsLogLevels } from '../../adapters/aws/log-levels.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { LogLevels } from '../../core/ports/log-levels.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import type { Adapter } from './contract.ts';
import { describeLogLevelsContract } from './log-levels.contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const aws: Adapter<LogLevels> = {
  async open() {
    const table = new Table(dynamo.client, await dynamo.createTable());
    return clientSubject(new SteppedClock(), () => new AwsLogLevels(table));
  },
};

describeLogLevelsContract('aws', aws);
