import { afterAll, beforeAll, expect, test } from 'vitest';
import { computeKey } from '../../adapters/aws/keys.ts';
import { AwsLimits } from '../../adapters/aws/limits.ts';
import { Table } from '../../adapters/aws/table.ts';
import type { Reservation } from '../../core/ports/limits.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';

const POLICY = { ratePerMs: 0.1, burst: 20 };
const START_MS = Date.UTC(2026, 0, 15, 12);

let dynamo: DynamoEmulator;
let table: Table;

beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  table = new Table(dynamo.client, await dynamo.createTable());
});

afterAll(() => dynamo.stop());

/** How many writes each step takes: every one is paid for, refused ones too. */
async function writesOf(...steps: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const counts: number[] = [];
  for (const step of steps) {
    const recorded = recordCalls(dynamo.client);
    await step();
    recorded.stop();
    counts.push(recorded.calls.length);
  }
  return counts;
}

function reservation(tenant: string, id: string, nowMs: number, computeMs = 10): Reservation {
  return { tenant, id, computeMs, inFlightLimit: 2, dailyComputeMs: 100, expiresAtMs: nowMs + MINUTE_MS };
}

test('a lease is one write of a tenant that comes now and then, and of one that uses its rate up', async () => {
  const limits = new AwsLimits(table);
  const lease = (atMs: number) => () => limits.lease('often', 'requests', POLICY, 1, 1, START_MS + atMs);
  expect(await writesOf(lease(0), lease(1), lease(2), lease(60_000), lease(60_001))).toEqual([1, 1, 1, 1, 1]);
});

test('a lease is two writes at most where another process has moved the rate meanwhile', async () => {
  const [one, other] = [new AwsLimits(table), new AwsLimits(table)];
  const lease = (limits: AwsLimits, atMs: number) => () =>
    limits.lease('both', 'requests', POLICY, 1, 1, START_MS + atMs);
  expect(await writesOf(lease(one, 0), lease(other, 0), lease(one, 1))).toEqual([1, 2, 1]);
  expect(await limits('both', START_MS + 1)).toBe(17);
});

/** What is left of the burst, as a new process sees it. */
async function limits(tenant: string, nowMs: number): Promise<number> {
  return (await new AwsLimits(table).lease(tenant, 'requests', POLICY, 100, 100, nowMs)).remaining;
}

test('a reservation is two writes, one more where what has ended is looked for', async () => {
  const limits = new AwsLimits(table);
  const reserve = (id: string, atMs: number) => async () => {
    const answer = await limits.reserve(reservation('acme', id, START_MS + atMs), START_MS + atMs);
    expect(answer).toEqual({ kind: 'granted' });
  };
  expect(await writesOf(reserve('first', 0), reserve('second', 10), reserve('third', 2 * MINUTE_MS))).toEqual([
    3, 2, 3,
  ]);
  expect(await limits.usage('acme', START_MS + 2 * MINUTE_MS)).toMatchObject({ inFlight: 1, computeMs: 30 });
});

test('looking for what has ended takes no place beyond the limit, and no compute beyond the day', async () => {
  const limits = new AwsLimits(table);
  const laterMs = START_MS + 30_000;
  await limits.reserve(reservation('globex', 'a', START_MS), START_MS);
  await limits.reserve(reservation('globex', 'b', START_MS), START_MS);
  const full = await limits.reserve(reservation('globex', 'c', laterMs), laterMs);
  expect(full).toMatchObject({ kind: 'in-flight-full' });
  const endedMs = START_MS + 2 * MINUTE_MS;
  const spent = await limits.reserve(reservation('globex', 'd', endedMs, 81), endedMs);
  expect(spent).toMatchObject({ kind: 'compute-spent' });
  const nextDayMs = START_MS + DAY_MS;
  expect(await limits.reserve(reservation('globex', 'e', nextDayMs, 100), nextDayMs)).toEqual({ kind: 'granted' });
  expect(await limits.usage('globex', nextDayMs)).toMatchObject({ inFlight: 1, computeMs: 100 });
});

test('of a hundred who come back at once no more are let in than there are places', async () => {
  const limits = new AwsLimits(table);
  const places = (nowMs: number) =>
    Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        limits.reserve({ ...reservation('initech', `${nowMs}-${at}`, nowMs, 1), inFlightLimit: 7 }, nowMs),
      ),
    );
  for (const nowMs of [START_MS, START_MS + 2 * MINUTE_MS]) {
    expect((await places(nowMs)).filter(({ kind }) => kind === 'granted')).toHaveLength(7);
  }
});

test('jobs with late deadlines leave few traces in the item that each of them writes', async () => {
  const limits = new AwsLimits(table);
  for (let job = 0; job < 60; job += 1) {
    const expiresAtMs = START_MS + 16 * MINUTE_MS + job * SECOND_MS;
    await limits.reserve({ ...reservation('late', String(job), START_MS), expiresAtMs }, START_MS);
    await limits.settle('late', String(job), 1, START_MS);
  }
  const ends = Object.keys((await table.get(computeKey('late'))) ?? {}).filter((name) => name.startsWith('in_'));
  expect(ends).toHaveLength(2);
});

test('a place with a late end is free a minute after it at the latest, though nobody settled it', async () => {
  const limits = new AwsLimits(table);
  const endMs = START_MS + 16 * MINUTE_MS + 1;
  await limits.reserve({ ...reservation('lost', '1', START_MS), inFlightLimit: 1, expiresAtMs: endMs }, START_MS);
  const next = (nowMs: number) => limits.reserve({ ...reservation('lost', '2', nowMs), inFlightLimit: 1 }, nowMs);
  expect((await next(endMs - 1)).kind).toBe('in-flight-full');
  expect((await next(endMs + MINUTE_MS)).kind).toBe('granted');
});
