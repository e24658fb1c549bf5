import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { killNow, StartedPlatform, stillRunning } from '../support/durability/started-platform.ts';
import {
  type Answer,
  type ApiClient,
  firstOutput,
  fourOf,
  type InferJson,
  int64s,
  texts,
} from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { followValidation, pushModel, startPush, withManifest } from '../support/push-model.ts';

const ASYNC = { prefer: 'respond-async' };
/** A guard notices the end of its parent at once; this is for a busy machine. */
const ORPHAN_MS = 5000;

let platform: StartedPlatform;
let acme: ApiClient;

beforeAll(async () => {
  platform = await StartedPlatform.create();
  await platform.start();
  acme = platform.tenant('acme');
  const alone = withManifest(slowModel(), { batching: { maxRows: 1 }, timeoutMs: 60_000 });
  expect((await pushModel(platform.operator, alone)).status).toBe(200);
});

afterAll(() => platform.end());

function placeOf(answer: Answer): string {
  expect(answer.status, answer.text).toBe(202);
  return answer.header('location')!;
}

/** Takes half a second of a runner, about. */
function slow(rounds: number, headers: Record<string, string> = {}): Promise<Answer> {
  return acme.infer('slow', int64s('rounds', rounds), { headers });
}

async function inFlight(): Promise<number> {
  return (await acme.get('/control/v1/tenants/acme/usage')).json<{ in_flight: number }>().in_flight;
}

/** Kills and starts again; nothing of the killed platform may go on running. */
async function restart(others: readonly number[] = []): Promise<void> {
  const descendants = platform.descendants();
  await platform.kill(others);
  expect(await stillRunning(descendants, ORPHAN_MS)).toEqual([]);
  await platform.start();
}

describe('kill -9 of a runner', () => {
  test('in the middle of a run: whoever waits is answered, by another one', async () => {
    const waiting = [600, 601, 602].map((rounds) => slow(rounds));
    const sums = [1, 2, 3].map((value) => acme.infer('row-sum', fourOf(value)));
    await vi.waitFor(async () => expect(await inFlight()).toBeGreaterThanOrEqual(3));
    await delay(150);
    const killed = platform.runners();
    expect(killed.length).toBeGreaterThan(0);
    killed.forEach(killNow);
    expect((await Promise.all(waiting)).map((answer) => firstOutput(answer))).toEqual([[600], [601], [602]]);
    expect((await Promise.all(sums)).map((answer) => firstOutput(answer))).toEqual([[4], [8], [12]]);
    expect(await stillRunning(killed, ORPHAN_MS)).toEqual([]);
  });

  test('of all of them, again and again: nothing is held against the input', async () => {
    for (let round = 0; round < 3; round += 1) {
      platform.runners().forEach(killNow);
      const answer = await acme.infer('ticket-sentiment', texts('text', 'thank you'));
      expect(answer.status, answer.text).toBe(200);
      expect(firstOutput(answer)).toHaveLength(1);
    }
  });
});

