import { afterAll, beforeAll } from 'vitest';
import { Table } from '../../adapters/aws/table.ts';
import { AwsWatches } from '../../adapters/aws/watches.ts';
import type { Watches } from '../../core/ports/watches.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { BROKEN_WATCHES } from '../support/broken-watches.ts';
import type { Adapter } from './contract.ts';
import { expectCaught } from './expect-caught.ts';
import { describeWatchesContract, watchesCases } from './watches.contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const aws: Adapter<Watches> = {
  async open() {
    const table = new Table(dynamo.client, await dynamo.createTable());
    return clientSubject<Watches>(new SteppedClock(), () => new AwsWatches(table, NO_LOG));
  },
};

describeWatchesContract('aws', aws);
expectCaught('watches', watchesCases, aws, BROKEN_WATCHES);
