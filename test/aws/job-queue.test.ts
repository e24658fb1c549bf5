import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsDeadLetters } from '../../adapters/aws/dead-letters.ts';
import { AwsJobQueue } from '../../adapters/aws/job-queue.ts';
import { Table } from '../../adapters/aws/table.ts';
import { deadLetterId, giveUp } from '../../core/inference/dead-letter.ts';
import type { Job } from '../../core/inference/job.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { NO_LOG, openAwsJobs } from '../support/aws/aws-jobs.ts';
import { createLanes } from '../support/aws/aws-queue.ts';
import { type Emulators, recordCalls, startEmulators } from '../support/aws/emulators.ts';
import { FrozenTime } from '../support/aws/frozen-time.ts';
import { serviceError, stubCalls } from '../support/aws/stub-calls.ts';
import { aJob, floats } from '../support/jobs.ts';

const HIDDEN_MS = 30 * SECOND_MS;

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

/** One pool's queues, a port on them, and what became of jobs that could not be delivered. */
async function open() {
  const { sqs, s3 } = emulators.fauxqs;
  const lanes = createLanes(emulators.fauxqs);
  const region = await openAwsJobs(emulators);
  const { jobs, payloads, dataKeys } = region.openProcess();
  const letters = new AwsDeadLetters(new Table(emulators.dynamo.client, region.table), payloads);
  const ended: string[] = [];
  const queue = new AwsJobQueue({
    client: sqs,
    queues: { default: lanes },
    payloads,
    clock: time,
    log: NO_LOG,
    onUndeliverable: async (givenUp) => {
      ended.push(`${givenUp.tenant} ${givenUp.id} ${givenUp.failure.code}`);
      await giveUp({ deadLetters: letters, jobs }, givenUp, region.clock.nowMs());
    },
  });
  const asked = { MessageAttributeNames: ['All'], MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
  const messagesOf = async (url: string) =>
    (await sqs.send(new ReceiveMessageCommand({ ...asked, QueueUrl: url }))).Messages ?? [];
  const move = async (QueueUrl: string, to: string) => {
    for (const { Body, MessageAttributes, ReceiptHandle } of await messagesOf(QueueUrl)) {
      await sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: Body, MessageAttributes }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  };
  return {
    queue,
    jobs,
    dataKeys,
    ended,
    take: (max = 10) => queue.receive('default', 'interactive', max, 0, HIDDEN_MS),
    waiting: () => messagesOf(lanes.interactive.url),
    deadLetters: () => messagesOf(lanes.interactive.deadLetterUrl),
    /** What the queue's own redrive policy does with what nobody takes out: as it is, without a reason. */
    giveUpAll: () => move(lanes.interactive.url, lanes.interactive.deadLetterUrl),
    letters: async () => (await letters.list({}, 100, region.clock.nowMs())).items,
    letterJob: (id: string) => letters.readJob('acme', deadLetterId(id), region.clock.nowMs()),
    jobOf: (id: string) => jobs.read('acme', id, region.clock.nowMs()),
    create: (job: Job) => jobs.create(job, region.clock.nowMs() + DAY_MS),
    send: (body: string, attributes: Record<string, string>) =>
      sqs.send(
        new SendMessageCommand({
          QueueUrl: lanes.interactive.url,
          MessageBody: body,
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
          ),
        }),
      ),
    blobs: async () => (await s3.send(new ListObjectsV2Command({ Bucket: region.bucket }))).KeyCount ?? 0,
  };
}

test('a message shows whose it is and where it comes from, and nothing of what it asks', async () => {
  const { queue, waiting } = await open();
  const groups: unknown[] = [];
  const stop = stubCalls(emulators.fauxqs.sqs, (command, input) => {
    if (command === 'SendMessage') groups.push(input.MessageGroupId);
    return undefined;
  });
  const text = { name: 't', datatype: 'BYTES' as const, shape: [1], data: ['the patient reports'] };
  const job = aJob({ inputs: [text], clientId: 'client-17', traceparent: '00-aa-bb-01' });
  await queue.send(job);
  stop();
  expect(groups).toEqual(['acme']);
  const [message] = await waiting();
  const said = Buffer.from(message!.Body!, 'base64').toString('latin1');
  for (const secret of ['the patient reports', 'client-17', 'key:1']) expect(said).not.toContain(secret);
  expect(Object.entries(message!.MessageAttributes!).map(([name, { StringValue }]) => [name, StringValue])).toEqual(
    expect.arrayContaining([
      ['tenant', 'acme'],
      ['job', job.id],
      ['traceparent', '00-aa-bb-01'],
    ]),
  );
});

