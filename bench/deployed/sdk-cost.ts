import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { HttpResponse } from '@smithy/core/protocols';
import { dynamoClient, sqsClient } from '../../adapters/aws/clients.ts';
import type { SdkCost, SdkCostSpec, SdkRequest } from './sdk-cost-spec.ts';

/*
 * What the SDK's part of a request costs: the calls of each round are made with the same clients as a function's, one after the
 * other, and answered where a socket would be opened. Rounds lie apart, as requests do in a function that waits for results.
 */

const OPTIONS = {
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:9',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
const dynamo = dynamoClient(OPTIONS);
const sqs = sqsClient(OPTIONS);

/** Of DynamoDB and SQS, what is asked over the wire is what the SDK is asked, but for bytes. */
function callOf({ operation, asked }: SdkRequest): () => Promise<unknown> {
  const input = JSON.parse(asked, (name, value: unknown) =>
    name === 'B' || name === 'BinaryValue' ? Buffer.from(String(value), 'base64') : value,
  ) as never;
  switch (operation) {
    case 'GetItem':
      return () => dynamo.send(new GetItemCommand(input));
    case 'PutItem':
      return () => dynamo.send(new PutItemCommand(input));
    case 'UpdateItem':
      return () => dynamo.send(new UpdateItemCommand(input));
    case 'Query':
      return () => dynamo.send(new QueryCommand(input));
    case 'SendMessage':
      return () => sqs.send(new SendMessageCommand(input));
    case 'GetQueueAttributes':
      return () => sqs.send(new GetQueueAttributesCommand(input));
    default:
      throw new Error(`${operation} is not one of a request's calls`);
  }
}

const { rounds, gapMs, warmUp } = (await json(process.stdin)) as SdkCostSpec;
let answer = Buffer.alloc(0);
const requestHandler = {
  handle: async () => ({
    response: new HttpResponse({
      statusCode: 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Readable.from([answer], { objectMode: false }),
    }),
  }),
  metadata: { handlerProtocol: 'http/1.1' },
};
Object.assign(dynamo.config, { requestHandler });
Object.assign(sqs.config, { requestHandler });

const cpuMs: number[] = [];
for (const [at, round] of rounds.entries()) {
  const calls = round.map((request) => ({ call: callOf(request), answered: Buffer.from(request.answered) }));
  const before = process.cpuUsage();
  for (const { call, answered } of calls) {
    answer = answered;
    await call();
  }
  const { user, system } = process.cpuUsage(before);
  if (at >= warmUp) cpuMs.push((user + system) / 1_000);
  await delay(gapMs);
}
console.log(JSON.stringify({ cpuMs } satisfies SdkCost));
