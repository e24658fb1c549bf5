import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Blobs } from '../../adapters/aws/blobs.ts';
import { dynamoClient, s3Client, sqsClient } from '../../adapters/aws/clients.ts';
import { SqsLane } from '../../adapters/aws/sqs-lane.ts';
import { Table } from '../../adapters/aws/table.ts';
import { localOptions } from '../support/aws/local-client.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';

const KEY = { pk: 'a', sk: 'b' };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A service that answers as it is told, and the operations that it was asked for. */
async function serve(answer: Answer): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers['x-amz-target'] ?? request.method).replace(/.*\./, ''));
    request.resume();
    answer(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

function json(status: number, body: object): Answer {
  return (response) => {
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  };
}

async function table(answer: Answer, timeoutMs?: number): Promise<{ table: Table; asked: string[] }> {
  const { port, asked } = await serve(answer);
  const client = dynamoClient(localOptions(port, timeoutMs));
  closing.push(() => client.destroy());
  return { table: new Table(client, 'table'), asked };
}

test('throttling is tried again three times, then it is overload', async () => {
  for (const name of ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded']) {
    const { table: throttled, asked } = await table(json(400, { __type: name, message: 'slow' }));
    await expect(throttled.get(KEY)).rejects.toMatchObject({ code: 'overloaded', facts: { retryAfterMs: 1000 } });
    expect(asked).toEqual(Array(4).fill('GetItem'));
  }
});

test('a call that is throttled once is answered', async () => {
  const { port } = await serve((response, request) => {
    if (again) json(200, { Item: { pk: { S: 'a' } } })(response, request);
    else json(400, { __type: 'ThrottlingException' })(response, request);
    again = true;
  });
  let again = false;
  const client = dynamoClient(localOptions(port));
  expect(await new Table(client, 'table').get(KEY)).toEqual({ pk: 'a' });
  client.destroy();
});

test('a service that fails, breaks off or is not there is storage that is not available', async () => {
  const answers: Answer[] = [
    json(500, { __type: 'InternalServerError' }),
    (response) => void response.socket?.destroy(),
  ];
  for (const answer of answers) {
    const { table: broken } = await table(answer);
    await expect(broken.get(KEY)).rejects.toMatchObject({ code: 'storage-unavailable' });
  }
  const { port } = await serve(() => {});
  for (const close of closing.splice(0)) close();
  const client = dynamoClient(localOptions(port));
  await expect(new Table(client, 'table').get(KEY)).rejects.toMatchObject({ code: 'storage-unavailable' });
  client.destroy();
});

test('a service that does not answer is given up after the time of each attempt', async () => {
  const { table: silent, asked } = await table(() => {}, 200);
  await expect(silent.get(KEY)).rejects.toMatchObject({ code: 'storage-unavailable' });
  expect(asked).toEqual(Array(4).fill('GetItem'));
});

test('what a batch leaves undone is done one by one', async () => {
  const items = [1, 2, 3].map((at) => ({ pk: { S: 'a' }, sk: { S: String(at) } }));
  const { port, asked } = await serve((response, request) => {
    const operation = String(request.headers['x-amz-target']).replace(/.*\./, '');
    const left = { UnprocessedItems: { table: [{ DeleteRequest: { Key: items[1] } }] } };
    json(200, operation === 'Query' ? { Items: items } : operation === 'BatchWriteItem' ? left : {})(response, request);
  });
  const client = dynamoClient(localOptions(port));
  await new Table(client, 'table').deleteAll('a');
  client.destroy();
  expect(asked).toEqual(['Query', 'BatchWriteItem', 'DeleteItem']);
});

test('S3 and SQS say the same in words of their own', async () => {
  const slow: Answer = (response) => {
    response.writeHead(503, { 'Content-Type': 'application/xml' });
    response.end('<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>');
  };
  const s3 = s3Client(localOptions((await serve(slow)).port));
  await expect(new Blobs(s3, 'bucket').get('key')).rejects.toMatchObject({ code: 'overloaded' });
  const throttled = json(403, { __type: 'com.amazonaws.sqs#RequestThrottled' });
  const sqs = sqsClient(localOptions((await serve(throttled)).port));
  const lane = new SqsLane(sqs, 'http://127.0.0.1/1/queue', new SteppedClock());
  await expect(lane.depth()).rejects.toMatchObject({ code: 'overloaded' });
  s3.destroy();
  sqs.destroy();
});

test('a poll that waits is given the time of its wait', async () => {
  const { port } = await serve((response, request) => {
    setTimeout(() => json(200, {})(response, request), 1000);
  });
  const sqs = sqsClient(localOptions(port, 200));
  const lane = new SqsLane(sqs, 'http://127.0.0.1/1/queue', new SteppedClock());
  expect(await lane.receive(1, 1000, 1000)).toEqual([]);
  sqs.destroy();
});
