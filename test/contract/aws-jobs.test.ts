import { afterAll, beforeAll } from 'vitest';
import type { Jobs } from '../../core/ports/jobs.ts';
import { openAwsJobs } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import type { Adapter } from './contract.ts';
import { describeJobsContract } from './jobs.contract.ts';

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

const aws: Adapter<Jobs> = {
  async open() {
    const { clock, table, openProcess } = await openAwsJobs(emulators);
    // What expires is deleted by the table itself.
    const open = () =>
      Object.assign(openProcess().jobs, { purge: (nowMs: number) => emulators.dynamo.expire(table, nowMs) });
    return clientSubject(clock, open);
  },
};

describeJobsContract('aws', aws);
