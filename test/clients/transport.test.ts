import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSluiceClient } from '../../clients/typescript/client.ts';
import { SluiceError } from '../../clients/typescript/sluice-error.ts';
import { texts } from '../../clients/typescript/tensors.ts';
import type { ClientOptions } from '../../clients/typescript/transport.ts';
import { toProblem } from '../../core/api/problem.ts';
import { Failure, type FailureCode, type FailureFacts } from '../../core/failure.ts';

type Sent = { readonly url: string; readonly init: RequestInit; readonly atMs: number };
type Reply = (sent: Sent) => Response | Promise<Response>;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A client whose requests are answered by one reply after the other, the last one for ever. */
function clientOf(replies: readonly Reply[], options: Partial<ClientOptions> = {}) {
  const sent: Sent[] = [];
  const startedMs = Date.now();
  const fetch = (async (url: string, init: RequestInit) => {
    const one = { url, init, atMs: Date.now() - startedMs };
    sent.push(one);
    return replies[Math.min(sent.length, replies.length) - 1]!(one);
  }) as typeof globalThis.fetch;
  return { client: createSluiceClient({ baseUrl: 'https://sluice.test/', token: 'slk', fetch, ...options }), sent };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Reply => {
  return () =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
};
const done = json({ model_name: 'm', model_version: '3', id: 'pred_1', outputs: [] }, 200, { 'sluice-cache': 'hit' });
const pending = (retryAfterS: number) =>
  json({ id: 'pred_1', state: 'pending', model_version: '3' }, 202, { 'retry-after': String(retryAfterS) });
const fails = (code: FailureCode, facts: FailureFacts = {}): Reply => {
  const problem = toProblem(new Failure(code, facts), { instance: '/v2', requestId: 'req_1' });
  return () => new Response(JSON.stringify(problem.body), { status: problem.status, headers: problem.headers });
};
const breaks: Reply = () => Promise.reject(new TypeError('fetch failed'));

/** What a call comes to once all its pauses are over. */
async function outcomeOf<T>(call: Promise<T>): Promise<T | SluiceError> {
  const outcome = call.catch((error: unknown) => {
    if (error instanceof SluiceError) return error;
    throw error;
  });
  outcome.catch(() => {});
  await vi.runAllTimersAsync();
  return outcome;
}

const headersOf = ({ init }: Sent) => init.headers as Record<string, string>;
const predict = (client: ReturnType<typeof clientOf>['client'], options = {}) =>
  client.predict('m', [texts('text', ['a'])], options);

describe('a request', () => {
  test('carries the credential, the preferences and the path, escaped', async () => {
    const { client, sent } = clientOf([done], { tenant: 'acme' });
    await client.predict('a/b', [texts('text', ['x'])], {
      version: '2',
      idempotencyKey: 'order "1"',
      cache: 'no-cache',
      outputs: ['label'],
      deadlineS: 1.5,
      waitS: 5,
    });
    expect(sent[0]?.url).toBe('https://sluice.test/v2/models/a%2Fb/versions/2/infer');
    expect(headersOf(sent[0]!)).toEqual({
      authorization: 'Bearer slk',
      'content-type': 'application/json',
      'sluice-tenant': 'acme',
      prefer: 'wait=5',
      'idempotency-key': '"order \\"1\\""',
      'cache-control': 'no-cache',
    });
    expect(JSON.parse(String(sent[0]?.init.body))).toEqual({
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['x'] }],
      outputs: [{ name: 'label' }],
      parameters: { timeout_ms: 1500 },
    });
  });

  test('is sent again after failures that pass, not before Retry-After', async () => {
    const { client, sent } = clientOf([fails('quota-exceeded', { retryAfterMs: 3000 }), fails('overloaded'), done]);
    expect(await outcomeOf(predict(client))).toMatchObject({ state: 'done', version: '3', cache: 'hit' });
    expect(sent).toHaveLength(3);
    expect(sent[1]!.atMs).toBeGreaterThanOrEqual(3000);
    expect(sent[2]!.atMs - sent[1]!.atMs).toBeGreaterThanOrEqual(1000);
  });

  test('pauses for a time drawn evenly up to a bound that doubles from 0.2 s', async () => {
    for (const [drawn, at] of [
      [0.999_999, [200, 600, 1400]],
      [0.5, [100, 300, 700]],
      [0, [0, 0, 0]],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(drawn);
      const { client, sent } = clientOf([breaks]);
      expect(await outcomeOf(client.models.list())).toMatchObject({ code: 'network', retryable: true });
      expect(sent.slice(1).map(({ atMs }) => Math.round(atMs / 20) * 20)).toEqual(at);
    }
  });

  test('is sent four times at the most, or as often as wished', async () => {
    for (const [options, times] of [
      [{}, 4],
      [{ attempts: 1 }, 1],
      [{ attempts: 6 }, 6],
    ] as const) {
      const { client, sent } = clientOf([fails('overloaded')], options);
      expect(await outcomeOf(predict(client))).toMatchObject({ code: 'overloaded', status: 503 });
      expect(sent).toHaveLength(times);
    }
  });

  test('is not sent again after what stays as it is, what passes too late, or what another change is in the way of', async () => {
    for (const reply of [
      fails('model-unknown'),
      fails('compute-budget-exceeded', { retryAfterMs: 3_600_000 }),
      fails('state-conflict'),
      json({ message: 'no such host' }, 404),
    ]) {
      const { client, sent } = clientOf([reply, done]);
      expect(await outcomeOf(predict(client))).toBeInstanceOf(SluiceError);
      expect(sent).toHaveLength(1);
    }
  });

  test('that could be done twice is sent again only if it was not begun', async () => {
    const create = (client: ReturnType<typeof clientOf>['client']) =>
      client.call('plan-put', { params: { plan: 'p' }, body: {} as never });
    const calls = {
      predict: (client) => predict(client),
      'predict, accepted': (client) => predict(client, { async: true }),
      'predict, accepted once': (client) => predict(client, { async: true, idempotencyKey: 'k' }),
      create: (client) => client.call('operator-key-create', { body: { label: 'x' } }),
      replace: create,
    } satisfies Record<string, (client: ReturnType<typeof clientOf>['client']) => Promise<unknown>>;
    const times: Record<string, number[]> = {};
    for (const [name, call] of Object.entries(calls)) {
      times[name] = [];
      for (const reply of [breaks, fails('internal'), fails('overloaded')]) {
        const { client, sent } = clientOf([reply]);
        await outcomeOf<unknown>(call(client));
        times[name].push(sent.length);
      }
    }
    expect(times).toEqual({
      predict: [4, 4, 4],
      'predict, accepted': [1, 1, 4],
      'predict, accepted once': [4, 4, 4],
      create: [1, 1, 4],
      replace: [4, 4, 4],
    });
  });

  test('ends at once when its signal says so, in a pause too', async () => {
    const stop = new AbortController();
    const { client, sent } = clientOf([fails('overloaded', { retryAfterMs: 20_000 })]);
    const call = predict(client, { signal: stop.signal });
    const outcome = call.then(
      () => 'done',
      (error: unknown) => error,
    );
    await vi.advanceTimersByTimeAsync(10);
    stop.abort(new Error('left the page'));
    expect(await outcome).toEqual(new Error('left the page'));
    await vi.runAllTimersAsync();
    expect(sent).toHaveLength(1);
    await expect(predict(client, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow();
  });
});

describe('an error', () => {
  test('says what the problem says', async () => {
    const { client } = clientOf([fails('input-unknown', { field: 'inputs[0].name', detail: 'no input x' })]);
    const error = (await outcomeOf(predict(client))) as SluiceError;
    expect(error).toMatchObject({
      code: 'input-unknown',
      status: 400,
      retryable: false,
      requestId: 'req_1',
      retryAfterS: undefined,
      message: 'The model has no such input: no input x',
      problem: { field: 'inputs[0].name' },
    });
    expect(error.advice).toBe('Send only the inputs that the model metadata lists.');
  });

  test('tells of answers that are not Sluice\u2019s, and of a connection that ended', async () => {
    const html =
      (status: number): Reply =>
      () =>
        new Response('<html>', { status, headers: { 'retry-after': '1' } });
    const { client, sent } = clientOf([html(502), html(200)]);
    expect(await outcomeOf(client.models.list())).toMatchObject({ code: 'answer-unreadable', status: 200 });
    expect(sent).toHaveLength(2);
    const cut = clientOf([() => new Response(new ReadableStream({ pull: () => Promise.reject(new Error('reset')) }))]);
    expect(await outcomeOf(cut.client.models.list())).toMatchObject({ code: 'network', retryable: true });
  });

  test('is no error where 503 is the answer', async () => {
    const { client } = clientOf([json({ name: 'm', ready: false }, 503)]);
    expect(await outcomeOf(client.models.isReady('m'))).toBe(false);
    const failing = clientOf([fails('storage-unavailable')]);
    expect(await outcomeOf(failing.client.models.isReady('m'))).toMatchObject({ code: 'storage-unavailable' });
  });
});

describe('a token', () => {
  test('that a function gets is kept until it has expired, and got anew once', async () => {
    let got = 0;
    const token = async () => {
      got += 1;
      return `token ${got}`;
    };
    const { client, sent } = clientOf([done, done, fails('credentials-expired'), done], { token });
    for (let i = 0; i < 3; i += 1) await outcomeOf(predict(client));
    expect(sent.map((one) => headersOf(one).authorization)).toEqual([1, 1, 1, 2].map((n) => `Bearer token ${n}`));
    const refused = clientOf([fails('credentials-expired')], { token });
    expect(await outcomeOf(predict(refused.client))).toMatchObject({ code: 'credentials-expired' });
    expect(refused.sent).toHaveLength(2);
  });

  test('that could not be got is asked for again with the next call', async () => {
    let fail = true;
    const token = () => {
      if (fail) throw new Error('not signed in');
      return 'token';
    };
    const { client } = clientOf([done], { token });
    await expect(predict(client)).rejects.toThrow('not signed in');
    fail = false;
    expect(await outcomeOf(predict(client))).toMatchObject({ state: 'done' });
  });
});

describe('a call of an operation', () => {
  const start = (client: ReturnType<typeof createSluiceClient>, idempotencyKey?: string) =>
    client.call('release-start', {
      params: { model: 'm' },
      body: { version: '2', reason: 'better' },
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    });

  test('with an idempotency key is sent again where no answer came, with the same key', async () => {
    const lost: Reply = () => {
      throw new TypeError('fetch failed');
    };
    const { client, sent } = clientOf([lost, json({ id: 'rel_1' }, 202)]);
    expect(await outcomeOf(start(client, 'build "7"'))).toEqual({ id: 'rel_1' });
    expect(sent.map((one) => headersOf(one)['idempotency-key'])).toEqual(Array(2).fill('"build \\"7\\""'));
  });

  test('without one is not: it may have been done', async () => {
    const lost: Reply = () => {
      throw new TypeError('fetch failed');
    };
    const { client, sent } = clientOf([lost, json({ id: 'rel_1' }, 202)]);
    expect(await outcomeOf(start(client))).toBeInstanceOf(SluiceError);
    expect(sent).toHaveLength(1);
    expect(headersOf(sent[0]!)['idempotency-key']).toBeUndefined();
  });
});

describe('waiting for a prediction', () => {
  test('goes on after 202, with pauses that grow from Retry-After to 10 s', async () => {
    const { client, sent } = clientOf([pending(1), pending(1), pending(1), pending(1), pending(1), pending(1), done]);
    expect(await outcomeOf(predict(client, { waitS: 300 }))).toMatchObject({ state: 'done' });
    expect(sent.slice(1).map(({ url }) => url)).toEqual(Array(6).fill('https://sluice.test/v2/predictions/pred_1'));
    expect(sent.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([0, 0, 1, 3, 7, 15, 25]);
    expect(headersOf(sent[1]!).prefer).toBe('wait=20');
  });

  test('does not pause where the server has waited itself', async () => {
    const slow: Reply = async (sent) => {
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      return pending(1)(sent);
    };
    const { client, sent } = clientOf([pending(1), slow, slow, done]);
    await outcomeOf(predict(client, { waitS: 300 }));
    expect(sent.map(({ atMs }) => Math.round(atMs / 1000))).toEqual([0, 0, 20, 40]);
  });

  test('ends when it has waited as long as it was told, and names the prediction', async () => {
    const { client, sent } = clientOf([pending(1)]);
    const outcome = await outcomeOf(predict(client, { waitS: 6 }));
    expect(outcome).toMatchObject({ code: 'still-pending', predictionId: 'pred_1', retryable: true });
    expect(sent.at(-1)!.atMs).toBe(6000);
    expect(headersOf(sent.at(-1)!).prefer).toBe('wait=0');
  });

  test('is left to the caller where it is accepted', async () => {
    const { client, sent } = clientOf([pending(2)]);
    const accepted = await outcomeOf(predict(client, { async: true }));
    expect(accepted).toEqual({ state: 'pending', id: 'pred_1', version: '3', retryAfterS: 2 });
    expect(headersOf(sent[0]!).prefer).toBe('respond-async');
  });
});
