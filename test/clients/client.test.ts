import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSluiceClient, type SluiceClient } from '../../clients/typescript/client.ts';
import { SluiceError } from '../../clients/typescript/sluice-error.ts';
import { nested, tensor, texts } from '../../clients/typescript/tensors.ts';
import { constantAnswer, slowModel } from '../support/bad-models.ts';
import { echoText } from '../support/echo-models.ts';
import type { TenantOptions } from '../support/platform-under-test.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let acme: SluiceClient;

beforeAll(async () => {
  running = await startRunning({
    models: [
      'row-sum',
      'ticket-sentiment',
      withManifest(echoText('echo-cached'), { cache: { seconds: 60 } }),
      withManifest(slowModel(), { timeoutMs: 60_000, fallback: undefined }),
    ],
    runners: 1,
  });
  await running.push(withManifest(constantAnswer(7), { name: 'row-sum', mayBeConstant: true }));
  acme = await clientOf('acme');
});

afterAll(() => running.end());

async function clientOf(tenant: string, options: TenantOptions = {}): Promise<SluiceClient> {
  const { url, key } = await running.addTenant(tenant, options);
  return createSluiceClient({ baseUrl: url, token: key! });
}

const fours = (value: number) => [tensor('x', 'FP32', [[value, value, value, value]])];

/** The error that a call ends in. */
async function errorOf(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

describe('predict', () => {
  test('answers with outputs, version and what it is', async () => {
    const prediction = await acme.predict('ticket-sentiment', [texts('text', ['Thank you, it works!', 'Terrible.'])]);
    expect(prediction).toMatchObject({
      state: 'done',
      model: 'ticket-sentiment',
      version: '1',
      cache: 'none',
      replayed: false,
      region: 'us',
      predictionId: prediction.id,
    });
    const [label, probabilities] = prediction.outputs;
    expect(label?.data).toEqual(['positive', 'negative']);
    expect(nested(probabilities!)).toHaveLength(2);
    expect(prediction.degraded).toBeUndefined();
    expect(prediction.requestId).toMatch(/^\S+$/);
  });

  test('asks a version that is named, and for the outputs that are named', async () => {
    expect((await acme.predict('row-sum', fours(2))).outputs[0]?.data).toEqual([8]);
    expect((await acme.predict('row-sum', fours(2), { version: '2' })).outputs[0]?.data).toEqual([7]);
    const only = await acme.predict('ticket-sentiment', [texts('text', ['fine'])], { outputs: ['label'] });
    expect(only.outputs.map(({ name }) => name)).toEqual(['label']);
  });

  test('says whether a cache answered, and goes past it if it is told to', async () => {
    const inputs = [texts('text', [randomUUID()])];
    const ask = async (cache?: 'no-cache') => (await acme.predict('echo-cached', inputs, { cache })).cache;
    expect([await ask(), await ask(), await ask('no-cache')]).toEqual(['miss', 'hit', 'bypass']);
  });

  test('is answered once for one idempotency key', async () => {
    const options = { idempotencyKey: randomUUID() };
    const first = await acme.predict('row-sum', fours(3), options);
    const again = await acme.predict('row-sum', fours(3), options);
    expect([first.replayed, again.replayed]).toEqual([false, true]);
    expect(again.outputs).toEqual(first.outputs);
    expect(await errorOf(acme.predict('row-sum', fours(4), options))).toMatchObject({ code: 'idempotency-key-reused' });
  });

  test('waits for more than one request may, and is cancelled by its signal', async () => {
    // One request of this tenant may wait: the others are answered with 202 at once, and ask again.
    const hurried = await clientOf('hurried', { overrides: { waitingHandlers: 1 } });
    const slow = (rounds: number, options = {}) =>
      hurried.predict('slow', [tensor('rounds', 'INT64', [rounds])], options);
    const answers = await Promise.all([slow(200), slow(100), slow(50)]);
    expect(answers.map(({ outputs }) => outputs[0]?.data)).toEqual([[200], [100], [50]]);
    const stop = new AbortController();
    const call = slow(500, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('left the page')), 50);
    await expect(call).rejects.toThrow('left the page');
  });
});

