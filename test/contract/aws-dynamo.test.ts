import { afterAll, beforeAll } from 'vitest';
import { AwsCapacity } from '../../adapters/aws/capacity.ts';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { AwsDirectory } from '../../adapters/aws/directory.ts';
import { AwsIdempotency } from '../../adapters/aws/idempotency.ts';
import { AwsLimits } from '../../adapters/aws/limits.ts';
import { AwsQuarantine } from '../../adapters/aws/quarantine.ts';
import { AwsRegistry } from '../../adapters/aws/registry.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { KmsEmulator } from '../support/aws/kms-emulator.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { describeCapacityContract } from './capacity.contract.ts';
import type { Adapter } from './contract.ts';
import { describeDataKeysContract } from './data-keys.contract.ts';
import { type DirectorySubject, describeDirectoryContract } from './directory.contract.ts';
import { describeIdempotencyContract } from './idempotency.contract.ts';
import { describeLimitsContract } from './limits.contract.ts';
import { describeQuarantineContract } from './quarantine.contract.ts';
import { describeRegistryContract } from './registry.contract.ts';

let emulator: DynamoEmulator;
let kms: KmsEmulator;
beforeAll(async () => {
  emulator = await DynamoEmulator.start();
  kms = await KmsEmulator.start();
});
afterAll(async () => {
  await emulator.stop();
  await kms.stop();
});

/** A client of a service: its crash loses nothing, and what time it is its callers say. Places end by the whole second. */
function onTable<P>(create: (table: Table, clock: Clock) => P): Adapter<P> {
  return {
    async open() {
      const name = await emulator.createTable();
      const clock = new SteppedClock();
      return clientSubject(clock, () => create(new Table(emulator.client, name), clock));
    },
  };
}

const directory: Adapter<DirectorySubject['port'], DirectorySubject> = {
  async open() {
    const subject = await onTable<DirectorySubject['port']>((table) => new AwsDirectory(table)).open();
    return Object.defineProperty(subject, 'other', { get: () => subject.port }) as DirectorySubject;
  },
};

describeDirectoryContract('aws', directory);
describeIdempotencyContract(
  'aws',
  onTable((table) => new AwsIdempotency(table)),
);
describeLimitsContract(
  'aws',
  onTable((table) => new AwsLimits(table)),
);
describeCapacityContract(
  'aws',
  onTable((table) => new AwsCapacity(table)),
);
describeQuarantineContract(
  'aws',
  onTable((table, clock) => new AwsQuarantine(table, clock)),
);
describeDataKeysContract(
  'aws',
  onTable((table, clock) => new AwsDataKeys(table, kms.client, 'alias/region', clock)),
);
describeRegistryContract(
  'aws',
  onTable((table) => new AwsRegistry(table, NO_LOG)),
);
