import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { idLookup, slowModel } from '../support/bad-models.ts';
import { type ApiClient, firstOutput, fourOf, type InferJson, int64s } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';

/** Requests with an Idempotency-Key. */
export function describeIdempotency(start: StartPlatform): void {
  const SLOW_ROUNDS = 1000;

  /** On a machine that does many things at once a second of work may take ten. */
  const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });

  let running: PlatformUnderTest;
  let acme: ApiClient;
  /** How many runs a worker has begun. */
  const runCount = async () => [...(await running.startedJobs()).values()].reduce((sum, runs) => sum + runs, 0);

  beforeAll(async () => {
    running = await start({ models: ['row-sum', SLOW, idLookup()], runners: 1 });
    acme = await running.addTenant('acme');
  });

  afterAll(() => running.end());

  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });

  describe('a repeated request', () => {
    test('gets the stored answer: the same bytes, marked, not run and not charged again', async () => {
      const first = await acme.infer('row-sum', fourOf(1), keyed('"order-1"'));
      expect(first.status).toBe(200);
      expect(first.header('sluice-replayed')).toBeUndefined();
      const runs = await runCount();
      const usage = (await acme.get('/control/v1/tenants/acme/usage')).json();
      // Unquoted is the same key, as many clients send it.
      for (const key of ['"order-1"', 'order-1']) {
        const again = await acme.infer('row-sum', fourOf(1), keyed(key));
        expect(again.status).toBe(200);
        expect(again.text).toBe(first.text);
        expect(again.header('sluice-replayed')).toBe('true');
      }
      expect(await runCount()).toBe(runs);
      expect((await acme.get('/control/v1/tenants/acme/usage')).json()).toEqual(usage);
    });

    test('is known by its content, however the body is written', async () => {
      const first = await acme.infer('row-sum', fourOf(2), keyed('spelling'));
      const nested = [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [[2, 2.0, 2, 2]] }];
      const again = await acme.infer('row-sum', nested, keyed('spelling'));
      expect(again.text).toBe(first.text);
    });

    test('gets a stored failure too', async () => {
      const ids = [{ name: 'ids', shape: [1, 1], datatype: 'INT64', data: [11] }];
      const first = expectProblem(await acme.infer('id-lookup', ids, keyed('bad')), 'prediction-failed');
      const runs = await runCount();
      const again = expectProblem(await acme.infer('id-lookup', ids, keyed('bad')), 'prediction-failed');
      expect(again.prediction_id).toBe(first.prediction_id);
      expect(await runCount()).toBe(runs);
    });

    test('with other content is refused', async () => {
      await acme.infer('row-sum', fourOf(3), keyed('mismatch'));
      for (const changed of [
        () => acme.infer('row-sum', fourOf(4), keyed('mismatch')),
        () => acme.infer('row-sum', fourOf(3), { ...keyed('mismatch'), members: { id: 'another' } }),
      ]) {
        expectProblem(await changed(), 'idempotency-key-reused', { field: 'Idempotency-Key' });
      }
    });

    test('while the first is under way is refused with the time to come again, and answered then', async () => {
      const runs = await runCount();
      const first = acme.infer('slow', int64s('rounds', SLOW_ROUNDS), keyed('in-flight'));
      await vi.waitFor(async () => expect(await runCount()).toBe(runs + 1), { timeout: 10_000 });
      await vi.waitFor(
        async () => {
          const again = await acme.infer('slow', int64s('rounds', SLOW_ROUNDS), keyed('in-flight'));
          const { prediction_id } = expectProblem(again, 'idempotency-in-flight');
          expect(prediction_id).toMatch(/^pred_/);
          expect(again.header('retry-after')).toBe('1');
        },
        { timeout: 10_000 },
      );
      expect((await first).status).toBe(200);
      const replayed = await acme.infer('slow', int64s('rounds', SLOW_ROUNDS), keyed('in-flight'));
      expect(replayed.text).toBe((await first).text);
    });

    test('from 20 callers at once is run once', async () => {
      const runs = await runCount();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => acme.infer('row-sum', fourOf(5), keyed('stampede'))),
      );
      const ids = new Set<unknown>();
      for (const answer of answers) {
        if (answer.status === 200) ids.add(answer.json<InferJson>().id);
        else ids.add(expectProblem(answer, 'idempotency-in-flight').prediction_id);
      }
      expect(ids.size).toBe(1);
      expect(answers.some(({ status }) => status === 200)).toBe(true);
      expect(await runCount()).toBe(runs + 1);
      expect((await running.startedJobs()).get(String([...ids][0]))).toBe(1);
      await vi.waitFor(
        async () => {
          expect((await acme.get('/control/v1/tenants/acme/usage')).json()).toMatchObject({ in_flight: 0 });
        },
        { timeout: 10_000 },
      );
    });

    test('after 202 finds the accepted prediction', async () => {
      const options = { headers: { 'Idempotency-Key': 'accepted', prefer: 'respond-async' } };
      const accepted = await acme.infer('row-sum', fourOf(6), options);
      expect(accepted.status).toBe(202);
      const result = await acme.result(accepted.header('location')!);
      const again = await acme.infer('row-sum', fourOf(6), options);
      expect(again.status).toBe(200);
      expect(again.text).toBe(result.text);
    });
  });

  describe('a key', () => {
    test('that came with a refused request is free again', async () => {
      const wrong = [{ name: 'y', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }];
      expectProblem(await acme.infer('row-sum', wrong, keyed('fixed')), 'input-unknown');
      expect(firstOutput(await acme.infer('row-sum', fourOf(7), keyed('fixed')))).toEqual([28]);
    });

    test('belongs to one principal of one tenant and one route', async () => {
      await acme.infer('row-sum', fourOf(8), keyed('shared'));
      const colleague = await running.addKey('acme');
      const stranger = await running.addTenant('initech');
      for (const caller of [colleague, stranger]) {
        const answer = await caller.infer('row-sum', fourOf(9), keyed('shared'));
        expect(firstOutput(answer)).toEqual([36]);
        expect(answer.header('sluice-replayed')).toBeUndefined();
      }
      const otherRoute = await acme.infer('row-sum', fourOf(9), { ...keyed('shared'), version: '1' });
      expect(firstOutput(otherRoute)).toEqual([36]);
    });

    test.each([
      ['is empty', '""'],
      ['is not ASCII', '"caf\u00e9"'],
      ['is longer than 255 characters', 'k'.repeat(256)],
      ['is quoted on one side', '"abc'],
    ])('that %s is refused', async (_, key) => {
      expectProblem(await acme.infer('row-sum', fourOf(1), keyed(key)), 'header-invalid', { field: 'Idempotency-Key' });
    });
  });
}
