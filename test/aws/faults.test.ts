import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Blobs } from '../../adapters/aws/blobs.ts';
import { BucketFiles } from '../../adapters/aws/bucket-files.ts';
import { dynamoClient, kmsClient, s3Client, sqsClient } from '../../adapters/aws/clients.ts';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { SqsLane } from '../../adapters/aws/sqs-lane.ts';
import { Table } from '../../adapters/aws/table.ts';
import { FAILURES, Failure, type FailureCode } from '../../core/failure.ts';
import {
  type Answer,
  cut,
  FaultyService,
  hang,
  json,
  malformed,
  reset,
  stall,
  xml,
} from '../support/aws/faulty-service.ts';
import { localOptions } from '../support/aws/local-client.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';

const KEY = { pk: 'a', sk: 'b' };
/** What services may say of what they were sent. */
const SECRET = 'the-patient-reports';
const TIMEOUT_MS = 200;

const closing: (() => void)[] = [];
/** The random part of every pause: none of it. */
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) close();
});

/** A service with this script, and one call of each kind on it. */
async function serve(...script: readonly Answer[]) {
  const service = await FaultyService.start(...script);
  closing.push(() => service.stop());
  const options = localOptions(service.port, TIMEOUT_MS);
  const clients = {
    dynamo: dynamoClient(options),
    sqs: sqsClient(options),
    s3: s3Client(options),
    kms: kmsClient(options),
  };
  closing.push(...Object.values(clients).map((client) => () => client.destroy()));
  const table = new Table(clients.dynamo, 'table');
  const lane = new SqsLane(clients.sqs, 'http://127.0.0.1/1/queue', new SteppedClock());
  const blobs = new Blobs(clients.s3, 'bucket');
  return { service, table, lane, blobs, files: new BucketFiles(clients.s3, 'bucket'), ...clients };
}
type Served = Awaited<ReturnType<typeof serve>>;

/** A table whose every item is missing, and takes every write. */
async function emptyTable(): Promise<Table> {
  return (await serve(json(200, {}))).table;
}

const CALLS: Readonly<Record<string, (served: Served) => Promise<unknown>>> = {
  'DynamoDB read': ({ table }) => table.get(KEY),
  'DynamoDB write': ({ table }) => table.put({ ...KEY, value: SECRET }),
  'SQS send': ({ lane }) => lane.send({ body: SECRET, attributes: {} }, 'acme'),
  'S3 read': ({ blobs }) => blobs.get('key'),
  'S3 write': ({ blobs }) => blobs.put('key', Buffer.from(SECRET)),
  'KMS call': async ({ kms }) =>
    new AwsDataKeys(await emptyTable(), kms, 'alias/region', new SteppedClock()).seal('acme', 'x', Buffer.from(SECRET)),
};

/** An error as the service of a call says it, with words that may hold what it was sent. */
function said(call: string, status: number, name: string): Answer {
  if (!call.startsWith('S3')) return json(status, { __type: `com.amazonaws#${name}`, message: SECRET });
  return xml(status, `<Error><Code>${name}</Code><Message>${SECRET}</Message></Error>`);
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error('it did not end in a failure', { cause: error });
  expect(`${error.message} ${JSON.stringify(error.facts)}`).not.toContain(SECRET);
  return error;
}

type Fault = readonly [status: number, name: string, code: FailureCode, attempts: number];

const ANY: readonly Fault[] = [
  [400, 'ThrottlingException', 'overloaded', 4],
  [400, 'Throttling', 'overloaded', 4],
  [400, 'ThrottledException', 'overloaded', 4],
  [400, 'RequestLimitExceeded', 'overloaded', 4],
  [400, 'TooManyRequestsException', 'overloaded', 4],
  [429, 'SomethingNew', 'overloaded', 4],
  [500, 'InternalServerError', 'storage-unavailable', 4],
  [502, 'BadGateway', 'storage-unavailable', 4],
  [503, 'ServiceUnavailable', 'storage-unavailable', 4],
  [400, 'SomethingNew', 'storage-unavailable', 1],
  [400, 'AccessDeniedException', 'storage-misconfigured', 1],
  [403, 'SomethingNew', 'storage-misconfigured', 1],
  [400, 'UnrecognizedClientException', 'storage-misconfigured', 1],
  [400, 'ExpiredTokenException', 'storage-misconfigured', 1],
  [400, 'ValidationException', 'internal', 1],
];

