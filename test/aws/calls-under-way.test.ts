import { GetItemCommand, type GetItemCommandOutput } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { CallsUnderWay } from '../../adapters/aws/calls-under-way.ts';
import { dynamoClient } from '../../adapters/aws/clients.ts';
import { localOptions } from '../support/aws/local-client.ts';
import { serviceError } from '../support/aws/stub-calls.ts';

const client = dynamoClient(localOptions(9));
const calls = new CallsUnderWay();
calls.watch(client);
let answers: PromiseWithResolvers<{ output: GetItemCommandOutput; response: object }>[] = [];
client.middlewareStack.add(
  () => () => {
    const answer = Promise.withResolvers<{ output: GetItemCommandOutput; response: object }>();
    answers.push(answer);
    return answer.promise as never;
  },
  { step: 'initialize', name: 'answers', priority: 'low' },
);
afterEach(() => {
  answers = [];
});

const ask = () => client.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }));
const came = { output: { $metadata: {} }, response: {} };

async function isSettled(settled: Promise<void>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setTimeout(() => resolve(false), 20));
  return Promise.race([settled.then(() => true), later]);
}

test('waits for calls that nobody else waits for, failed ones too, and for those that they lead to', async () => {
  void ask()
    .then(ask)
    .catch(() => {});
  const settled = calls.settled();
  expect(await isSettled(settled)).toBe(false);
  answers[0]!.resolve(came);
  expect(await isSettled(settled)).toBe(false);
  expect(answers).toHaveLength(2);
  answers[1]!.reject(serviceError('AccessDeniedException'));
  expect(await isSettled(settled)).toBe(true);
});

test('has nothing to wait for when nothing is under way', async () => {
  expect(await isSettled(calls.settled())).toBe(true);
});
