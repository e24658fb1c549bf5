import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const SLOW_ROUNDS = 700;
const ASYNC = { headers: { prefer: 'respond-async' } };

/** On a machine that does many things at once a second of work may take ten. */
const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });

let running: RunningPlatform;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', SLOW], runners: 1 });
});

afterAll(() => running.end());

const erase = (tenant: string, client: ApiClient) => client.send('DELETE', `/control/v1/tenants/${tenant}/data`);
const inFlight = async (tenant: string, client: ApiClient) =>
  (await client.get(`/control/v1/tenants/${tenant}/usage`)).json<{ in_flight: number }>().in_flight;

describe('work that is taken back while it waits', () => {
  test('ends its waiting callers with a clear answer, frees their places, and disturbs nobody', async () => {
    const leaving = await running.addTenant('leaving', { overrides: { requestsInFlight: 6 } });
    const staying = await running.addTenant('staying');
    const runs = staying.infer('slow', int64s('rounds', SLOW_ROUNDS));
    await vi.waitFor(async () => expect(await inFlight('staying', staying)).toBe(1));
    const waiting = [1, 2].map((i) => leaving.infer('row-sum', fourOf(i)));
    const accepted = await Promise.all([3, 4, 5].map((i) => leaving.infer('row-sum', fourOf(i), ASYNC)));
    await vi.waitFor(async () => expect(await inFlight('leaving', leaving)).toBe(5));
    expect((await erase('leaving', leaving)).status).toBe(204);
    for (const answer of accepted) {
      expectProblem(await leaving.get(answer.header('location')!), 'prediction-unknown');
    }
    for (const answer of await Promise.all(waiting)) {
      expect([200, 410, 504]).toContain(answer.status);
    }
    expect((await runs).status).toBe(200);
    await vi.waitFor(async () => expect(await inFlight('leaving', leaving)).toBe(0), { timeout: 5000 });
    expect(firstOutput(await leaving.infer('row-sum', fourOf(6)))).toEqual([24]);
    expect(running.logLines.filter((line) => line.includes('"internal"'))).toEqual([]);
  });

  test('frees the places of what waited in the queue, too', async () => {
    const many = await running.addTenant('many');
    // Teaches the worker what a row costs, so that it leaves most of these in the queue.
    for (let i = 0; i < 3; i += 1) await many.infer('slow', int64s('rounds', SLOW_ROUNDS));
    await Promise.all(Array.from({ length: 20 }, () => many.infer('slow', int64s('rounds', SLOW_ROUNDS), ASYNC)));
    expect((await erase('many', many)).status).toBe(204);
    await vi.waitFor(async () => expect(await inFlight('many', many)).toBe(0), { timeout: 10_000, interval: 100 });
  });

  test('and so does cancelling it', async () => {
    const many = await running.addTenant('many2');
    // Teaches the worker what a row costs, so that it leaves most of these in the queue.
    for (let i = 0; i < 3; i += 1) await many.infer('slow', int64s('rounds', SLOW_ROUNDS));
    const all = await Promise.all(
      Array.from({ length: 20 }, () => many.infer('slow', int64s('rounds', SLOW_ROUNDS), ASYNC)),
    );
    for (const a of all) expect((await many.send('DELETE', a.header('location')!)).status).toBe(200);
    await vi.waitFor(async () => expect(await inFlight('many2', many)).toBe(0), { timeout: 10_000, interval: 100 });
  });
});