const OF_ONE: Readonly<Record<string, readonly Fault[]>> = {
  'DynamoDB read': [
    [400, 'ProvisionedThroughputExceededException', 'overloaded', 4],
    [400, 'ResourceNotFoundException', 'storage-misconfigured', 1],
  ],
  'DynamoDB write': [
    [400, 'ProvisionedThroughputExceededException', 'overloaded', 4],
    [400, 'TransactionConflictException', 'state-conflict', 1],
    [400, 'ItemCollectionSizeLimitExceededException', 'internal', 1],
    [400, 'ResourceNotFoundException', 'storage-misconfigured', 1],
  ],
  'SQS send': [
    [403, 'RequestThrottled', 'overloaded', 4],
    [403, 'OverLimit', 'overloaded', 1],
    [400, 'KmsThrottled', 'overloaded', 1],
    [400, 'KmsAccessDenied', 'storage-misconfigured', 1],
    [400, 'QueueDoesNotExist', 'storage-misconfigured', 1],
    [400, 'InvalidMessageContents', 'internal', 1],
  ],
  'S3 read': [
    [503, 'SlowDown', 'overloaded', 4],
    [404, 'NoSuchBucket', 'storage-misconfigured', 1],
    [403, 'AccessDenied', 'storage-misconfigured', 1],
    [400, 'RequestTimeout', 'storage-unavailable', 4],
  ],
  'S3 write': [
    [503, 'SlowDown', 'overloaded', 4],
    [412, 'PreconditionFailed', 'state-conflict', 1],
    [409, 'ConditionalRequestConflict', 'state-conflict', 1],
    [403, 'AccessDenied', 'storage-misconfigured', 1],
    [400, 'EntityTooLarge', 'internal', 1],
  ],
  'KMS call': [
    [400, 'LimitExceededException', 'overloaded', 4],
    [400, 'DisabledException', 'storage-misconfigured', 1],
    [400, 'KMSInvalidStateException', 'storage-misconfigured', 1],
    [400, 'NotFoundException', 'storage-misconfigured', 1],
    [500, 'KeyUnavailableException', 'storage-unavailable', 4],
    [500, 'KMSInternalException', 'storage-unavailable', 4],
    [503, 'DependencyTimeoutException', 'storage-unavailable', 4],
    [400, 'InvalidCiphertextException', 'record-damaged', 1],
  ],
};

describe.each(Object.keys(CALLS))('a %s', (call) => {
  test.each([...ANY, ...OF_ONE[call]!])('answered %i %s fails as %s after %i attempts', async (...fault) => {
    const [status, name, code, attempts] = fault;
    const served = await serve(said(call, status, name));
    const failure = await failureOf(CALLS[call]!(served));
    expect([failure.code, served.service.asked.length]).toEqual([code, attempts]);
    // Who is told to come back is told when.
    const isWaitedFor = ['overloaded', 'storage-unavailable', 'storage-misconfigured'].includes(code);
    expect(failure.facts.retryAfterMs).toBe(isWaitedFor ? 1000 : undefined);
    if (isWaitedFor || code === 'state-conflict') expect(FAILURES[code].retryable).toBe(true);
  });

  test('that hangs, stalls, breaks off or is reset ends within the time of its attempts, as an outage', async () => {
    const faults = call.startsWith('S3 w') ? { hang, reset } : { hang, reset, stall, cut };
    for (const [name, fault] of Object.entries(faults)) {
      const served = await serve(fault);
      const startMs = performance.now();
      const { code } = await failureOf(CALLS[call]!(served));
      // From a poll a stall cannot be told at once: the whole call has a limit instead.
      const isLong = call.startsWith('SQS') && name === 'stall';
      expect([name, code, served.service.asked.length]).toEqual([name, 'storage-unavailable', isLong ? 1 : 4]);
      const limitMs = isLong ? 15_000 : 4 * TIMEOUT_MS + 3000;
      expect(performance.now() - startMs).toBeLessThan(limitMs);
    }
  });

  // What a key is made of a script cannot say.
  test.skipIf(call.startsWith('KMS'))('that fails once is tried again and succeeds', async () => {
    const sent = { MessageId: '1', MD5OfMessageBody: createHash('md5').update(SECRET).digest('hex') };
    const sound = call.startsWith('S3') ? xml(200, '') : json(200, sent);
    for (const fault of [said(call, 500, 'InternalError'), said(call, 400, 'ThrottlingException'), reset]) {
      const served = await serve(fault, sound);
      await CALLS[call]!(served);
      expect(served.service.asked).toHaveLength(2);
    }
  });
});

test('a body that is none is an outage, and is not asked for again and again', async () => {
  const { table, service } = await serve(malformed);
  expect((await failureOf(table.get(KEY))).code).toBe('storage-unavailable');
  expect(service.asked.length).toBeLessThanOrEqual(4);
});

test('pauses are a random part of 0.1 s, then twice as much each time, whatever the service asks for', async () => {
  const slow = json(400, { __type: 'ThrottlingException' }, { 'Retry-After': '3600', 'x-amz-retry-after': '3600000' });
  for (const [random, pausesMs] of [
    [0, [0, 0, 0]],
    [0.5, [50, 100, 200]],
    [0.999, [100, 200, 400]],
  ] as const) {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { table, service } = await serve(slow);
    await failureOf(table.get(KEY));
    for (const [at, pauseMs] of service.pausesMs.entries()) {
      expect(pauseMs).toBeGreaterThan(pausesMs[at]! - 10);
      expect(pauseMs).toBeLessThan(pausesMs[at]! + 300);
    }
  }
});