describe('an accepted prediction', () => {
  test('is there when it has ended, for whoever asks again', async () => {
    const accepted = await acme.predict('row-sum', fours(5), { async: true });
    expect(accepted).toMatchObject({ state: 'pending', id: expect.stringMatching(/^pred_[0-9a-f]{32}$/) });
    expect((await acme.predictions.wait(accepted.id)).outputs[0]?.data).toEqual([20]);
    expect(await acme.predictions.get(accepted.id)).toMatchObject({ state: 'done', version: '1' });
    expect(await acme.predictions.cancel(accepted.id)).toBe('ended');
  });

  test('takes its true label, once', async () => {
    const { predictionId } = await acme.predict('ticket-sentiment', [texts('text', ['I love it', 'I hate it'])]);
    const tell = (...labels: string[]) => acme.predictions.giveFeedback(predictionId!, labels, { at: new Date() });
    expect(await errorOf(tell('positive'))).toMatchObject({ code: 'request-invalid', status: 400 });
    expect(await tell('positive', 'negative')).toBe('counted');
    expect(await tell('positive', 'negative')).toBe('again');
    expect(await errorOf(tell('neutral', 'negative'))).toMatchObject({ code: 'feedback-conflict', status: 409 });
  });

  test('can be given up, by waiting no longer and by cancelling it', async () => {
    const { id } = await acme.predict('slow', [tensor('rounds', 'INT64', [1000])], { async: true });
    expect(await acme.predictions.get(id)).toMatchObject({ state: 'pending', id });
    expect(await errorOf(acme.predictions.wait(id, { waitS: 0 }))).toMatchObject({
      code: 'still-pending',
      predictionId: id,
    });
    expect(await acme.predictions.cancel(id)).toBe('cancelled');
    expect(await errorOf(acme.predictions.get(id))).toMatchObject({ code: 'prediction-cancelled', status: 410 });
  });

  test('is unknown to another tenant', async () => {
    const { id } = await acme.predict('row-sum', fours(6), { async: true });
    const globex = await clientOf('globex');
    expect(await errorOf(globex.predictions.wait(id))).toMatchObject({ code: 'prediction-unknown', status: 404 });
  });
});

describe('an error', () => {
  test('says what to correct', async () => {
    const error = await errorOf(acme.predict('row-sum', [tensor('y', 'FP32', [[1, 2, 3, 4]])]));
    expect(error).toMatchObject({ code: 'input-unknown', status: 400, retryable: false });
    expect(error.problem?.field).toBe('inputs[0].name');
    expect(error.advice).not.toBe('');
    expect(error.requestId).toMatch(/^\S+$/);
    expect(await errorOf(acme.predict('nothing', fours(1)))).toMatchObject({ code: 'model-unknown', status: 404 });
    const wrong = createSluiceClient({ baseUrl: running.region().url, token: 'slk_us_none_none' });
    expect(await errorOf(wrong.models.list())).toMatchObject({ code: 'credentials-invalid', status: 401 });
  });

  test('of a quota comes after as many tries as wished, with the time to wait', async () => {
    const { url, key } = await running.addTenant('small', {
      overrides: { requestBurst: 3, requestsPerSecond: 0.01 },
    });
    const small = createSluiceClient({ baseUrl: url, token: key!, attempts: 1 });
    for (let i = 0; i < 3; i += 1) await small.predict('row-sum', fours(1));
    const error = await errorOf(small.predict('row-sum', fours(1)));
    expect(error).toMatchObject({ code: 'quota-exceeded', status: 429, retryable: true });
    expect(error.retryAfterS).toBeGreaterThan(1);
  });

  test('of a server that is not there is `network`', async () => {
    const nobody = createSluiceClient({ baseUrl: 'http://127.0.0.1:1', token: 'x', attempts: 2 });
    expect(await errorOf(nobody.predict('row-sum', fours(1)))).toMatchObject({ code: 'network', status: undefined });
  });
});

describe('the rest of the API', () => {
  test('models are listed, described and known to be ready', async () => {
    const names = (await acme.models.list()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['row-sum', 'ticket-sentiment']));
    const { inputs } = await acme.models.get('row-sum');
    expect(inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
    expect((await acme.models.get('row-sum', '2')).versions).toContain('2');
    expect(await acme.models.isReady('row-sum')).toBe(true);
  });

  test('any operation can be called by its id', async () => {
    const tenant = await acme.call('tenant-read', { params: { tenant: 'acme' } });
    expect(tenant).toMatchObject({ id: 'acme', capture_consent: false });
    const { url, key } = await running.addKey(undefined);
    const operator = createSluiceClient({ baseUrl: url, token: key!, tenant: 'acme' });
    const page = await operator.call('tenant-list', { query: { limit: 1 } });
    expect(page.items).toHaveLength(1);
    expect(await operator.call('tenant-erase', { params: { tenant: 'acme' } })).toBeUndefined();
    expect((await operator.predict('row-sum', fours(1))).outputs[0]?.data).toEqual([4]);
  });

  test('a token for a browser is as good, got by a function', async () => {
    const { token } = await acme.call('browser-token-create', { params: { tenant: 'acme' }, body: { user: 'u1' } });
    const browser = createSluiceClient({ baseUrl: running.region().url, token: () => token });
    expect((await browser.predict('row-sum', fours(2))).outputs[0]?.data).toEqual([8]);
  });
});
