import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../core/failure.ts';
import type { Job, Outcome } from '../../core/inference/job.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { saidBy, success } from '../contract/jobs-given.ts';
import { type AwsJobsRegion, openAwsJobs } from '../support/aws/aws-jobs.ts';
import { type Emulators, recordCalls, startEmulators } from '../support/aws/emulators.ts';
import { aJob, floats } from '../support/jobs.ts';

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

/** 400 KB of input: more than stays in an item. */
function large(changes: Partial<Job> = {}): Job {
  return aJob({ durable: true, inputs: [floats('x', [1, 100_000], [1, 2, 3])], ...changes });
}

async function blobsOf({ bucket }: AwsJobsRegion): Promise<string[]> {
  const { Contents: found = [] } = await emulators.fauxqs.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return found.map(({ Key }) => Key!);
}

test('a handler hears of what a worker elsewhere did, of a job with an item and of one without', async () => {
  const region = await openAwsJobs(emulators);
  const [handler, worker] = [region.openProcess().jobs, region.openProcess().jobs];
  for (const durable of [true, false]) {
    const job = aJob({ durable });
    if (durable) await handler.create(job, region.clock.nowMs() + DAY_MS);
    const wait = handler.wait(job, region.clock.nowMs() + 10 * SECOND_MS);
    await worker.begin(job);
    await worker.finish(job, success(7));
    expect(saidBy(await wait)).toBe(7);
  }
});

test('a job that is cancelled or erased elsewhere is not begun, and who waits is told', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs: handler } = region.openProcess();
  const { jobs: other } = region.openProcess();
  const { jobs: worker } = region.openProcess();
  const untilMs = region.clock.nowMs() + 10 * SECOND_MS;
  const waiting = aJob();
  const gone = new AbortController();
  const left = handler.wait(waiting, untilMs, gone.signal);
  gone.abort();
  expect(await left).toBeUndefined();
  expect(await other.cancel('acme', waiting.id, region.clock.nowMs())).toBe('unknown');
  expect(await handler.cancel('acme', waiting.id, region.clock.nowMs())).toBe('cancelled');
  expect(await worker.begin(waiting)).toEqual({ kind: 'ended' });
  expect(worker.hasEnded(waiting)).toBe(true);

  const running = [aJob({ tenant: 'globex' }), aJob({ tenant: 'globex', durable: true })];
  await handler.create(running[1]!, untilMs);
  const waits = running.map((job) => handler.wait(job, untilMs));
  for (const job of running) await worker.begin(job);
  expect(await other.erase('globex')).toEqual([]);
  expect((await Promise.all(waits)).map(saidBy)).toEqual(['data-erased', 'data-erased']);
  for (const job of running) expect(await worker.finish(job, success(1))).toBe(false);
  expect(await handler.read('globex', running[1]!.id, region.clock.nowMs())).toBeUndefined();
});

test('nothing of a durable job that was erased is begun or ended any more', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs } = region.openProcess();
  const job = aJob({ durable: true });
  await jobs.create(job, region.clock.nowMs() + DAY_MS);
  await jobs.finish(job, success(1));
  await jobs.erase(job.tenant);
  expect(await jobs.begin(job)).toEqual({ kind: 'ended' });
  expect(await jobs.finish(job, success(1))).toBe(false);
  expect(await emulators.dynamo.expire(region.table, Number.MAX_SAFE_INTEGER)).toBe(0);
});

test('large inputs and outputs are blobs, sealed, whole, and gone when nothing names them', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs } = region.openProcess();
  const job = large();
  await jobs.create(job, region.clock.nowMs() + DAY_MS);
  expect(await blobsOf(region)).toHaveLength(1);
  expect((await jobs.read(job.tenant, job.id, region.clock.nowMs()))?.job).toEqual(job);
  expect(await jobs.create(job, region.clock.nowMs() + DAY_MS)).toBe('exists');
  expect(await blobsOf(region)).toHaveLength(1);
  const outcome: Outcome = { ...(success(1) as Outcome & { kind: 'succeeded' }), outputs: job.inputs };
  const ends = await Promise.all([1, 2, 3].map(() => jobs.finish(job, outcome)));
  expect(ends.sort()).toEqual([false, false, true]);
  const kept = await blobsOf(region);
  expect(kept).toEqual([expect.stringMatching(`^tenants/acme/outcome/${job.id}/`)]);
  expect(await jobs.wait(job, region.clock.nowMs())).toEqual(outcome);
  await jobs.erase('acme');
  expect(await blobsOf(region)).toEqual([]);
});

