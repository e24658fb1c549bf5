import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { setStable } from '../../core/models/push.ts';
import { removeTenant } from '../../core/tenancy/erase-tenant.ts';
import { constantAnswer } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, type InferJson, texts } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { withManifest } from '../support/push-model.ts';

/** Answers that are kept for who asks the same again. */
export function describeCache(start: StartPlatform): void {
  const CACHED = withManifest(echoText('cached'), { cache: { seconds: 3600 } });
  const BRIEF = withManifest(echoText('brief'), { cache: { seconds: 2 } });
  const constant = (value: number) =>
    withManifest(constantAnswer(value), { name: 'moving', mayBeConstant: true, cache: { seconds: 3600 } });

  let running: PlatformUnderTest;
  let acme: ApiClient;
  /** Jobs that a worker had begun before the test. */
  let before = 0;
  const computed = async () => (await running.startedJobs()).size - before;

  beforeAll(async () => {
    running = await start({ models: [CACHED, BRIEF, echoText('plain'), constant(1)], runners: 1 });
    acme = await running.addTenant('acme');
  });

  afterAll(() => running.end());

  beforeEach(async () => {
    before = (await running.startedJobs()).size;
  });

  const ask = (text: string, headers: Record<string, string> = {}, client = acme) =>
    client.infer('cached', texts('text', text), { headers });
  const cacheOf = (answer: Answer) => {
    expect(answer.status).toBe(200);
    return answer.header('sluice-cache');
  };

  describe('the same text', () => {
    test('is computed once for one tenant, and again for another', async () => {
      const [first, second] = [await ask('once'), await ask('once')];
      expect([cacheOf(first), cacheOf(second)]).toEqual(['miss', 'hit']);
      expect(await computed()).toBe(1);
      const globex = await running.addTenant('globex');
      expect(cacheOf(await ask('once', {}, globex))).toBe('miss');
      expect(await computed()).toBe(2);
      expect(cacheOf(await ask('another'))).toBe('miss');
    });

    test('is answered alike, but for an id of its own and the one it was sent', async () => {
      const [first, second] = [await ask('alike'), await ask('alike')];
      const [{ id, ...rest }, { id: secondId, ...secondRest }] = [first.json<InferJson>(), second.json<InferJson>()];
      expect(secondRest).toEqual(rest);
      expect(secondId).not.toBe(id);
      expect(secondId).toMatch(/^pred_[0-9a-f]{32}$/);
      expect(second.header('sluice-model-version')).toBe('1');
      const named = await acme.infer('cached', texts('text', 'alike'), { members: { id: 'mine ☂' } });
      expect(cacheOf(named)).toBe('hit');
      expect(named.json<InferJson>().id).toBe('mine ☂');
    });

    test('is found however it is asked for: by version, in binary, by a colleague', async () => {
      await ask('found');
      expect(cacheOf(await acme.infer('cached', texts('text', 'found'), { version: '1' }))).toBe('hit');
      const binary = await acme.infer('cached', texts('text', 'found'), {
        members: { parameters: { binary_data_output: true } },
      });
      expect(cacheOf(binary)).toBe('hit');
      expect(binary.header('content-type')).toBe('application/octet-stream');
      expect(binary.text.endsWith('\u0005\0\0\0found')).toBe(true);
      expect(cacheOf(await ask('found', {}, await running.addKey('acme')))).toBe('hit');
      // Other outputs were asked for: another answer.
      const outputs = { members: { outputs: [{ name: 'echo' }] } };
      expect(cacheOf(await acme.infer('cached', texts('text', 'found'), outputs))).toBe('miss');
    });

    test('pays the request rate and nothing else', async () => {
      const client = await running.addTenant('thrifty', {
        overrides: { requestsPerSecond: 0.01, requestBurst: 3, rowsPerMinute: 1 },
      });
      const usage = async () => (await client.get('/control/v1/tenants/thrifty/usage')).json();
      await ask('paid', {}, client);
      await vi.waitFor(async () => expect(await usage()).toMatchObject({ in_flight: 0 }), { timeout: 5000 });
      const before = await usage();
      for (let i = 0; i < 2; i += 1) expect(cacheOf(await ask('paid', {}, client))).toBe('hit');
      expect(await usage()).toEqual(before);
      expect((await ask('paid', {}, client)).status).toBe(429);
    });
  });

  describe('no cache takes part', () => {
    test.each<[string, string, Record<string, string>]>([
      ['a model without one', 'plain', {}],
      ['a model without one, whatever is wished', 'plain', { 'cache-control': 'no-cache' }],
      ['a request with an Idempotency-Key', 'cached', { 'idempotency-key': 'k1' }],
    ])('in %s', async (_, model, headers) => {
      for (let i = 0; i < 2; i += 1) {
        expect(cacheOf(await acme.infer(model, texts('text', 'none'), { headers }))).toBe('none');
      }
      if (model === 'cached') expect(cacheOf(await ask('none'))).toBe('miss');
    });

    test('in a request that asks for 202: it gets one, and its result is not kept', async () => {
      await ask('later');
      for (const text of ['later', 'much later']) {
        const accepted = await ask(text, { prefer: 'respond-async' });
        expect(accepted.status).toBe(202);
        expect(accepted.header('sluice-cache')).toBe('none');
        expect(firstOutput(await acme.result(accepted.header('location')!))).toEqual([text]);
      }
      expect(cacheOf(await ask('much later'))).toBe('miss');
    });

    test('in what is refused', async () => {
      const refused = await acme.infer('cached', texts('text', 'x'.repeat(10_001)));
      expect(refused.status).toBe(400);
      expect(refused.header('sluice-cache')).toBe('none');
    });
  });

  describe('Cache-Control', () => {
    test('no-cache computes anew and keeps that, no-store neither reads nor keeps', async () => {
      expect(cacheOf(await ask('fresh', { 'cache-control': 'no-store' }))).toBe('bypass');
      expect(cacheOf(await ask('fresh', { 'cache-control': 'no-cache' }))).toBe('bypass');
      expect(cacheOf(await ask('fresh'))).toBe('hit');
      expect(cacheOf(await ask('fresh', { 'cache-control': 'no-cache' }))).toBe('bypass');
      expect(await computed()).toBe(3);
    });

    test('may be sent by browsers', async () => {
      const preflight = await acme.send('OPTIONS', '/v2/models/cached/infer', {
        headers: { origin: 'https://a.example' },
      });
      expect(preflight.header('access-control-allow-headers')).toContain('Cache-Control');
    });
  });

  describe('an answer is forgotten', () => {
    test('when it expires', async () => {
      const brief = () => acme.infer('brief', texts('text', 'brief'));
      await brief();
      await delay(2100);
      expect(cacheOf(await brief())).toBe('miss');
      expect(cacheOf(await brief())).toBe('hit');
    });

    test('with the version that gave it', async () => {
      const sum = async () => {
        const answer = await acme.infer('moving', fourOf(1));
        return [cacheOf(answer), firstOutput(answer)?.[0], answer.header('sluice-model-version')];
      };
      expect([await sum(), await sum()]).toEqual([
        ['miss', 1, '1'],
        ['hit', 1, '1'],
      ]);
      await running.push(constant(2));
      await setStable(running.region().platform, 'moving', '2');
      await vi.waitFor(async () => expect((await sum())[2]).toBe('2'), { timeout: 5000 });
      expect(await sum()).toEqual(['hit', 2, '2']);
      await setStable(running.region().platform, 'moving', '1');
      await vi.waitFor(async () => expect(await sum()).toEqual(['hit', 1, '1']), { timeout: 5000 });
    });

    test('with its tenant: who comes later under the same name has nothing of it', async () => {
      const { platform } = running.region();
      const first = await running.addTenant('phoenix');
      await ask('ashes', {}, first);
      expect(cacheOf(await ask('ashes', {}, first))).toBe('hit');
      await removeTenant(platform, 'phoenix');
      const second = await running.addTenant('phoenix');
      // A second later every handler knows.
      await vi.waitFor(async () => expect(cacheOf(await ask('ashes', {}, second))).toBe('miss'), { timeout: 5000 });
    });
  });
}
