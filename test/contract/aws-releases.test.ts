import { afterAll, beforeAll } from 'vitest';
import { AwsReleases } from '../../adapters/aws/releases.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Releases } from '../../core/ports/releases.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import type { Adapter } from './contract.ts';
import { describeReleasesContract } from './releases.contract.ts';

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const releases: Adapter<Releases> = {
  async open() {
    const name = await dynamo.createTable();
    return clientSubject(new SteppedClock(), () => new AwsReleases(new Table(dynamo.client, name), NO_LOG));
  },
};

describeReleasesContract('aws', releases);
