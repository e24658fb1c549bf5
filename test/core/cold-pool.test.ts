import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { InferAnswer, InferCall } from '../../core/inference/request.ts';
import { wakeWaiting } from '../../core/inference/wake-waiting.ts';
import type { Fallback } from '../../core/models/manifest.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { aJob, aVersion } from '../support/jobs.ts';
import { openScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts';

const START_MS = 2 * MINUTE_MS;
const CONFIG = { pools: ['default', 'gpu', 'cpu'], bridges: { gpu: 'cpu' } };
const ASYNC = { respondAsync: true, waitMs: undefined };

let host: ScriptedGateway;
let woken: string[];

beforeEach(async () => {
  host = await openScriptedGateway(CONFIG);
  woken = [];
  startsIn(START_MS);
});

afterEach(() => host.close());

/** A pool without workers has one after this. */
function startsIn(ms: number): void {
  vi.spyOn(host.local.ports.wake, 'wake').mockImplementation(((pool: string) => {
    woken.push(pool);
    return Promise.resolve(ms);
  }) as never);
}

function infer(changes: Partial<InferCall> = {}): Promise<InferAnswer> {
  return host.gateway.infer(host.call(changes));
}

async function jobOf(answer: InferAnswer) {
  const { ports, clock } = host.local;
  const record = await ports.jobs.read('acme', answer.id, clock.nowMs());
  return record?.job;
}

function withTimeout(timeoutMs: number): Partial<InferCall> {
  const { request } = host.call();
  return { request: { ...request, timeoutMs } };
}

/** The silent worker keeps jobs, as a queue that nobody reads does. */
function nobodyWorks(): void {
  host.script = () => 'silent';
}

describe('a request for a pool without workers', () => {
  beforeEach(async () => {
    await host.add(aVersion());
    nobodyWorks();
  });

  test('is accepted at once with the time until it serves, durable, and wakes the pool', async () => {
    const startedMs = host.local.clock.nowMs();
    const answer = await infer();
    expect(answer).toMatchObject({ kind: 'accepted', retryAfterMs: START_MS });
    expect(woken).toContain('default');
    expect(host.local.clock.nowMs()).toBe(startedMs);
    expect(await jobOf(answer)).toMatchObject({ durable: true, lane: 'interactive' });
  });

  test('is told the same where it asked for 202, and where it names a key', async () => {
    expect(await infer({ prefer: ASYNC })).toMatchObject({ kind: 'accepted', retryAfterMs: START_MS });
    expect(await infer({ idempotencyKey: 'k' })).toMatchObject({ kind: 'accepted', retryAfterMs: START_MS });
  });

  test('has fifteen minutes from when the pool should serve, whether it was to be waited for or not', async () => {
    for (const prefer of [undefined, ASYNC]) {
      const job = await jobOf(await infer(prefer && { prefer }));
      expect(job!.deadlineMs - host.local.clock.nowMs()).toBe(START_MS + 15 * MINUTE_MS);
    }
  });

  test('keeps its own deadline, and is refused at once where the start would outlast it', async () => {
    const job = await jobOf(await infer(withTimeout(START_MS + SECOND_MS)));
    expect(job!.deadlineMs - host.local.clock.nowMs()).toBe(START_MS + SECOND_MS);
    woken.length = 0;
    await expect(infer(withTimeout(30 * SECOND_MS))).rejects.toMatchObject({
      code: 'overloaded',
      facts: { retryAfterMs: START_MS - 30 * SECOND_MS },
    });
    expect(woken).toEqual(['default']);
    expect((await jobOf(await infer(withTimeout(10 * DAY_MS))))!.deadlineMs).toBe(host.local.clock.nowMs() + DAY_MS);
  });

  test('waits where the pool serves before its patience ends, and is durable all the same', async () => {
    startsIn(5 * SECOND_MS);
    host.script = () => 3;
    const answer = await infer();
    expect(answer).toMatchObject({ kind: 'answered' });
    expect(await jobOf(answer)).toMatchObject({ durable: true });
    expect(await infer({ prefer: { respondAsync: false, waitMs: 4 * SECOND_MS } })).toMatchObject({
      kind: 'accepted',
      retryAfterMs: 5 * SECOND_MS,
    });
  });

  test('is accepted where all workers drain, as they have given their work up', async () => {
    await host.report({ draining: true });
    expect(await infer()).toMatchObject({ kind: 'accepted', retryAfterMs: START_MS });
  });
});

test('a pool with a worker is not woken, and answers as ever', async () => {
  await host.add(aVersion());
  await host.report();
  expect(await infer()).toMatchObject({ kind: 'answered' });
  expect(woken).toEqual([]);
});

describe('a pool that has a bridge', () => {
  beforeEach(async () => {
    await host.add(aVersion({ manifest: { pool: 'gpu' } }));
    nobodyWorks();
  });

  test('is taken over by it while it starts, and woken', async () => {
    await host.report({ pool: 'cpu' });
    const answer = await infer({ prefer: ASYNC });
    expect(answer).toMatchObject({ kind: 'accepted', retryAfterMs: SECOND_MS });
    expect(await jobOf(answer)).toMatchObject({ pool: 'cpu' });
    expect(woken).toEqual(['gpu']);
  });

  test('keeps its jobs where the bridge has no workers either, and when it has some again', async () => {
    expect(await jobOf(await infer())).toMatchObject({ pool: 'gpu' });
    await host.report({ pool: 'cpu' });
    await host.report({ pool: 'gpu' });
    await host.local.clock.advance(100);
    expect(await jobOf(await infer({ prefer: ASYNC }))).toMatchObject({ pool: 'gpu' });
  });
});

describe('a model with a fallback, its pool without workers,', () => {
  const serve = (fallback: Fallback, small: { pool?: string } = {}) =>
    Promise.all([
      host.add(aVersion({ manifest: { fallback, pool: 'gpu' } })),
      host.add(aVersion({ model: 'small', manifest: small })),
    ]);

  beforeEach(() => {
    host.script = () => 5;
  });

  test.each([{ outputs: { y: [7] } }, { outputs: { y: [7] }, afterMs: 1000 }])(
    'is answered for at once, marked cold',
    async (fallback) => {
      await serve(fallback);
      expect(await infer()).toMatchObject({ kind: 'answered', degraded: 'cold' });
      expect(woken).toContain('gpu');
      expect(host.jobs).toEqual([]);
    },
  );

  test.each([{ model: 'small' }, { model: 'small', afterMs: 1000 }])(
    'is answered for by the other model, which has workers',
    async (fallback) => {
      await serve(fallback);
      await host.report();
      expect(await infer()).toMatchObject({ kind: 'answered', degraded: 'cold', variant: 'small' });
      expect(host.jobs.map(({ model }) => model)).toEqual(['small']);
    },
  );

  test.each([{ model: 'small' }, { model: 'small', afterMs: 1000 }])(
    'is accepted itself where the other model is as cold',
    async (fallback) => {
      await serve(fallback, { pool: 'gpu' });
      expect(await infer()).toMatchObject({ kind: 'accepted', degraded: undefined, retryAfterMs: START_MS });
    },
  );

  test('is accepted itself for who asked for 202: nobody waits whom a lesser answer would serve better', async () => {
    await serve({ outputs: { y: [7] } });
    expect(await infer({ prefer: ASYNC })).toMatchObject({ kind: 'accepted', degraded: undefined });
  });

  test('is what answers a key that it has answered before', async () => {
    await serve({ outputs: { y: [7] } });
    await host.report({ pool: 'gpu' });
    nobodyWorks();
    const { ports, clock } = host.local;
    const accepted = await infer({ prefer: ASYNC, idempotencyKey: 'k' });
    const job = (await jobOf(accepted))!;
    const outcome = { kind: 'failed', code: 'prediction-failed', facts: {}, computeMs: 0, endedAtMs: 0 } as const;
    await ports.jobs.finish(job, outcome);
    await host.report({ pool: 'gpu', draining: true });
    await clock.advance(100);
    await expect(infer({ idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'prediction-failed' });
  });
});

test('pools with jobs and no worker are woken without a request, and no others', async () => {
  const { ports, clock } = host.local;
  const all = { ...ports, config: { ...CONFIG, region: 'us', regionUrls: {}, corsOrigins: [], usdPerComputeHour: 1 } };
  expect(await wakeWaiting(all, clock.nowMs())).toEqual([]);
  for (const pool of ['gpu', 'cpu'])
    await ports.queue.send(aJob({ pool, lane: 'bulk', deadlineMs: clock.nowMs() + DAY_MS }));
  await host.report({ pool: 'cpu' });
  expect(await wakeWaiting(all, clock.nowMs())).toEqual(['gpu']);
  expect(woken).toEqual(['gpu']);
});
