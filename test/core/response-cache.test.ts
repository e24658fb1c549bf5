import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCacheControl } from '../../core/api/headers.ts';
import type { Caching, InferAnswer, InferCall } from '../../core/inference/request.ts';
import { answerFromCache, cacheKey, cacheUse, keepAnswer } from '../../core/inference/response-cache.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { StoredAnswer } from '../../core/ports/answer-store.ts';
import { KIB, SECOND_MS } from '../../core/units.ts';
import { aVersion, floats } from '../support/jobs.ts';
import { ManualClock } from '../support/manual-clock.ts';

const VERSION = aVersion({ manifest: { cache: { seconds: 60 } } });

type Changes = {
  readonly caching?: Caching;
  readonly idempotencyKey?: string;
  readonly inputs?: readonly Tensor[];
  readonly model?: string;
};

function aCall({ caching = 'use', idempotencyKey, inputs = [floats('x', [1, 1], [1])], model = 'm' }: Changes = {}) {
  const tenant = { id: 'acme', createdAtMs: 1 };
  const request = { inputs, outputs: undefined, clientId: 'mine' };
  return { caller: { tenant }, model, caching, idempotencyKey, request } as unknown as InferCall;
}

function aStore() {
  const kept = new Map<string, StoredAnswer>();
  return {
    kept,
    ports: {
      clock: new ManualClock(),
      answers: {
        read: (tenant: string, key: string) => kept.get(`${tenant} ${key}`),
        write: (tenant: string, key: string, answer: StoredAnswer) => void kept.set(`${tenant} ${key}`, answer),
        erase: async () => {},
        purge: async () => 0,
      },
    },
  };
}

function computed(changes: { version?: string; outputs?: readonly Tensor[] } = {}): InferAnswer {
  const { version = '1', outputs = [floats('y', [1, 1], [2])] } = changes;
  const outcome = {
    kind: 'succeeded',
    version,
    outputs,
    computeMs: 3,
    queueMs: 2,
    batchRows: 9,
    endedAtMs: 1,
  } as const;
  return { kind: 'answered', id: 'pred_1', model: 'm', clientId: undefined, version, outcome, replayed: false };
}

