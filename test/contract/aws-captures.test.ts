import { DeleteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { Blobs } from '../../adapters/aws/blobs.ts';
import { AwsCaptures } from '../../adapters/aws/captures.ts';
import { AwsDataKeys } from '../../adapters/aws/data-keys.ts';
import { JOBS_INDEXES } from '../../adapters/aws/keys.ts';
import { Table } from '../../adapters/aws/table.ts';
import { CAPTURE_LIMITS, MOST_LISTED_BYTES } from '../../core/inference/capture.ts';
import type { Captures } from '../../core/ports/captures.ts';
import { DAY_MS, KIB, MIB } from '../../core/units.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { type Emulators, recordCalls, startEmulators } from '../support/aws/emulators.ts';
import { SteppedClock } from '../support/aws/stepped-clock.ts';
import { BROKEN_CAPTURES } from '../support/broken-captures.ts';
import { aCapture } from '../support/captures.ts';
import { override } from '../support/fault.ts';
import { capturesCases, describeCapturesContract } from './captures.contract.ts';
import { type Adapter, failingCases, type Subject } from './contract.ts';

// Ten thousand captures are half a minute of an emulator's work where the machine is busy.
vi.setConfig({ testTimeout: 120_000 });

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

async function open(limits = CAPTURE_LIMITS) {
  const { dynamo, kms, fauxqs } = emulators;
  const keys = await dynamo.createTable();
  const name = await dynamo.createTable(JOBS_INDEXES);
  const bucket = fauxqs.createBucket();
  const clock = new SteppedClock();
  const logged: string[] = [];
  const log = { ...NO_LOG, error: (message: string, cause: unknown) => void logged.push(`${message} ${cause}`) };
  const blobs = new Blobs(fauxqs.s3, bucket);
  const dataKeys = new AwsDataKeys(new Table(dynamo.client, keys), kms.client, 'alias/region', clock);
  const create = () => {
    const port = new AwsCaptures({ table: new Table(dynamo.client, name), blobs, dataKeys, clock, log }, limits);
    // What expires is deleted by the table itself.
    return Object.assign(port, { purge: (nowMs: number) => dynamo.expire(name, nowMs) });
  };
  return {
    create,
    captures: create(),
    name,
    clock,
    logged,
    dataKeys,
    blobs: async () => {
      const { Contents: found = [] } = await fauxqs.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      return found.map(({ Key }) => Key!);
    },
    items: async () => (await dynamo.client.send(new ScanCommand({ TableName: name }))).Items ?? [],
  };
}

/** As many as a few workers write at once; what waits for a connection longer than a call may take is given up. */
const MOST_WRITES = 128;

function atMost<T>(most: number, run: (item: T) => Promise<void>): (item: T) => Promise<void> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (item) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      await run(item);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}

