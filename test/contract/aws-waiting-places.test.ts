import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsLimits } from '../../adapters/aws/limits.ts';
import { Table } from '../../adapters/aws/table.ts';
import { AwsWaitingPlaces } from '../../adapters/aws/waiting-places.ts';
import type { WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { clientSubject } from '../support/aws/client-subject.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { recordCalls } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { BROKEN_WAITING_PLACES } from '../support/broken-waiting-places.ts';
import { RegionPlaces } from '../support/region-places.ts';
import type { Adapter } from './contract.ts';
import { expectCaught } from './expect-caught.ts';
import { describeWaitingPlacesContract, waitingPlacesCases } from './waiting-places.contract.ts';

const START_MS = Date.UTC(2026, 0, 15, 12);

let dynamo: DynamoEmulator;
beforeAll(async () => {
  dynamo = await DynamoEmulator.start();
});
afterAll(() => dynamo.stop());

const aws: Adapter<WaitingPlaces> = {
  async open() {
    const name = await dynamo.createTable();
    return clientSubject(new SteppedClock(), () => new AwsWaitingPlaces(new Table(dynamo.client, name)));
  },
};
/** What the tests of the core wait in. */
const inMemory: Adapter<WaitingPlaces> = {
  async open() {
    const places = new RegionPlaces();
    return clientSubject(new SteppedClock(), () => places);
  },
};

describeWaitingPlacesContract('aws', aws);
describeWaitingPlacesContract('in memory', inMemory);
expectCaught('waiting places', waitingPlacesCases, aws, BROKEN_WAITING_PLACES);

async function aTable(): Promise<Table> {
  return new Table(dynamo.client, await dynamo.createTable());
}

test('a place is one write and giving it back another, one more where what has ended is looked for', async () => {
  const places = new AwsWaitingPlaces(await aTable());
  const writes: number[] = [];
  for (const atMs of [START_MS, START_MS + 10]) {
    const recorded = recordCalls(dynamo.client);
    const place = await places.take('acme', 5, atMs + 25 * SECOND_MS, atMs);
    writes.push(recorded.calls.length);
    await place!.leave(atMs + 5);
    writes.push(recorded.calls.length);
    recorded.stop();
  }
  expect(writes).toEqual([2, 3, 1, 2]);
});

test('places to wait are none of those in flight, and go with the tenant', async () => {
  const table = await aTable();
  const [places, limits] = [new AwsWaitingPlaces(table), new AwsLimits(table)];
  await places.take('acme', 1, START_MS + MINUTE_MS, START_MS);
  expect(await limits.usage('acme', START_MS)).toMatchObject({ inFlight: 0, computeMs: 0 });
  await limits.erase('acme');
  expect(await places.take('acme', 1, START_MS + MINUTE_MS, START_MS)).toBeDefined();
});

test('a function lets one tenant hold no more than its share, those of other functions among them', async () => {
  const table = await aTable();
  const [small, large] = [new AwsWaitingPlaces(table, 2), new AwsWaitingPlaces(table)];
  const take = (places: WaitingPlaces) => places.take('acme', 4, START_MS + MINUTE_MS, START_MS);
  expect(await take(large)).toBeDefined();
  expect(await take(small)).toBeDefined();
  expect(await take(small)).toBeUndefined();
  expect(await take(large)).toBeDefined();
});