test('what rests is deleted by the table: a durable job at its expiry, any other soon after its deadline', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs } = region.openProcess();
  const nowMs = region.clock.nowMs();
  const [durable, other, cancelled] = [aJob({ durable: true }), aJob({ deadlineMs: nowMs + 30 * SECOND_MS }), aJob()];
  await jobs.create(durable, nowMs + DAY_MS);
  await jobs.begin(other);
  await jobs.finish(other, success(1));
  void jobs.wait(cancelled, nowMs);
  await jobs.cancel('acme', cancelled.id, nowMs);
  expect(await emulators.dynamo.expire(region.table, nowMs + MINUTE_MS)).toBe(0);
  expect(await emulators.dynamo.expire(region.table, nowMs + 3 * MINUTE_MS)).toBe(2);
  expect(await emulators.dynamo.expire(region.table, nowMs + DAY_MS)).toBe(1);
});

test('a synchronous request costs two writes and the reads of who waits', async () => {
  const region = await openAwsJobs(emulators);
  const [handler, worker] = [region.openProcess().jobs, region.openProcess().jobs];
  // The keys of tenants are read once every five minutes.
  const warm = aJob();
  await worker.finish(warm, success(1));
  await handler.wait(warm, region.clock.nowMs() + SECOND_MS);
  const { calls, stop } = recordCalls(emulators.dynamo.client);
  const job = aJob();
  const wait = handler.wait(job, region.clock.nowMs() + SECOND_MS);
  await worker.begin(job);
  await worker.finish(job, success(1));
  expect(saidBy(await wait)).toBe(1);
  stop();
  expect(calls.toSorted()).toEqual(['GetItem', 'UpdateItem', 'UpdateItem']);
});

test('a read that is throttled while somebody waits is followed by another one', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs } = region.openProcess();
  // Its tenant's key is read before.
  await jobs.finish(aJob(), success(1));
  const job = aJob();
  let refusals = 2;
  emulators.dynamo.client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName !== 'GetItemCommand' || refusals === 0) return next(args);
      refusals -= 1;
      throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    },
    { step: 'initialize', name: 'throttle' },
  );
  const wait = jobs.wait({ ...job, durable: true }, region.clock.nowMs() + 10 * SECOND_MS);
  await jobs.begin(job);
  await jobs.finish(job, success(5));
  expect(saidBy(await wait)).toBe(5);
  emulators.dynamo.client.middlewareStack.remove('throttle');
});

test('a job whose item cannot be opened is ended, and keeps no other from being sent again', async () => {
  const region = await openAwsJobs(emulators);
  const { jobs } = region.openProcess();
  const [damaged, sound] = [aJob({ durable: true }), aJob({ durable: true })];
  for (const job of [damaged, sound]) await jobs.create(job, region.clock.nowMs() + DAY_MS);
  const { dynamo } = emulators;
  await dynamo.client.send(
    new PutItemCommand({
      TableName: region.table,
      Item: {
        pk: { S: 'jobs#acme' },
        sk: { S: damaged.id },
        state: { S: 'submitting' },
        unsent: { S: '0' },
        createdAtMs: { N: String(region.clock.nowMs()) },
        expiresAtMs: { N: String(region.clock.nowMs() + DAY_MS) },
        ttl: { N: '9999999999' },
        head: { B: Buffer.from('damaged') },
      },
    }),
  );
  expect(await jobs.listUnsent(region.clock.nowMs(), 10)).toEqual([sound]);
  expect(await jobs.listUnsent(region.clock.nowMs(), 10)).toEqual([sound]);
  expect(await jobs.wait(damaged, region.clock.nowMs())).toMatchObject({ code: 'record-damaged' });
  await jobs.endUndeliverable('acme', sound.id, new Failure('data-erased'));
  expect(await jobs.listUnsent(region.clock.nowMs(), 10)).toEqual([]);
});