test('a large job travels as a blob, which is gone once it is acknowledged', async () => {
  const { queue, take, waiting, blobs } = await open();
  const job = aJob({ inputs: [floats('x', [1, 100_000], [1, 2, 3])] });
  await queue.send(job);
  expect((await waiting())[0]!.Body!.length).toBeLessThan(200);
  expect(await blobs()).toBe(1);
  const deliveries = await take();
  expect(deliveries.map((delivery) => delivery.job)).toEqual([job]);
  await queue.acknowledge(deliveries);
  expect([await blobs(), await queue.depth('default', 'interactive')]).toEqual([0, 0]);
});

test('what is no message of ours is taken out with a reason, at once, and keeps no other back', async () => {
  const { queue, take, send, deadLetters, letters, ended } = await open();
  const sealedForAnother = await open();
  const job = aJob();
  await sealedForAnother.queue.send(job);
  const [foreign] = await sealedForAnother.waiting();
  const own = { tenant: 'acme', job: 'pred_1', payload: 'sealed' };
  await send('hello', {});
  await send('hello', Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`a${at}`, 'x'])));
  await send('not base64!', own);
  await send('AAAA', own);
  await send(foreign!.Body!, { ...own, job: job.id });
  await send('tenants/globex/jobs/1', { ...own, payload: 'blob' });
  await send('tenants/acme/none', { ...own, payload: 'blob' });
  await send('AAAA', { ...own, tenant: 'no such/tenant' });
  await queue.send(aJob({ id: 'pred_sound' }));
  expect((await take()).map((delivery) => delivery.job.id)).toEqual(['pred_sound']);
  const dead = await deadLetters();
  expect(dead.map(({ MessageAttributes }) => MessageAttributes?.reason?.StringValue)).toEqual(
    Array(3).fill('record-damaged'),
  );
  // What is nobody's stays a message; what names a job is that one's, once.
  expect(ended).toContain('acme pred_1 record-damaged');
  const lettered = await letters();
  expect(lettered.map(({ prediction }) => prediction).sort()).toEqual(['pred_1', job.id].sort());
  for (const letter of lettered)
    expect(letter).toMatchObject({ tenant: 'acme', pool: 'default', reason: 'record-damaged', redrivable: false });
  time.advance(HIDDEN_MS);
  expect((await take()).map((delivery) => delivery.job.id)).toEqual(['pred_sound']);
});

test("an erased tenant's messages are not delivered: each ends its job and is gone, its blob too", async () => {
  const { queue, dataKeys, jobs, take, waiting, deadLetters, blobs, ended } = await open();
  const gone = [aJob(), aJob({ inputs: [floats('x', [1, 100_000], [])] })];
  const kept = aJob({ tenant: 'globex' });
  for (const job of [...gone, kept]) await queue.send(job);
  await dataKeys.destroy('acme');
  await queue.erase();
  expect((await take()).map((delivery) => delivery.job.id)).toEqual([kept.id]);
  expect(ended.sort()).toEqual(gone.map(({ id }) => `acme ${id} data-erased`).sort());
  expect(await jobs.begin(gone[0]!)).toEqual({ kind: 'ended' });
  expect([await waiting(), await deadLetters(), await blobs()]).toEqual([[], [], 0]);
});

test('what was handed out fifty times is given up: its job ends and it is a dead letter', async () => {
  const { queue, take, create, jobOf, letters, letterJob, waiting, ended } = await open();
  const job = aJob({ durable: true });
  await create(job);
  await queue.send(job);
  for (let receives = 1; receives <= 50; receives += 1) {
    const deliveries = await take();
    expect(deliveries).toHaveLength(1);
    await queue.giveBack(deliveries);
  }
  expect(await take()).toEqual([]);
  expect(ended).toEqual([`acme ${job.id} internal`]);
  expect(await letters()).toMatchObject([{ prediction: job.id, reason: 'internal', attempts: 51, redrivable: true }]);
  expect(await letterJob(job.id)).toEqual(job);
  expect((await jobOf(job.id))?.state).toMatchObject({ outcome: { code: 'internal' } });
  expect(await waiting()).toEqual([]);
});

test('who leaves a poll loses nothing: what it still brings goes back at once', async () => {
  const { queue, take } = await open();
  const leaving = new AbortController();
  const left = queue.receive('default', 'interactive', 5, 20 * SECOND_MS, HIDDEN_MS, leaving.signal);
  await new Promise((resolve) => setTimeout(resolve, 100));
  leaving.abort();
  expect(await left).toEqual([]);
  await queue.send(aJob());
  const untilMs = performance.now() + 10_000;
  let deliveries = await take();
  while (deliveries.length === 0 && performance.now() < untilMs) deliveries = await take();
  expect(deliveries).toHaveLength(1);
});

test('many messages are received and acknowledged ten at a time', async () => {
  const { queue, take } = await open();
  for (let sent = 0; sent < 25; sent += 1) await queue.send(aJob());
  const { calls, stop } = recordCalls(emulators.fauxqs.sqs);
  const deliveries = await take(256);
  expect(deliveries).toHaveLength(25);
  const receives = calls.splice(0).length;
  await Promise.all(deliveries.map((delivery) => queue.acknowledge([delivery])));
  stop();
  expect(calls).toEqual(['DeleteMessageBatch', 'DeleteMessageBatch', 'DeleteMessageBatch']);
  expect(receives).toBeLessThanOrEqual(9);
  time.advance(HIDDEN_MS);
  expect(await take()).toEqual([]);
});

