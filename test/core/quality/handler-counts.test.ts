import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InferAnswer, InferCall } from '../../../core/inference/request.ts';
import type { Manifest } from '../../../core/models/manifest.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { aVersion } from '../../support/jobs.ts';
import { openScriptedGateway, type ScriptedGateway } from '../../support/scripted-gateway.ts';

/** The scripted worker counts nothing: what is seen here, a handler has counted. */
let host: ScriptedGateway;

beforeEach(async () => {
  host = await openScriptedGateway();
  host.script = () => 'silent';
});

afterEach(() => host.close());

async function serve(manifest: Partial<Manifest> = {}): Promise<void> {
  await host.add(aVersion({ manifest }));
  await host.report();
}

const infer = (changes: Partial<InferCall> = {}): Promise<InferAnswer> => host.gateway.infer(host.call(changes));

async function seen() {
  await host.recorder.flush();
  const { clock, ports } = host.local;
  const found = await ports.telemetry.read('m', '1', 0, clock.nowMs() + 1);
  const { requests, errors, fallbacks, cacheHits, latencyMs, tenants } = found;
  expect(tenants.get('acme')).toBe(requests);
  return { requests, errors: Object.fromEntries(errors), fallbacks, cacheHits, latencyMs: latencyMs.sum };
}

const nothing = { requests: 0, errors: {}, fallbacks: 0, cacheHits: 0, latencyMs: 0 };

/** Until a worker was given so many jobs. */
async function sent(jobs: number): Promise<void> {
  while (host.jobs.length < jobs) await new Promise((resolve) => setImmediate(resolve));
}

function withTimeout(timeoutMs: number): Partial<InferCall> {
  return { request: { ...host.call().request, timeoutMs } };
}

describe('a handler counts', () => {
  test('what it refuses for an open breaker', async () => {
    await serve();
    const { clock } = host.local;
    const breaker = { state: 'open', untilMs: clock.nowMs() + SECOND_MS, tenant: undefined } as const;
    await host.report({ breakers: { 'm@1': breaker } });
    await clock.advance(100);
    await expect(infer()).rejects.toMatchObject({ code: 'version-unavailable' });
    expect(await seen()).toEqual({ ...nothing, requests: 1, errors: { 'version-unavailable': 1 } });
  });

  test('what expires while it waits', async () => {
    await serve();
    const answer = expect(infer(withTimeout(2 * SECOND_MS))).rejects.toMatchObject({ code: 'prediction-expired' });
    await sent(1);
    await host.local.clock.advance(2 * SECOND_MS);
    await answer;
    expect(await seen()).toEqual({ ...nothing, requests: 1, errors: { 'prediction-expired': 1 }, latencyMs: 2000 });
  });

  test('what it cancels as its caller has gone, and nothing if the worker was first', async () => {
    await serve();
    const gone = new AbortController();
    const answer = expect(infer({ signal: gone.signal })).rejects.toMatchObject({ code: 'prediction-cancelled' });
    await sent(1);
    gone.abort();
    await answer;
    const cancelled = { ...nothing, requests: 1, errors: { 'prediction-cancelled': 1 } };
    expect(await seen()).toEqual(cancelled);
    host.script = () => 1;
    expect(await infer()).toMatchObject({ kind: 'answered' });
    expect(await seen()).toEqual(cancelled);
  });

  test('an accepted prediction that is cancelled, once, and none that has ended', async () => {
    await serve();
    const prefer = { respondAsync: true, waitMs: undefined };
    const { id } = await infer({ prefer });
    const cancel = (each: string) => host.gateway.cancelPrediction(host.caller(), each);
    expect([await cancel(id), await cancel(id)]).toEqual(['cancelled', 'ended']);
    host.script = () => 1;
    const done = await infer({ prefer });
    await sent(2);
    await host.gateway.readPrediction(host.caller(), done.id, 1000);
    expect(await cancel(done.id)).toBe('ended');
    expect(await seen()).toEqual({ ...nothing, requests: 1, errors: { 'prediction-cancelled': 1 } });
  });

  test('answers out of the cache, and not the one that was computed', async () => {
    await serve({ cache: { seconds: 60 } });
    host.script = () => 1;
    for (const cache of ['miss', 'hit', 'hit']) expect(await infer()).toMatchObject({ cache });
    expect(await seen()).toEqual({ ...nothing, requests: 2, cacheHits: 2 });
  });
});

describe('a fallback is counted for the version that did not answer, and its request once', () => {
  const fallback = { outputs: { y: [7] } };

  test('where a worker has counted its failure', async () => {
    await serve({ fallback });
    host.script = () => 'prediction-timeout';
    expect(await infer()).toMatchObject({ degraded: 'timeout' });
    expect(await seen()).toEqual({ ...nothing, fallbacks: 1, requests: 0 });
  });

  test('where the handler has refused it', async () => {
    await serve({ fallback });
    const { clock } = host.local;
    const breaker = { state: 'open', untilMs: clock.nowMs() + SECOND_MS, tenant: undefined } as const;
    await host.report({ breakers: { 'm@1': breaker } });
    await clock.advance(100);
    expect(await infer()).toMatchObject({ degraded: 'breaker-open' });
    expect(await seen()).toEqual({ ...nothing, requests: 1, fallbacks: 1, errors: { 'version-unavailable': 1 } });
  });

  test('where the pool is overloaded, and there is no job', async () => {
    await serve({ fallback });
    await host.report({ backlogMs: 1e9 });
    await host.local.clock.advance(100);
    expect(await infer()).toMatchObject({ degraded: 'overloaded' });
    expect(await seen()).toEqual({ ...nothing, requests: 1, fallbacks: 1 });
  });

  test('where it was too slow, and its job was cancelled for that', async () => {
    await serve({ fallback: { ...fallback, afterMs: 50 } });
    await host.report({ loaded: ['m@1'] });
    const answer = infer();
    await sent(1);
    await host.local.clock.advance(50);
    expect(await answer).toMatchObject({ degraded: 'slow' });
    await host.local.clock.advance(0);
    const expected = { ...nothing, requests: 1, fallbacks: 1, errors: { 'prediction-cancelled': 1 }, latencyMs: 50 };
    expect(await seen()).toEqual(expected);
  });

  test('never where the version answered itself', async () => {
    await serve({ fallback: { ...fallback, afterMs: 50 } });
    host.script = () => 1;
    expect(await infer()).toMatchObject({ degraded: undefined });
    expect(await seen()).toEqual(nothing);
  });
});
