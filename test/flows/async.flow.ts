import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { idLookup, slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, firstOutput, type InferJson, int64s, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem, type ProblemJson } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Predictions that are asked for later: 202, waiting, results, cancelling. */
export function describeAsync(start: StartPlatform): void {
  /** A second or so of one core. */
  const SLOW_ROUNDS = 1500;
  const ASYNC = { prefer: 'respond-async' };

  /** On a machine that does many things at once a second of work may take ten. */
  const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });

  let running: PlatformUnderTest;
  let acme: ApiClient;
  let initech: ApiClient;

  beforeAll(async () => {
    running = await start({ models: ['ticket-sentiment', SLOW, idLookup()], runners: 1 });
    acme = await running.addTenant('acme');
    initech = await running.addTenant('initech');
  });

  afterAll(() => running.end());

  /** Where to ask for the result, after checking everything that a 202 promises. */
  function placeOf(answer: Answer): string {
    expect(answer.status).toBe(202);
    const { id, ...rest } = answer.json<{ id: string; state: string; model_version: string }>();
    expect(rest).toEqual({ state: 'pending', model_version: '1' });
    expect(answer.header('location')).toBe(`/v2/predictions/${id}`);
    expect(answer.header('retry-after')).toBe('1');
    expect(answer.header('sluice-model-version')).toBe('1');
    return `/v2/predictions/${id}`;
  }

  /** Fills the only runner, so that whatever comes next waits: resolves once it runs. */
  async function occupy(rounds = SLOW_ROUNDS): Promise<{ readonly busy: Promise<Answer> }> {
    const { size } = await running.startedJobs();
    const busy = initech.infer('slow', int64s('rounds', rounds));
    await vi.waitFor(async () => expect((await running.startedJobs()).size).toBe(size + 1), { timeout: 10_000 });
    return { busy };
  }

  describe('Prefer: respond-async', () => {
    test('answers 202 at once with a place to ask, where the result then is', async () => {
      const accepted = await acme.infer('ticket-sentiment', texts('text', 'great'), {
        headers: ASYNC,
        members: { id: 'mine', outputs: [{ name: 'label' }] },
      });
      const place = placeOf(accepted);
      expect(accepted.header('preference-applied')).toBe('respond-async');
      const result = await acme.result(place);
      expect(result.status).toBe(200);
      const { id, outputs } = result.json<InferJson>();
      expect(id).toBe('mine');
      expect(outputs.map(({ name }) => name)).toEqual(['label']);
      expect(result.header('sluice-model-version')).toBe('1');
      // Reading it takes nothing away.
      expect((await acme.get(place)).text).toBe(result.text);
    });

    test('with a wait that suffices the answer comes on the same connection', async () => {
      const headers = { prefer: 'Respond-Async , WAIT=10; foo, something-else' };
      const answer = await acme.infer('ticket-sentiment', texts('text', 'great'), { headers });
      expect(answer.status).toBe(200);
    });

    test('asking too early says so, and asking with a wait waits', async () => {
      const { busy } = await occupy();
      const place = placeOf(await acme.infer('slow', int64s('rounds', 1), { headers: ASYNC }));
      const early = await acme.get(place);
      expect(placeOf(early)).toBe(place);
      const result = await acme.result(place);
      expect(firstOutput(result)).toEqual([1]);
      expect((await busy).status).toBe(200);
    });

    test('a prediction that fails is that failure wherever its result is asked for', async () => {
      const accepted = await acme.infer('id-lookup', [{ name: 'ids', shape: [1, 1], datatype: 'INT64', data: [10] }], {
        headers: ASYNC,
      });
      const place = placeOf(accepted);
      const first = expectProblem(await acme.result(place), 'prediction-failed');
      expect(first.prediction_id).toBe(place.split('/').at(-1));
      expectProblem(await acme.get(place), 'prediction-failed');
    });
  });

  describe('Prefer: wait', () => {
    test('turns into 202 when the time is up; the prediction goes on and is kept', async () => {
      const answer = await acme.infer('slow', int64s('rounds', 3 * SLOW_ROUNDS), { headers: { prefer: 'wait=1' } });
      const place = placeOf(answer);
      expect(answer.header('preference-applied')).toBe('wait=1');
      expect(firstOutput(await acme.result(place))).toEqual([3 * SLOW_ROUNDS]);
    });

    test('wait=0 accepts what cannot be answered at once', async () => {
      const { busy } = await occupy();
      const place = placeOf(await acme.infer('slow', int64s('rounds', 1), { headers: { prefer: 'wait=0' } }));
      expect(firstOutput(await acme.result(place))).toEqual([1]);
      expect((await busy).status).toBe(200);
    });
  });

  describe('DELETE', () => {
    test('cancels what has not started: it never runs and costs nothing', async () => {
      const { busy } = await occupy();
      const place = placeOf(await acme.infer('slow', int64s('rounds', 2), { headers: ASYNC }));
      const id = place.split('/').at(-1)!;
      const cancelled = await acme.send('DELETE', place);
      expect(cancelled.json()).toEqual({ id, state: 'cancelled' });
      expectProblem(await acme.get(place), 'prediction-cancelled', { prediction_id: id });
      expect((await acme.send('DELETE', place)).json()).toEqual({ id, state: 'ended' });
      await busy;
      // A later job has run: the cancelled one would have come before it.
      expect(firstOutput(await acme.infer('slow', int64s('rounds', 1)))).toEqual([1]);
      expect((await running.startedJobs()).has(id)).toBe(false);
      await vi.waitFor(
        async () => {
          const usage = (await acme.get('/control/v1/tenants/acme/usage')).json();
          expect(usage).toMatchObject({ in_flight: 0 });
        },
        { timeout: 10_000 },
      );
    });

    test('of an ended prediction changes nothing', async () => {
      const place = placeOf(await acme.infer('ticket-sentiment', texts('text', 'fine'), { headers: ASYNC }));
      const result = await acme.result(place);
      expect((await acme.send('DELETE', place)).json()).toMatchObject({ state: 'ended' });
      expect((await acme.get(place)).text).toBe(result.text);
    });
  });

  describe("another tenant's prediction", () => {
    test('is answered exactly as one that never was', async () => {
      const place = placeOf(await acme.infer('ticket-sentiment', texts('text', 'secret'), { headers: ASYNC }));
      const never = `/v2/predictions/pred_${'0'.repeat(32)}`;
      const strip = ({ instance, request_id, ...rest }: ProblemJson) => rest;
      for (const method of ['GET', 'DELETE']) {
        const theirs = expectProblem(await initech.send(method, place), 'prediction-unknown', { field: 'id' });
        const nobodys = expectProblem(await initech.send(method, never), 'prediction-unknown');
        expect(strip(theirs)).toEqual(strip(nobodys));
      }
      expect((await acme.result(place)).status).toBe(200);
    });
  });
}
