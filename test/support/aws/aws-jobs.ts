import { Blobs } from '../../../adapters/aws/blobs.ts';
import { AwsDataKeys } from '../../../adapters/aws/data-keys.ts';
import { JobItems } from '../../../adapters/aws/job-items.ts';
import { AwsJobs } from '../../../adapters/aws/jobs.ts';
import { NOTICE_INDEX, UNSENT_INDEX } from '../../../adapters/aws/keys.ts';
import { Payloads } from '../../../adapters/aws/payloads.ts';
import { Table } from '../../../adapters/aws/table.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Emulators } from './emulators.ts';
import { SteppedClock } from './stepped-clock.ts';

export const NO_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A region's jobs table with its data keys and bucket; each process that works on it has ports of its own. */
export type AwsJobsRegion = {
  readonly table: string;
  readonly bucket: string;
  readonly clock: SteppedClock;
  openProcess(): {
    readonly jobs: AwsJobs;
    readonly dataKeys: AwsDataKeys;
    readonly payloads: Payloads;
    readonly blobs: Blobs;
  };
};

export async function openAwsJobs({ dynamo, kms, fauxqs }: Emulators): Promise<AwsJobsRegion> {
  const table = await dynamo.createTable([UNSENT_INDEX, NOTICE_INDEX]);
  const keys = await dynamo.createTable();
  const bucket = fauxqs.createBucket();
  const clock = new SteppedClock();
  return {
    table,
    bucket,
    clock,
    openProcess() {
      const blobs = new Blobs(fauxqs.s3, bucket);
      const dataKeys = new AwsDataKeys(new Table(dynamo.client, keys), kms.client, 'alias/region', clock);
      const payloads = new Payloads(dataKeys, blobs);
      const items = new JobItems(new Table(dynamo.client, table));
      return { jobs: new AwsJobs({ items, payloads, blobs, clock, log: NO_LOG }), dataKeys, payloads, blobs };
    },
  };
}