test('a batch that fails in part is tried again for what failed, and says so if that lasts', async () => {
  const { queue, take } = await open();
  for (let sent = 0; sent < 3; sent += 1) await queue.send(aJob());
  const deliveries = await take();
  const sizes: number[] = [];
  let failures = 1;
  const stop = stubCalls(emulators.fauxqs.sqs, (command, { Entries }) => {
    if (command !== 'ChangeMessageVisibilityBatch') return undefined;
    sizes.push((Entries as unknown[]).length);
    if (failures === 0) return { Successful: [], Failed: [] };
    failures -= 1;
    const stale = { Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid' };
    return { Successful: [], Failed: [stale, { Id: '2', SenderFault: false, Code: 'InternalError' }] };
  });
  await queue.extend(deliveries, HIDDEN_MS);
  expect(sizes).toEqual([3, 1]);
  failures = Number.POSITIVE_INFINITY;
  await expect(queue.extend(deliveries, HIDDEN_MS)).rejects.toMatchObject({ code: 'storage-unavailable' });
  stop();
});

test('a payload that cannot be opened now stays in the queue', async () => {
  const { queue, take, deadLetters, ended } = await open();
  await queue.send(aJob({ inputs: [floats('x', [1, 100_000], [])] }));
  const stop = stubCalls(emulators.fauxqs.s3, () => serviceError('SlowDown'));
  expect(await take()).toEqual([]);
  stop();
  time.advance(HIDDEN_MS);
  expect(await take()).toHaveLength(1);
  expect([ended, await deadLetters()]).toEqual([[], []]);
});

test('what SQS gave up by itself is taken in: its job ends and is kept whole, unless it ended otherwise or is damaged', async () => {
  const { queue, jobs, send, deadLetters, giveUpAll, create, jobOf, letters, letterJob, blobs } = await open();
  const small = aJob({ durable: true });
  const large = aJob({ durable: true, inputs: [floats('x', [1, 100_000], [7])] });
  const cancelled = aJob({ durable: true });
  for (const job of [small, large, cancelled]) {
    await create(job);
    await queue.send(job);
  }
  await send('not base64!', { tenant: 'acme', job: 'pred_1', payload: 'sealed' });
  await send('hello', {});
  await giveUpAll();
  await jobs.cancel('acme', cancelled.id, time.nowMs());
  expect(await queue.collectDead(100)).toBe(4);
  const kept = await letters();
  expect(kept.map(({ prediction, reason }) => `${prediction} ${reason}`).sort()).toEqual(
    [`${small.id} internal`, `${large.id} internal`, 'pred_1 record-damaged'].sort(),
  );
  expect([await letterJob(small.id), await letterJob(large.id)]).toEqual([small, large]);
  for (const { id } of [small, large])
    expect((await jobOf(id))?.state).toMatchObject({ kind: 'ended', outcome: { code: 'internal' } });
  expect((await jobOf(cancelled.id))?.state).toMatchObject({ outcome: { code: 'prediction-cancelled' } });
  // The message's own payload is gone; that of the letter stays. What is nobody's is for people to look at.
  expect(await blobs()).toBe(1);
  time.advance(HIDDEN_MS * 2);
  expect((await deadLetters()).map(({ Body }) => Body)).toEqual(['hello']);
  expect(await queue.collectDead(100)).toBe(0);
});

test('what an outage kept from being opened fifty times is set aside, its job with it, and taken in once it can be read', async () => {
  const { queue, take, deadLetters, create, jobOf, letters, letterJob, ended } = await open();
  const job = aJob({ durable: true, inputs: [floats('x', [1, 100_000], [7])] });
  await create(job);
  await queue.send(job);
  const stop = stubCalls(emulators.fauxqs.s3, () => serviceError('SlowDown'));
  for (let receives = 1; receives <= 50; receives += 1) {
    expect(await deadLetters()).toEqual([]);
    expect(await take()).toEqual([]);
    time.advance(HIDDEN_MS);
  }
  expect(await queue.collectDead(100)).toBe(0);
  expect([ended, await letters()]).toEqual([[], []]);
  expect((await jobOf(job.id).catch(() => undefined))?.state.kind).toBe(undefined);
  stop();
  expect((await jobOf(job.id))?.state.kind).toBe('submitting');
  expect(await take()).toEqual([]);
  time.advance(2 * HIDDEN_MS);
  expect(await queue.collectDead(100)).toBe(1);
  expect(await letterJob(job.id)).toEqual(job);
  expect(ended).toEqual([`acme ${job.id} internal`]);
});
