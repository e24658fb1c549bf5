import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { AwsFeedbacks } from '../../adapters/aws/feedbacks.ts';
import { JOBS_INDEXES } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Feedbacks } from '../../core/ports/feedbacks.ts';
import { DAY_MS } from '../../core/units.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { type Emulators, recordCalls, startEmulators } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { BROKEN_FEEDBACKS } from '../support/broken-feedbacks.ts';
import { aKeptPrediction } from '../support/kept-predictions.ts';
import { type Adapter, failingCases, type Subject } from './contract.ts';
import { describeFeedbacksContract, feedbacksCases } from './feedbacks.contract.ts';

vi.setConfig({ testTimeout: 60_000 });

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

async function open() {
  const { dynamo, kms } = emulators;
  const keys = await dynamo.createTable();
  const name = await dynamo.createTable(JOBS_INDEXES);
  const clock = new SteppedClock();
  const logged: string[] = [];
  const log = { ...NO_LOG, error: (message: string, cause: unknown) => void logged.push(`${message} ${cause}`) };
  const dataKeys = new AwsDataKeys(new Table(dynamo.client, keys), kms.client, 'alias/region', clock);
  const create = () => {
    // Pauses between tries are real: time stands still here.
    const patient = {
      nowMs: () => clock.nowMs(),
      sleep: (ms: number) => new Promise<void>((end) => setTimeout(end, ms)),
    };
    const port = new AwsFeedbacks({ table: new Table(dynamo.client, name), dataKeys, clock: patient, log });
    // What expires is deleted by the table itself.
    return Object.assign(port, { purge: (nowMs: number) => dynamo.expire(name, nowMs) });
  };
  const items = async () => (await dynamo.client.send(new ScanCommand({ TableName: name }))).Items ?? [];
  return { create, feedbacks: create(), name, clock, logged, dataKeys, items };
}

const adapter: Adapter<Feedbacks> = {
  async open() {
    const { create, clock } = await open();
    let port = create();
    const restart = async () => {
      port = create();
    };
    return {
      get port() {
        return port;
      },
      nowMs: () => clock.nowMs(),
      advance: (ms) => clock.advance(ms),
      reopen: restart,
      crash: restart,
      close: async () => {},
    };
  },
};

describeFeedbacksContract('aws', adapter);

describe('the feedbacks contract finds an adapter on AWS out that', () => {
  for (const { fault, caughtBy, breaks } of BROKEN_FEEDBACKS) {
    it(fault, async () => {
      const catching = feedbacksCases.filter(({ name }) => name === caughtBy);
      const broken: Adapter<Feedbacks> = {
        async open() {
          const subject = await adapter.open();
          let [from, port] = [subject.port, breaks(subject.port)];
          // Anew after each restart, as an adapter's memory is.
          const get = () => {
            if (from !== subject.port) [from, port] = [subject.port, breaks(subject.port)];
            return port;
          };
          return Object.defineProperty({ ...subject }, 'port', { get }) as Subject<Feedbacks>;
        },
      };
      expect(await failingCases(catching, broken)).toEqual([caughtBy]);
    });
  }
});

const given = (atMs: number, label = 'good') => ({ labels: [label], knownAtMs: undefined, atMs });

test('a hundred predictions cost four calls and a small read, feedback a read and a transaction, and no label or principal is in the clear', async () => {
  const { feedbacks, clock, items } = await open();
  const nowMs = clock.nowMs();
  const secret = 'chest pain';
  const kept = Array.from({ length: 100 }, () =>
    aKeptPrediction(nowMs, { principal: 'user:jane', rows: [{ label: secret, confidence: 0.5 }] }),
  );
  await feedbacks.keep(kept.slice(0, 1));
  const { calls, stop } = recordCalls(emulators.dynamo.client);
  await feedbacks.keep(kept);
  expect(calls.splice(0)).toEqual([...Array<string>(4).fill('BatchWriteItem'), 'BatchGetItem']);
  await feedbacks.give(kept[0]!, given(nowMs, secret));
  expect(calls).toEqual(['GetItem', 'TransactWriteItems']);
  stop();
  const stored = Buffer.from(
    JSON.stringify(await items(), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    ),
  ).toString();
  expect(stored).toContain(kept[0]!.id);
  expect(stored).not.toContain(secret);
  expect(stored).not.toContain('jane');
});

test('all of it is forgotten by the table: predictions and truths a week after their end, tallies after 400 days', async () => {
  const { feedbacks, clock, items } = await open();
  const nowMs = clock.nowMs();
  const prediction = aKeptPrediction(nowMs, { expiresAtMs: nowMs + DAY_MS });
  await feedbacks.keep([prediction]);
  await feedbacks.give(prediction, given(nowMs));
  const ttls = (await items()).map(({ sk, ttl }) => [sk?.S?.split('#')[0], Number(ttl?.N)]);
  const dayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const seconds = (ms: number) => Math.ceil(ms / 1000);
  expect(Object.fromEntries(ttls)).toEqual({
    prediction: seconds(nowMs + 8 * DAY_MS),
    truth: seconds(nowMs + 8 * DAY_MS),
    tally: seconds(dayMs + 400 * DAY_MS),
  });
});

test('what was sealed under a destroyed key is gone; a damaged tally is left out, with a line in the log', async () => {
  const { feedbacks, clock, name, dataKeys, logged, items } = await open();
  const nowMs = clock.nowMs();
  const span = { model: 'm', version: '1', fromMs: 0, untilMs: 1e15 };
  const [ours, theirs] = [aKeptPrediction(nowMs), aKeptPrediction(nowMs, { tenant: 'globex' })];
  await feedbacks.keep([ours, theirs]);
  for (const prediction of [ours, theirs]) await feedbacks.give(prediction, given(nowMs));
  await dataKeys.destroy('acme');
  expect(await feedbacks.read('acme', ours.id, nowMs)).toBeUndefined();
  expect(await feedbacks.tallies('acme', span)).toEqual([]);
  expect(logged).toEqual([]);
  const { client } = emulators.dynamo;
  const tally = (await items()).find(({ pk, sk }) => pk?.S === 'feedback#globex' && sk?.S?.startsWith('tally'))!;
  await client.send(new PutItemCommand({ TableName: name, Item: { ...tally, part: { N: '9' } } }));
  expect(await feedbacks.tallies('globex', span)).toEqual([]);
  expect(logged).toEqual([expect.stringContaining('a feedback tally is left out')]);
  // What comes next is counted all the same.
  const next = aKeptPrediction(nowMs, { tenant: 'globex' });
  await feedbacks.keep([next]);
  expect(await feedbacks.give(next, given(nowMs))).toBe(true);
});

test('feedback that is on its way while its tenant is erased leaves nothing', async () => {
  const { feedbacks, create, clock, items, name } = await open();
  const madeMs = clock.nowMs();
  const kept = Array.from({ length: 20 }, () => aKeptPrediction(madeMs));
  await feedbacks.keep(kept);
  await clock.advance(1);
  const giving = kept.map((prediction) => feedbacks.give(prediction, given(madeMs)));
  await create().erase('acme');
  await Promise.all(giving);
  expect((await items()).filter(({ pk }) => pk?.S === 'feedback#acme')).toEqual([]);
  const mark = new GetItemCommand({
    TableName: name,
    Key: { pk: { S: 'feedback-erasure#acme' }, sk: { S: 'erasure' } },
  });
  expect((await emulators.dynamo.client.send(mark)).Item).toBeDefined();
});
