import { afterAll, beforeAll, expect, test } from 'vitest';
import { ComputeItem } from '../../adapters/aws/compute-item.ts';
import { computeKey } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { SECOND_MS } from '../../core/units.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';

const CALLERS = 100;
const START_MS = Date.UTC(2026, 10, 28, 12);

let dynamo: DynamoEmulator;
let table: Table;

beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
  table = new Table(dynamo.client, await dynamo.createTable());
});

afterAll(() => dynamo.stop());

/** Each by a process of its own, whose clock is up to three seconds off. Rejects if one of them is told of overload. */
function reserveAll(tenant: string, nowMs: number, inFlightLimit: number) {
  return Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => {
      const ownMs = nowMs + (caller % 7) * 500;
      const reservation = { tenant, id: `${nowMs}-${caller}`, inFlightLimit, computeMs: 1, dailyComputeMs: 1e6 };
      return new ComputeItem(table).reserve(
        computeKey(tenant),
        { ...reservation, expiresAtMs: ownMs + 5 * SECOND_MS },
        ownMs,
      );
    }),
  );
}

test.each([
  ['that has never called', 0],
  ['whose earlier places have all ended by now', 1],
  ['on the first calls of a day', 13 * 3600],
])(
  'a hundred callers at once of a tenant %s all get their places, none is told of overload',
  async (tenant, afterS) => {
    if (afterS > 0) await reserveAll(tenant, START_MS, CALLERS);
    const nowMs = START_MS + (afterS === 1 ? 20 : afterS) * SECOND_MS;
    const answers = await reserveAll(tenant, nowMs, CALLERS);
    expect(answers.filter(({ kind }) => kind !== 'granted')).toEqual([]);
    const usage = await new ComputeItem(table).usage(computeKey(tenant), nowMs);
    expect(usage.inFlight).toBe(CALLERS);
  },
);

test('of a hundred callers at once no more get places than there are, and the others are told that all are taken', async () => {
  const answers = await reserveAll('few', START_MS, 10);
  const kinds = Map.groupBy(answers, ({ kind }) => kind);
  expect(kinds.get('granted')).toHaveLength(10);
  expect(kinds.get('in-flight-full')).toHaveLength(CALLERS - 10);
});