describe('kill -9 of the platform', () => {
  test('with accepted work running and waiting: after the next start each has its one result', async () => {
    const places: string[] = [];
    for (let i = 0; i < 6; i += 1) places.push(placeOf(await slow(500 + i, ASYNC)));
    const quick = await Promise.all(
      Array.from({ length: 20 }, (_, i) => acme.infer('row-sum', fourOf(i), { headers: ASYNC })),
    );
    const texted = placeOf(await acme.infer('ticket-sentiment', texts('text', 'this is awful'), { headers: ASYNC }));
    const unanswered = slow(3000).catch(() => 'cut off');
    await vi.waitFor(async () => expect(await inFlight()).toBeGreaterThan(2));
    await restart();
    expect(await unanswered).toBe('cut off');
    for (const [i, place] of places.entries()) {
      const first = await acme.result(place);
      expect(firstOutput(first), first.text).toEqual([500 + i]);
      expect((await acme.result(place)).text).toBe(first.text);
    }
    for (const [i, answer] of quick.entries()) expect(firstOutput(await acme.result(placeOf(answer)))).toEqual([4 * i]);
    expect(firstOutput(await acme.result(texted))).toHaveLength(1);
    await vi.waitFor(async () => expect(await inFlight()).toBe(0), { timeout: 5000 });
  });

  test('and of every process of it at once: a repeated key names the same job, which has one result', async () => {
    const headers = { 'idempotency-key': '"order-7"' };
    const cutOff = slow(700, headers).catch(() => undefined);
    await vi.waitFor(async () => expect(await inFlight()).toBe(1));
    await delay(100);
    await restart(platform.descendants());
    await cutOff;
    const answer = await vi.waitFor(
      async () => {
        const again = await slow(700, headers);
        expect(again.status, again.text).toBe(200);
        return again;
      },
      { timeout: 15_000, interval: 200 },
    );
    expect(firstOutput(answer)).toEqual([700]);
    const { id } = answer.json<InferJson>();
    await restart();
    const replayed = await slow(700, headers);
    expect(replayed.json<InferJson>().id).toBe(id);
    expect(replayed.text).toBe(answer.text);
    expectProblem(await slow(701, headers), 'idempotency-key-reused');
  });

  test('while models are validated: the next start goes on with them, and adds each once', async () => {
    const { operator } = platform;
    const pushes = ['pushed-first', 'pushed-next'].map((name) => withManifest(slowModel(), { name }));
    const before = platform.runners().length;
    const places = [];
    for (const files of pushes) places.push(placeOf(await startPush(operator, files)));
    await vi.waitFor(() => expect(platform.runners().length).toBeGreaterThan(before), { interval: 5, timeout: 10_000 });
    await restart();
    for (const [at, place] of places.entries()) {
      const { model, state, version } = await followValidation(operator, place);
      expect({ model, state, version }).toEqual({ model: pushes[at]!.manifest.name, state: 'accepted', version: '1' });
      expect((await startPush(operator, pushes[at]!)).status).toBe(200);
      const { items } = (await operator.get(`/control/v1/models/${model}/versions`)).json<{ items: unknown[] }>();
      expect(items.length).toBe(1);
      expect(firstOutput(await acme.infer(model, int64s('rounds', 1)))).toEqual([1]);
    }
  });

  test('takes back no tenant, no key, no revocation', async () => {
    const { operator, credentials } = platform;
    const tenants = '/control/v1/tenants';
    expect((await operator.post(tenants, { id: 'newcomer', name: 'New', plan: 'pro' })).status).toBe(201);
    const keys = [];
    for (let i = 0; i < 2; i += 1) {
      const made = await operator.post(`${tenants}/newcomer/keys`, { role: 'tenant-user', label: `key ${i}` });
      keys.push(made.json<{ id: string; key: string }>());
    }
    expect((await operator.send('DELETE', `${tenants}/newcomer/keys/${keys[1]!.id}`)).status).toBeLessThan(300);
    await restart();
    expect(platform.credentials).toEqual(credentials);
    const [kept, revoked] = keys.map((key) => ({ authorization: `Bearer ${key.key}` }));
    const answer = await acme.infer('row-sum', fourOf(1), { headers: kept! });
    expect(answer.status, answer.text).toBe(200);
    expect(firstOutput(answer)).toEqual([4]);
    expectProblem(await acme.infer('row-sum', fourOf(1), { headers: revoked! }), 'credentials-invalid');
    expect((await operator.get(`${tenants}/newcomer`)).json()).toMatchObject({ id: 'newcomer', plan: 'pro' });
  });
});

test('a first start that is killed again and again is completed by the next one, and leaves nothing half made', async () => {
  const fresh = await StartedPlatform.create();
  try {
    for (const lifeMs of [250, 500, 750, 1000, 1250, 1500]) {
      fresh.spawn();
      await delay(lifeMs);
      const descendants = fresh.descendants();
      await fresh.kill();
      expect(await stillRunning(descendants, ORPHAN_MS)).toEqual([]);
    }
    await fresh.start();
    for (const { tenant } of fresh.credentials.tenants) {
      expect(firstOutput(await fresh.tenant(tenant).infer('row-sum', fourOf(1)))).toEqual([4]);
    }
    const names = readdirSync(fresh.folder, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => /unfinished|\.json\.|draft/.test(name))).toEqual([]);
    expect(readdirSync(join(fresh.folder, 'us', 'uploads'))).toEqual([]);
  } finally {
    await fresh.end();
  }
});