const adapter: Adapter<Captures> = {
  async open() {
    const { create, clock } = await open();
    const bounded = () => {
      const whole = create();
      return override(whole, { write: atMost(MOST_WRITES, (capture) => whole.write(capture)) });
    };
    let port = bounded();
    const restart = async () => {
      port = bounded();
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

describeCapturesContract('aws', adapter);

describe('the captures contract finds an adapter on AWS out that', () => {
  for (const { fault, caughtBy, breaks } of BROKEN_CAPTURES) {
    it(fault, async () => {
      const catching = capturesCases.filter(({ name }) => name === caughtBy);
      const broken: Adapter<Captures> = {
        async open() {
          const subject = await adapter.open();
          let [from, port] = [subject.port, breaks(subject.port)];
          // Anew after each restart, as an adapter's memory is.
          const get = () => {
            if (from !== subject.port) [from, port] = [subject.port, breaks(subject.port)];
            return port;
          };
          return Object.defineProperty({ ...subject }, 'port', { get }) as Subject<Captures>;
        },
      };
      expect(await failingCases(catching, broken)).toEqual([caughtBy]);
    });
  }
});

const idsOf = (captures: readonly { readonly id: string }[]) => captures.map(({ id }) => id);
const bytesOf = (size: number) => [
  { name: 'x', datatype: 'UINT8', shape: [size], data: new Uint8Array(size) } as const,
];

test('a capture costs a write and a small read, a large one an object beside, and nothing of it is in the clear', async () => {
  const { captures, clock, items, blobs } = await open();
  const nowMs = clock.nowMs();
  await captures.write(aCapture(nowMs));
  const dynamo = recordCalls(emulators.dynamo.client);
  const s3 = recordCalls(emulators.fauxqs.s3);
  const text = { name: 't', datatype: 'BYTES' as const, shape: [1], data: ['the patient reports'] };
  // One in a hundred trims beside that, which is no part of this.
  const random = Math.random;
  Math.random = () => 0.999;
  await captures.write(aCapture(nowMs, { inputs: [text] }));
  expect([dynamo.calls.splice(0), s3.calls]).toEqual([['PutItem', 'GetItem'], []]);
  await captures.write(aCapture(nowMs, { id: 'large', inputs: bytesOf(20 * KIB) }));
  Math.random = random;
  dynamo.stop();
  s3.stop();
  expect([dynamo.calls, s3.calls]).toEqual([['PutItem', 'GetItem'], ['PutObject']]);
  expect(await blobs()).toEqual([expect.stringMatching('^captures/365/acme/')]);
  for (const item of await items()) {
    const { sealed, ...clear } = item;
    expect(JSON.stringify(clear)).not.toContain('patient');
    expect(Buffer.from(sealed?.B ?? []).includes('patient')).toBe(false);
  }
  expect(await captures.list('m', 1, nowMs, 'acme')).toHaveLength(1);
});

test('large captures are whole, and their objects go with them: erased, trimmed, written twice or too late', async () => {
  const { captures, clock, blobs } = await open({ captures: 2, bytes: MIB });
  const nowMs = clock.nowMs();
  const large = (id: string, atMs: number, tenant = 'acme') =>
    aCapture(atMs, { id, tenant, inputs: bytesOf(20 * KIB), expiresAtMs: nowMs + 3 * DAY_MS });
  const first = large('a', nowMs);
  await captures.write(first);
  await captures.write(large('a', nowMs + 9));
  expect(await captures.list('m', 5, nowMs)).toEqual([first]);
  expect(await blobs()).toEqual([expect.stringMatching('^captures/7/acme/')]);
  await captures.write(large('b', nowMs + 1));
  await captures.write(large('c', nowMs + 2));
  await captures.write(large('other', nowMs, 'globex'));
  expect(await blobs()).toHaveLength(3);
  expect(idsOf(await captures.list('m', 5, nowMs, 'acme'))).toEqual(['c', 'b']);
  await clock.advance(5);
  await captures.erase('acme');
  await captures.write(large('late', nowMs + 3));
  expect(await blobs()).toEqual([expect.stringMatching('^captures/7/globex/')]);
});

test('what is over the limits is gone from the table too, by number and by bytes', async () => {
  const { captures, clock, items } = await open({ captures: 20, bytes: MIB });
  const nowMs = clock.nowMs();
  for (const at of [0, 1, 2, 3])
    await captures.write(aCapture(nowMs + at, { id: `a${at}`, inputs: bytesOf(256 * KIB) }));
  expect(idsOf(await captures.list('m', 10, nowMs))).toEqual(['a3', 'a2', 'a1']);
  expect(await items()).toHaveLength(3);
  await captures.write(aCapture(nowMs + 4, { inputs: bytesOf(MIB) }));
  expect(idsOf(await captures.list('m', 10, nowMs))).toEqual(['a3', 'a2', 'a1']);
  for (let at = 0; at < 30; at += 1) await captures.write(aCapture(nowMs + 10 + at, { tenant: 'globex', model: 'n' }));
  expect((await items()).filter(({ tenant }) => tenant?.S === 'globex')).toHaveLength(20);
});

test('a list ends before its payload would be more than 64 MiB', async () => {
  const { captures, clock } = await open();
  const nowMs = clock.nowMs();
  for (let at = 0; at < 32; at += 1)
    await captures.write(aCapture(nowMs + at, { inputs: bytesOf(MOST_LISTED_BYTES / 32) }));
  expect(await captures.list('m', 100, nowMs)).toHaveLength(31);
});

test('an erasure that comes between a write and its check leaves nothing', async () => {
  const { captures, create, clock, items, dataKeys } = await open();
  const madeMs = clock.nowMs();
  await clock.advance(1);
  const written = [1, 2, 3, 4].map((id) => captures.write(aCapture(madeMs, { id: `a${id}` })));
  await dataKeys.destroy('acme');
  await create().erase('acme');
  await Promise.all(written);
  expect((await items()).filter(({ pk }) => pk?.S === 'captures#acme')).toEqual([]);
});

test('one that cannot be opened or read is left out: silently where its key was destroyed, else with a line in the log', async () => {
  const { captures, clock, name, dataKeys, logged } = await open();
  const nowMs = clock.nowMs();
  for (const [at, tenant] of ['acme', 'globex', 'initech', 'umbrella'].entries())
    await captures.write(aCapture(nowMs - at, { id: tenant, tenant }));
  await dataKeys.destroy('acme');
  expect(idsOf(await captures.list('m', 10, nowMs))).toEqual(['globex', 'initech', 'umbrella']);
  expect(logged).toEqual([]);
  const { client } = emulators.dynamo;
  const { Items = [] } = await client.send(new ScanCommand({ TableName: name }));
  const globex = Items.find(({ tenant }) => tenant?.S === 'globex')!;
  const initech = Items.find(({ tenant }) => tenant?.S === 'initech')!;
  // As if somebody had given one tenant's capture to another prediction, and damaged one.
  await client.send(new DeleteItemCommand({ TableName: name, Key: { pk: globex.pk!, sk: globex.sk! } }));
  await client.send(new PutItemCommand({ TableName: name, Item: { ...globex, sk: { S: 'another' } } }));
  await client.send(new PutItemCommand({ TableName: name, Item: { ...initech, bytes: { S: 'many' } } }));
  expect(idsOf(await captures.list('m', 10, nowMs))).toEqual(['umbrella']);
  expect(logged).toHaveLength(2);
});
