import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesWith } from '../support/durability/files-with.ts';
import { echoText } from '../support/echo-models.ts';
import { type ApiClient, firstOutput, texts } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const ASYNC = { prefer: 'respond-async' };
const MARKERS = { leaving: 'marker-of-leaving-4711', staying: 'marker-of-staying-4712' };

let folder: string;
let running: RunningPlatform;
let operator: ApiClient;
let leaving: ApiClient;
let staying: ApiClient;
/** Where each tenant's ended predictions are. */
const places: Record<keyof typeof MARKERS, string[]> = { leaving: [], staying: [] };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-erasure-'));
  running = await startRunning({ dataFolder: folder, models: [echoText()] });
  operator = await running.addKey(undefined, { role: 'admin' });
  leaving = await running.addTenant('leaving');
  staying = await running.addTenant('staying');
});

afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

function clientOf(tenant: keyof typeof MARKERS): ApiClient {
  return tenant === 'leaving' ? leaving : staying;
}

/** Predictions of all kinds that keep something: accepted ones, and one under a key. */
async function predict(tenant: keyof typeof MARKERS): Promise<void> {
  const client = clientOf(tenant);
  for (let i = 0; i < 5; i += 1) {
    const accepted = await client.infer('echo-text', texts('text', `${MARKERS[tenant]} ${i}`), { headers: ASYNC });
    const place = accepted.header('location')!;
    expect(firstOutput(await client.result(place))).toEqual([`${MARKERS[tenant]} ${i}`]);
    places[tenant].push(place);
  }
  const keyed = await client.infer('echo-text', texts('text', MARKERS[tenant]), {
    headers: { 'idempotency-key': `"${MARKERS[tenant]}"` },
  });
  expect(firstOutput(keyed)).toEqual([MARKERS[tenant]]);
}

/** The tenant's key as it lies on the disk, read from a copy, as the region holds its database alone. */
function wrappedKeyOf(tenant: string): Buffer {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-copy-'));
  try {
    cpSync(join(folder, 'us'), copy, { recursive: true });
    const database = new DatabaseSync(join(copy, 'region.db'));
    const row = database.prepare('SELECT wrapped FROM data_key WHERE tenant = ?').get(tenant) as {
      wrapped: Uint8Array;
    };
    database.close();
    return Buffer.from(row.wrapped);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

describe("the erasure of a tenant's data", () => {
  let keys: Record<keyof typeof MARKERS, Buffer>;

  test('leaves neither its payloads nor its key in any file', async () => {
    await predict('leaving');
    await predict('staying');
    keys = { leaving: wrappedKeyOf('leaving'), staying: wrappedKeyOf('staying') };
    for (const key of Object.values(keys)) expect(filesWith(folder, key)).not.toEqual([]);
    const erased = await operator.send('DELETE', '/control/v1/tenants/leaving/data');
    expect(erased.status, erased.text).toBe(204);
    expect(filesWith(folder, keys.leaving)).toEqual([]);
    for (const marker of Object.values(MARKERS)) expect(filesWith(folder, marker)).toEqual([]);
    expect(running.logLines.join()).not.toContain('marker-of');
  });

  test('takes its predictions and its keys of requests away, and nobody else’s', async () => {
    for (const place of places.leaving) expectProblem(await leaving.get(place), 'prediction-unknown');
    for (const [i, place] of places.staying.entries()) {
      expect(firstOutput(await staying.get(place))).toEqual([`${MARKERS.staying} ${i}`]);
    }
    expect(filesWith(folder, keys.staying)).not.toEqual([]);
    const headers = { 'idempotency-key': `"${MARKERS.leaving}"` };
    const anew = await leaving.infer('echo-text', texts('text', 'something else'), { headers });
    expect(firstOutput(anew), anew.text).toEqual(['something else']);
  });

  test('outlasts a restart, and what comes later is under another key', async () => {
    await running.stop();
    expect(filesWith(folder, keys.leaving)).toEqual([]);
    running = await startRunning({ dataFolder: folder });
    leaving = running.client(leaving.key);
    staying = running.client(staying.key);
    for (const place of places.leaving) expectProblem(await leaving.get(place), 'prediction-unknown');
    for (const [i, place] of places.staying.entries()) {
      expect(firstOutput(await staying.get(place))).toEqual([`${MARKERS.staying} ${i}`]);
    }
    expect(wrappedKeyOf('leaving').equals(keys.leaving)).toBe(false);
    expect(filesWith(folder, keys.leaving)).toEqual([]);
  });
});
