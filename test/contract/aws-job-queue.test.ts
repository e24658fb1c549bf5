import { afterAll, beforeAll } from 'vitest';
import { AwsJobQueue } from '../../adapters/aws/job-queue.ts';
import type { JobQueue } from '../../core/ports/job-queue.ts';
import { SECOND_MS } from '../../core/units.ts';
import { NO_LOG, openAwsJobs } from '../support/aws/aws-jobs.ts';
import { createLanes } from '../support/aws/aws-queue.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { FrozenTime } from '../support/aws/frozen-time.ts';
import type { Adapter } from './contract.ts';
import { describeJobQueueContract } from './job-queue.contract.ts';

/** As the contract receives. */
const VISIBILITY_MS = 10 * SECOND_MS;

const time = new FrozenTime();
let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
  time.start();
});
afterAll(async () => {
  time.stop();
  await emulators.stop();
});

const aws: Adapter<JobQueue> = {
  deviations: {
    'says how long the first that waits has waited': 'SQS tells CloudWatch alone',
    "erases a tenant's messages, waiting or in flight, and no other's":
      'SQS finds no messages by tenant: they cannot be opened once the key is destroyed, see test/aws/job-queue.test.ts',
  },
  async open() {
    const queues = { default: createLanes(emulators.fauxqs), gpu: createLanes(emulators.fauxqs) };
    const { openProcess } = await openAwsJobs(emulators);
    const open = () => {
      const { payloads } = openProcess();
      const parts = { client: emulators.fauxqs.sqs, queues, payloads, clock: time, log: NO_LOG };
      return new AwsJobQueue({ ...parts, onUndeliverable: async () => {} });
    };
    let port = open();
    return {
      get port() {
        return port;
      },
      nowMs: () => time.nowMs(),
      advance: async (ms) => time.advance(ms),
      async reopen() {
        port = open();
      },
      // What a worker held when it died comes again when its visibility ends.
      async crash() {
        port = open();
        time.advance(VISIBILITY_MS);
      },
      close: async () => {},
    };
  },
};

describeJobQueueContract('aws', aws);
