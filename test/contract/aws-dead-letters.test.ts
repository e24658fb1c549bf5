import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsDeadLetters } from '../../adapters/aws/dead-letters.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { DeadLetters } from '../../core/ports/dead-letters.ts';
import { DAY_MS } from '../../core/units.ts';
import { openAwsJobs } from '../support/aws/aws-jobs.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { aJob, floats } from '../support/jobs.ts';
import { type Adapter, withMore } from './contract.ts';
import { aLetter, type DeadLettersSubject, describeDeadLettersContract } from './dead-letters.contract.ts';

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

async function open() {
  const region = await openAwsJobs(emulators);
  const create = () => {
    const { payloads } = region.openProcess();
    return new AwsDeadLetters(new Table(emulators.dynamo.client, region.table), payloads);
  };
  return { region, create };
}

const aws: Adapter<DeadLetters, DeadLettersSubject> = {
  async open() {
    const { region, create } = await open();
    // A process of its own keeps a key that it has read for five minutes.
    const subject = clientSubject<DeadLetters>(region.clock, create);
    return withMore(subject, {
      async destroyKey(tenant: string) {
        await region.openProcess().dataKeys.destroy(tenant);
        await subject.reopen();
      },
    });
  },
};

describeDeadLettersContract('aws', aws);

test('a large job can be run for two days, as long as the bucket has it, and is shown so; removed, nothing is left of it', async () => {
  const { region, create } = await open();
  const [letters, nowMs] = [create(), region.clock.nowMs()];
  const job = aJob({ durable: true, inputs: [floats('x', [1, 100_000], [7])] });
  const letter = aLetter(job, nowMs);
  await letters.add(letter, job);
  expect(await letters.readJob('acme', letter.id, nowMs + 2 * DAY_MS - 1)).toEqual(job);
  const late = nowMs + 2 * DAY_MS;
  expect(await letters.readJob('acme', letter.id, late)).toBeUndefined();
  expect((await letters.list({}, 10, late)).items).toEqual([{ ...letter, redrivable: false }]);
  await letters.remove('acme', letter.id);
  const left = await emulators.fauxqs.s3.send(new ListObjectsV2Command({ Bucket: region.bucket }));
  expect(left.KeyCount ?? 0).toBe(0);
});
