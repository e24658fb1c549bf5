import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STREAMS } from '../../adapters/aws/environment.ts';
import { jobKey, openValidationKey, validationKey } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { AwsValidations } from '../../adapters/aws/validations.ts';
import type { Job } from '../../core/inference/job.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { durable, success } from '../contract/jobs-given.ts';
import { type AwsJobsRegion, NO_LOG, openAwsJobs } from '../support/aws/aws-jobs.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { aValidationRecord } from '../support/validation-records.ts';

let emulators: Emulators;
let region: AwsJobsRegion;
let jobs: ReturnType<AwsJobsRegion['openProcess']>['jobs'];
beforeAll(async () => {
  emulators = await startEmulators();
  region = await openAwsJobs(emulators);
  jobs = region.openProcess().jobs;
});
afterAll(() => emulators.stop());

type Image = Readonly<Record<string, AttributeValue>> | undefined;

async function imageOf(table: string, key: { readonly pk: string; readonly sk: string }): Promise<Image> {
  const { Item: item } = await emulators.dynamo.client.send(
    new GetItemCommand({ TableName: table, Key: marshall(key), ConsistentRead: true }),
  );
  return item;
}

/** What a stream says of a write to an item. */
async function changeOf(
  table: string,
  key: { readonly pk: string; readonly sk: string },
  write: () => Promise<unknown>,
) {
  const OldImage = await imageOf(table, key);
  await write();
  const NewImage = await imageOf(table, key);
  const eventName = OldImage === undefined ? 'INSERT' : NewImage === undefined ? 'REMOVE' : 'MODIFY';
  return { eventName, dynamodb: { Keys: marshall(key), OldImage, NewImage } };
}

/** As Lambda filters events: every leaf of a pattern lists what may be there. */
function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((rule) => allows(rule, value));
  return Object.entries(pattern as object).every(([name, inner]) =>
    matches(inner, (value as Record<string, unknown> | undefined)?.[name]),
  );
}

function allows(rule: unknown, value: unknown): boolean {
  if (typeof rule !== 'object' || rule === null) return rule === value;
  if ('exists' in rule) return rule.exists === (value !== undefined);
  const { 'anything-but': others } = rule as { 'anything-but': readonly unknown[] };
  return value !== undefined && !others.includes(value);
}

function invokes(name: keyof typeof STREAMS, change: object): boolean {
  return STREAMS[name].filters.some((filter) => matches(filter, change));
}

const ofJob = (job: Job, write: () => Promise<unknown>) => changeOf(region.table, jobKey(job.tenant, job.id), write);

test('the end of a job that somebody is to be told of invokes `notices`, once', async () => {
  const job = durable({ id: 'pred_a', notify: true });
  const until = region.clock.nowMs() + HOUR_MS;
  const nowMs = region.clock.nowMs();
  const steps = [
    () => jobs.create(job, until),
    () => jobs.markQueued(job.tenant, job.id),
    () => jobs.begin(job),
    () => jobs.finish(job, success(1)),
    () => jobs.takeEnded(nowMs + MINUTE_MS, nowMs + 2 * MINUTE_MS, 10),
    () => jobs.markNotified(job.tenant, job.id),
  ];
  const invoked = [];
  for (const step of steps) invoked.push(invokes('notices', await ofJob(job, step)));
  expect(invoked).toEqual([false, false, false, true, false, false]);
});

test('the end of a job that nobody is to be told of invokes nothing, until its notice is asked for', async () => {
  const job = durable({ id: 'pred_b', notify: false });
  await jobs.create(job, region.clock.nowMs() + HOUR_MS);
  expect(invokes('notices', await ofJob(job, () => jobs.finish(job, success(1))))).toBe(false);
  expect(invokes('notices', await ofJob(job, () => jobs.requestNotice(job)))).toBe(true);
});

test('a push that is accepted invokes `validate`; what happens to it then does not', async () => {
  const table = await emulators.dynamo.createTable();
  const clock = new SteppedClock();
  const validations = new AwsValidations(new Table(emulators.dynamo.client, table), NO_LOG, clock);
  const nowMs = clock.nowMs();
  const record = aValidationRecord(nowMs);
  const open = openValidationKey(record.createdAtMs, record.id);
  expect(invokes('validate', await changeOf(table, open, () => validations.add(record)))).toBe(true);
  expect(invokes('validate', await changeOf(table, open, () => validations.take(nowMs, nowMs + MINUTE_MS)))).toBe(
    false,
  );
  const taken = (await validations.read(record.id))!;
  const again = () => validations.update({ ...taken, expiresAtMs: taken.expiresAtMs + 1 });
  expect(invokes('validate', await changeOf(table, validationKey(record.id), again))).toBe(false);
});