describe('the key of an answer', () => {
  const tenant = { id: 'acme', createdAtMs: 1 };
  const version = { model: 'm', version: '1' };
  const [x, z] = [floats('x', [1, 2], [1, 2]), floats('z', [1, 1], [3])];
  type Asked = Parameters<typeof cacheKey>[2];
  const of = (inputs: readonly Tensor[], outputs?: Asked['outputs']) =>
    cacheKey({ tenant } as never, version, { inputs, outputs });

  test('is the same however the inputs are ordered and encoded', () => {
    expect(of([x, z])).toBe(of([z, x]));
    expect(of([x], [{ name: 'y', binary: true }])).toBe(of([x], [{ name: 'y', binary: false }]));
    expect(of([x, z])).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is another for all that an answer may depend on', () => {
    const request: Asked = { inputs: [x], outputs: undefined };
    const y = { name: 'y', binary: false };
    const text = (...data: string[]): Tensor => ({ name: 'x', datatype: 'BYTES', shape: [data.length], data });
    const ids = { ...x, datatype: 'UINT8', shape: [4] } as const;
    const keys = [
      of([x]),
      cacheKey({ tenant: { ...tenant, id: 'globex' } } as never, version, request),
      cacheKey({ tenant: { ...tenant, createdAtMs: 2 } } as never, version, request),
      cacheKey({ tenant } as never, { ...version, model: 'n' }, request),
      cacheKey({ tenant } as never, { ...version, version: '2' }, request),
      of([x], []),
      of([x], [y]),
      of([x], [y, { ...y, name: 'w' }]),
      of([x], [{ ...y, name: 'w' }, y]),
      of([{ ...x, name: 'w' }]),
      of([{ ...x, shape: [2, 1] }]),
      of([{ ...x, shape: [2] }]),
      of([floats('x', [1, 2], [1, 2.0000002])]),
      of([floats('x', [1, 2], [-0, 2])]),
      of([floats('x', [1, 2], [0, 2])]),
      of([{ ...ids, data: new Uint8Array([1, 0, 1, 0]) }]),
      of([{ ...ids, datatype: 'BOOL', data: new Uint8Array([1, 0, 1, 0]) }]),
      of([x, z]),
      of([text('ab', '')]),
      of([text('a', 'b')]),
      of([text('', 'ab')]),
      of([text('ab')]),
      of([text('é')]),
      of([text('e\u0301')]),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is shared by no two lists of texts', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 });
    const input = (data: string[]): Tensor[] => [{ name: 'x', datatype: 'BYTES', shape: [data.length], data }];
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(of(input(a)) === of(input(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

describe('a request', () => {
  test.each<[string, InferCall, boolean, boolean]>([
    ['of a version without a cache', aCall(), false, false],
    ['with an Idempotency-Key', aCall({ idempotencyKey: 'k' }), true, false],
    ['that asks for 202', aCall(), true, true],
  ])('%s has nothing to do with the cache', (_, call, hasCache, bulk) => {
    expect(cacheUse(call, hasCache ? VERSION : aVersion(), bulk)).toBeUndefined();
  });

  test('that a fallback answers has nothing to do with the cache', () => {
    expect(cacheUse({ ...aCall(), degraded: 'slow' }, VERSION, false)).toBeUndefined();
  });

  test('gets what was kept for the same, with an id of its own, until it expires', async () => {
    const { ports, kept } = aStore();
    const use = cacheUse(aCall(), VERSION, false)!;
    expect(await answerFromCache(ports, use)).toBeUndefined();
    expect(keepAnswer(ports, use, computed())).toEqual({ ...computed(), cache: 'miss' });
    expect([...kept.values()][0]?.expiresAtMs).toBe(ports.clock.nowMs() + 60 * SECOND_MS);
    const hits = [await answerFromCache(ports, use), await answerFromCache(ports, use)];
    for (const hit of hits) {
      expect(hit).toMatchObject({ model: 'm', version: '1', clientId: 'mine', cache: 'hit', replayed: false });
      expect(hit).toMatchObject({ outcome: { outputs: [floats('y', [1, 1], [2])], computeMs: 0 } });
    }
    const ids = new Set(hits.map((hit) => hit?.id));
    expect(ids.size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^pred_[0-9a-f]{32}$/);
    expect(await answerFromCache(ports, cacheUse(aCall({ inputs: [floats('x', [1, 1], [2])] }), VERSION, false)!)).toBe(
      undefined,
    );
  });

  test('that comes by another name of the model gets the same, under that name', async () => {
    const { ports } = aStore();
    keepAnswer(ports, cacheUse(aCall(), VERSION, false)!, computed());
    const hit = await answerFromCache(ports, cacheUse(aCall({ model: 'large' }), VERSION, false)!);
    expect(hit).toMatchObject({ model: 'large', variant: 'm', cache: 'hit' });
  });

  test('with no-cache is computed anew and kept, with no-store neither read nor kept', async () => {
    const { ports, kept } = aStore();
    const refresh = cacheUse(aCall({ caching: 'refresh' }), VERSION, false)!;
    const avoid = cacheUse(aCall({ caching: 'avoid' }), VERSION, false)!;
    expect(keepAnswer(ports, avoid, computed())).toMatchObject({ cache: 'bypass' });
    expect(kept.size).toBe(0);
    expect(keepAnswer(ports, refresh, computed())).toMatchObject({ cache: 'bypass' });
    expect(kept.size).toBe(1);
    for (const use of [refresh, avoid]) expect(await answerFromCache(ports, use)).toBeUndefined();
  });
});

describe('an answer', () => {
  const use = cacheUse(aCall(), VERSION, false)!;

  test('of exactly 256 KiB is kept, a larger one is not', () => {
    for (const [floatsMore, size] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { ports, kept } = aStore();
      const count = (256 * KIB) / 4 - 10 + floatsMore;
      const outputs = [floats('y', [count], []), floats('z', [10], [])];
      expect(keepAnswer(ports, use, computed({ outputs }))).toMatchObject({ cache: 'miss' });
      expect(kept.size).toBe(size);
    }
  });

  test('of another version than the one chosen, or that is yet to come, is not kept', () => {
    const { ports, kept } = aStore();
    keepAnswer(ports, use, computed({ version: '2' }));
    const accepted: InferAnswer = { kind: 'accepted', id: 'pred_1', version: '1', retryAfterMs: 1 };
    expect(keepAnswer(ports, use, accepted)).toBe(accepted);
    expect(kept.size).toBe(0);
  });

  test('that was kept of another version is not given', async () => {
    const { ports, kept } = aStore();
    kept.set(`acme ${use.key}`, { version: '2', outputs: [], expiresAtMs: Number.POSITIVE_INFINITY });
    expect(await answerFromCache(ports, use)).toBeUndefined();
  });
});

test.each([
  [undefined, 'use'],
  ['', 'use'],
  ['no-cache', 'refresh'],
  ['No-Cache', 'refresh'],
  ['max-age=0, no-cache', 'refresh'],
  ['no-store', 'avoid'],
  ['no-cache,no-store', 'avoid'],
  ['max-age=0', 'refresh'],
  ['max-age=60', 'use'],
  ['no-cache-please', 'use'],
])('Cache-Control: %s means %s', (value, caching) => {
  expect(parseCacheControl(value)).toBe(caching);
});