test('a HEAD, whose answers have no words, is told apart by its status', async () => {
  for (const [status, code, attempts] of [
    [403, 'storage-misconfigured', 1],
    [503, 'storage-unavailable', 4],
    [429, 'overloaded', 4],
  ] as const) {
    const { files, service } = await serve(xml(status, ''));
    expect([(await failureOf(files.find('key'))).code, service.asked.length]).toEqual([code, attempts]);
  }
  const { files } = await serve(xml(404, ''));
  expect(await files.find('key')).toBeUndefined();
});

test('an object that is replaced while it is read is a conflict, and one that breaks off is read again', async () => {
  const file = { key: 'k', sizeBytes: 4, etag: '"1"', metadata: {} };
  const replaced = await serve(xml(412, '<Error><Code>PreconditionFailed</Code></Error>'));
  expect((await failureOf(Array.fromAsync(replaced.files.read(file)))).code).toBe('state-conflict');
  const whole: Answer = (response) => void response.writeHead(206, { 'Content-Length': '4' }).end('1234');
  const broken = await serve(cut, stall, whole);
  expect(Buffer.concat(await Array.fromAsync(broken.files.read(file))).toString()).toBe('1234');
  expect(broken.service.asked).toHaveLength(3);
});

test('of a transaction that is cancelled it is told why', async () => {
  const cancelled = async (...codes: readonly string[]) => {
    const reasons = codes.map((Code) => ({ Code, Message: SECRET }));
    const body = { __type: 'TransactionCanceledException', CancellationReasons: reasons, message: SECRET };
    const { table } = await serve(json(400, body));
    return table.transact({ put: KEY }, { delete: KEY });
  };
  expect(await cancelled('None', 'ConditionalCheckFailed')).toBe('refused');
  expect(await cancelled('TransactionConflict', 'None')).toBe('conflict');
  for (const [reason, code] of [
    ['ThrottlingError', 'overloaded'],
    ['ProvisionedThroughputExceeded', 'overloaded'],
    ['ValidationError', 'internal'],
    ['ItemCollectionSizeLimitExceeded', 'internal'],
    ['AccessDenied', 'storage-misconfigured'],
  ] as const) {
    expect((await failureOf(cancelled('None', reason))).code).toBe(code);
  }
});

test('what a batch read or deletion leaves undone is done one by one, and fails if that does', async () => {
  const keys = ['1', '2', '3'].map((sk) => ({ pk: 'a', sk }));
  const wire = keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
  const half = json(200, { Responses: { table: [wire[0]] }, UnprocessedKeys: { table: { Keys: wire.slice(1) } } });
  const { table, service } = await serve(half, json(200, { Item: wire[1] }), json(200, {}));
  expect(await table.getMany(keys)).toEqual([keys[0], keys[1]]);
  expect(service.asked.map(({ operation }) => operation)).toEqual(['BatchGetItem', 'GetItem', 'GetItem']);
  const throttled = json(400, { __type: 'ThrottlingException' });
  const left = { UnprocessedItems: { table: [{ DeleteRequest: { Key: wire[1] } }] } };
  for (const answer of [half, json(200, left)]) {
    const slow = await serve(answer, throttled);
    const call = answer === half ? slow.table.getMany(keys) : slow.table.deleteMany(keys);
    expect((await failureOf(call)).code).toBe('overloaded');
    expect(slow.service.asked).toHaveLength(5);
  }
});

test('of a batch of messages only what the service failed at is tried again, four times', async () => {
  const failed = (Id: string, Code: string, SenderFault: boolean) => ({ Id, Code, SenderFault, Message: SECRET });
  const partly = (...Failed: readonly object[]) => json(200, { Successful: [], Failed });
  const stale = failed('0', 'ReceiptHandleIsInvalid', true);
  const handles = ['h0', 'h1', 'h2'];
  for (const call of ['delete', 'hide'] as const) {
    const run = ({ lane }: Served) => (call === 'delete' ? lane.delete(handles) : lane.hide(handles, 1000));
    const once = await serve(partly(stale, failed('2', 'InternalError', false)), partly());
    await run(once);
    expect(once.service.asked).toHaveLength(2);
    for (const [name, code] of [
      ['InternalError', 'storage-unavailable'],
      ['RequestThrottled', 'overloaded'],
      ['AccessDenied', 'storage-misconfigured'],
    ] as const) {
      const always = await serve(partly(failed('0', name, false)));
      expect([(await failureOf(run(always))).code, always.service.asked.length]).toEqual([code, 4]);
    }
  }
});

test('objects that are not deleted with the others are told by the reason of the first', async () => {
  const list = xml(200, '<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>');
  for (const [name, code] of [
    ['SlowDown', 'overloaded'],
    ['AccessDenied', 'storage-misconfigured'],
    ['InternalError', 'storage-unavailable'],
  ] as const) {
    const partly = xml(
      200,
      `<DeleteResult><Error><Key>a</Key><Code>${name}</Code><Message>${SECRET}</Message></Error></DeleteResult>`,
    );
    const { blobs } = await serve(list, partly);
    expect((await failureOf(blobs.deleteAll('tenants/acme/'))).code).toBe(code);
  }
});
