import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FailureCode } from '../../core/failure.ts';
import type { InferAnswer, InferCall } from '../../core/inference/request.ts';
import type { Fallback } from '../../core/models/manifest.ts';
import { aVersion, floats } from '../support/jobs.ts';
import { openScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts';

const FIXED: Fallback = { outputs: { y: [7] } };
const OTHER: Fallback = { model: 'small' };

let host: ScriptedGateway;

beforeEach(async () => {
  host = await openScriptedGateway();
});

afterEach(() => host.close());

async function serve(fallback: Fallback): Promise<void> {
  await host.add(aVersion({ manifest: { fallback } }));
  await host.add(aVersion({ model: 'small', manifest: { fallback: { outputs: { y: [99] } } } }));
}

const ONE_ROW = { clientId: undefined, outputs: undefined, binaryByDefault: false, timeoutMs: undefined };

/** The primary ends like this, the fallback model with 5. */
function primaryEnds(end: number | FailureCode | 'silent', fallbackEnd: number | FailureCode | 'silent' = 5): void {
  host.script = (job) => (job.model === 'm' ? end : fallbackEnd);
}

function infer(changes: Partial<InferCall> = {}): Promise<InferAnswer> {
  return host.gateway.infer(host.call(changes));
}

function told(answer: InferAnswer): object {
  if (answer.kind === 'accepted') return { accepted: answer.variant, degraded: answer.degraded };
  const y = Array.from(answer.outcome.outputs[0]!.data as Float32Array);
  return { y, variant: answer.variant, degraded: answer.degraded };
}

const BREAKER_OPEN = () => ({ 'm@1': { state: 'open' as const, untilMs: host.local.clock.nowMs() + 5000 } });

describe('a model that fails', () => {
  test.each([
    ['prediction-timeout', 'timeout'],
    ['prediction-expired', 'timeout'],
    ['runner-crashed', 'failed'],
    ['model-load-failed', 'failed'],
    ['artifact-missing', 'failed'],
    ['artifact-damaged', 'failed'],
    ['version-unavailable', 'breaker-open'],
  ] as const)('with %s is answered for, marked %s', async (code, degraded) => {
    await serve(FIXED);
    primaryEnds(code);
    const answer = await infer();
    expect(told(answer)).toEqual({ y: [7], variant: undefined, degraded });
    expect(answer).toMatchObject({ model: 'm', version: '1', replayed: false });
  });

  test.each(['prediction-failed', 'prediction-cancelled', 'internal', 'data-erased'] as const)(
    'with %s tells so itself',
    async (code) => {
      await serve(FIXED);
      primaryEnds(code);
      await expect(infer()).rejects.toMatchObject({ code });
    },
  );

  test('is answered for by the other model, in its name, under its own reservation', async () => {
    await serve(OTHER);
    primaryEnds('runner-crashed');
    expect(await infer()).toMatchObject({ model: 'm', variant: 'small', version: '1', degraded: 'failed' });
    expect(host.jobs.map(({ model, requestedModel }) => [model, requestedModel])).toEqual([
      ['m', 'm'],
      ['small', 'm'],
    ]);
    expect(new Set(host.jobs.map(({ id }) => id)).size).toBe(2);
    for (const { id } of host.jobs) expect(host.settled.has(id)).toBe(true);
  });

  test('tells its own failure where the fallback fails too, whose own fallback is not used', async () => {
    await serve(OTHER);
    primaryEnds('runner-crashed', 'model-load-failed');
    await expect(infer()).rejects.toMatchObject({ code: 'runner-crashed' });
    await host.add(aVersion({ model: 'lost', manifest: { fallback: { model: 'never-pushed' } } }));
    host.script = () => 'prediction-timeout';
    await expect(infer({ model: 'lost' })).rejects.toMatchObject({ code: 'prediction-timeout' });
  });

  test('needs no right to the fallback model, only to the model that was asked', async () => {
    await serve(OTHER);
    primaryEnds('runner-crashed');
    expect(told(await infer({ caller: host.caller({ models: ['m'] }) }))).toMatchObject({ y: [5], degraded: 'failed' });
    await expect(infer({ model: 'small', caller: host.caller({ models: ['m'] }) })).rejects.toMatchObject({
      code: 'model-unknown',
    });
  });

  test('that was named by version is not answered for', async () => {
    await serve(FIXED);
    primaryEnds('runner-crashed');
    await expect(infer({ version: '1' })).rejects.toMatchObject({ code: 'runner-crashed' });
  });

  test('is not answered for where it answers', async () => {
    await serve(OTHER);
    primaryEnds(3);
    expect(told(await infer())).toEqual({ y: [3], variant: undefined, degraded: undefined });
    expect(host.jobs.length).toBe(1);
  });
});

describe('what is the caller’s own', () => {
  /** More than half of the rows that a plan lets come at once, and of the compute that this one grants in a day. */
  const MANY_ROWS = { ...ONE_ROW, inputs: [floats('x', [200, 1], [])] };

  test('a request that is not valid', async () => {
    await serve(FIXED);
    const request = { ...host.call().request, inputs: [floats('z', [1, 1], [1])] };
    await expect(infer({ request })).rejects.toMatchObject({ code: 'input-unknown' });
  });

  test.each([
    ['in-flight-exceeded', { requestsInFlight: 1 }],
    ['compute-budget-exceeded', { dailyComputeMs: 15_000 }],
    ['quota-exceeded', { rowsPerMinute: 1 }],
  ] as const)('a quota: %s', async (code, limits) => {
    await serve(FIXED);
    primaryEnds('silent');
    const call = { caller: host.caller(limits), request: MANY_ROWS };
    const first = infer(call);
    await vi.waitFor(() => expect(host.jobs.length).toBe(1));
    await expect(infer(call)).rejects.toMatchObject({ code });
    await host.local.ports.jobs.cancel('acme', host.jobs[0]!.id, host.local.clock.nowMs());
    await expect(first).rejects.toMatchObject({ code: 'prediction-cancelled' });
  });

  test('the fallback’s share of it: a quota that is used up by then tells the first failure', async () => {
    await serve(OTHER);
    primaryEnds('runner-crashed');
    const call = { caller: host.caller({ rowsPerMinute: 1 }), request: MANY_ROWS };
    await expect(infer(call)).rejects.toMatchObject({ code: 'runner-crashed' });
  });
});

describe('a version that is left alone', () => {
  test('fails at once, without a job and without quota, until its time is over', async () => {
    await host.add(aVersion());
    await host.report({ breakers: BREAKER_OPEN() });
    const caller = host.caller({ requestsInFlight: 1, rowsPerMinute: 1, dailyComputeMs: 60 });
    for (let repeat = 0; repeat < 3; repeat += 1) {
      await expect(infer({ caller })).rejects.toMatchObject({
        code: 'version-unavailable',
        facts: { model: 'm', version: '1', retryAfterMs: 5000 },
      });
    }
    await expect(infer({ caller, version: '1' })).rejects.toMatchObject({ code: 'version-unavailable' });
    expect(host.jobs).toEqual([]);
    await host.local.clock.advance(4999);
    await expect(infer({ caller })).rejects.toMatchObject({
      code: 'version-unavailable',
      facts: { retryAfterMs: 100 },
    });
    await host.local.clock.advance(1);
    expect(told(await infer({ caller }))).toMatchObject({ y: [1] });
  });

  test('is tried by one request in 100 ms once it may be, and serves all once it is closed', async () => {
    await host.add(aVersion());
    await host.report({ breakers: { 'm@1': { state: 'half-open', untilMs: host.local.clock.nowMs() } } });
    const outcomes: string[] = [];
    for (let atMs = 0; atMs <= 200; atMs += 50) {
      outcomes.push(
        await infer().then(
          () => 'answered',
          ({ code }) => code as string,
        ),
      );
      await host.local.clock.advance(50);
    }
    const refused = 'version-unavailable';
    expect(outcomes).toEqual(['answered', refused, 'answered', refused, 'answered']);
    await host.report({ breakers: { 'm@1': { state: 'closed', untilMs: host.local.clock.nowMs() } } });
    await host.local.clock.advance(51);
    for (let repeat = 0; repeat < 3; repeat += 1) expect(told(await infer())).toMatchObject({ y: [1] });
  });

  test('does not stay so where nobody reports any more', async () => {
    await host.add(aVersion());
    const untilMs = host.local.clock.nowMs() + 3_600_000;
    await host.report({ breakers: { 'm@1': { state: 'open', untilMs } } });
    await expect(infer()).rejects.toMatchObject({ code: 'version-unavailable' });
    await host.local.clock.advance(10_001);
    expect(told(await infer())).toMatchObject({ y: [1] });
  });

  test('is answered for meanwhile; who asks for 202 is accepted for the other model, and its result is marked', async () => {
    await serve(OTHER);
    await host.report({ breakers: BREAKER_OPEN() });
    expect(told(await infer())).toEqual({ y: [1], variant: 'small', degraded: 'breaker-open' });
    const accepted = await infer({ prefer: { respondAsync: true, waitMs: undefined } });
    expect(told(accepted)).toEqual({ accepted: 'small', degraded: 'breaker-open' });
    const result = await host.gateway.readPrediction(host.caller(), accepted.id, 1000);
    expect(told(result)).toEqual({ y: [1], variant: 'small', degraded: 'breaker-open' });
  });

  test('with a fixed answer is answered at once even where 202 was asked for', async () => {
    await serve(FIXED);
    await host.report({ breakers: BREAKER_OPEN() });
    const answer = await infer({ prefer: { respondAsync: true, waitMs: undefined } });
    expect(told(answer)).toEqual({ y: [7], variant: undefined, degraded: 'breaker-open' });
    expect(host.jobs).toEqual([]);
  });
});

describe('a model that is overloaded', () => {
  test('is answered for', async () => {
    await serve(FIXED);
    await host.report({ backlogMs: 3_600_000 });
    expect(told(await infer())).toMatchObject({ y: [7], degraded: 'overloaded' });
  });
});

describe('a prediction that was accepted', () => {
  test('reports its failure', async () => {
    await serve(FIXED);
    primaryEnds('runner-crashed');
    const accepted = await infer({ prefer: { respondAsync: true, waitMs: undefined } });
    expect(told(accepted)).toEqual({ accepted: undefined, degraded: undefined });
    await expect(host.gateway.readPrediction(host.caller(), accepted.id, 1000)).rejects.toMatchObject({
      code: 'runner-crashed',
    });
  });

  test('under an Idempotency-Key is answered for each time it is told that it failed, without running again', async () => {
    await serve(OTHER);
    primaryEnds('runner-crashed');
    const keyed = { idempotencyKey: 'once' };
    for (let repeat = 0; repeat < 2; repeat += 1) {
      expect(told(await infer(keyed))).toEqual({ y: [5], variant: 'small', degraded: 'failed' });
    }
    expect(host.jobs.map(({ model }) => model)).toEqual(['m', 'small', 'small']);
  });

  test('under an Idempotency-Key goes on when it is slow: a repeat gets its own answer', async () => {
    await serve({ ...FIXED, afterMs: 100 });
    primaryEnds('silent');
    const first = infer({ idempotencyKey: 'once' });
    await vi.waitFor(() => expect(host.jobs.length).toBe(1));
    await host.local.clock.advance(101);
    expect(told(await first)).toMatchObject({ y: [7], degraded: 'cold' });
    const job = host.jobs[0]!;
    const endedAtMs = host.local.clock.nowMs();
    const measures = { computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs };
    await host.local.ports.jobs.finish(job, {
      kind: 'succeeded',
      version: '1',
      outputs: [floats('y', [1, 1], [3])],
      ...measures,
    });
    expect(await infer({ idempotencyKey: 'once' })).toMatchObject({ replayed: true, degraded: undefined });
  });

  test('refused before it was accepted, leaves its Idempotency-Key free', async () => {
    await serve(FIXED);
    await host.report({ breakers: BREAKER_OPEN() });
    expect(told(await infer({ idempotencyKey: 'once' }))).toMatchObject({ degraded: 'breaker-open' });
    await host.report({ atMs: host.local.clock.nowMs() + 1, breakers: {} });
    await host.local.clock.advance(60);
    const answer = await infer({ idempotencyKey: 'once' });
    expect(answer).toMatchObject({ degraded: undefined, replayed: false });
  });
});

describe('a model that has not answered in time', () => {
  /** The answer once `afterMs` has passed for a job that the worker holds. */
  async function afterTime(changes: Partial<InferCall> = {}, jobs = 1): Promise<InferAnswer> {
    const answer = infer(changes);
    await vi.waitFor(() => expect(host.jobs.length).toBe(jobs));
    await host.local.clock.advance(101);
    return answer;
  }

  test.each([
    ['slow', ['m@1']],
    ['cold', ['m@2', 'small@1']],
  ] as const)('is answered for, marked %s, and its job is cancelled', async (degraded, loaded) => {
    await serve({ ...FIXED, afterMs: 100 });
    await host.report({ loaded });
    primaryEnds('silent');
    expect(told(await afterTime())).toEqual({ y: [7], variant: undefined, degraded });
    const [job] = host.jobs;
    await vi.waitFor(() => expect(host.local.ports.jobs.hasEnded(job!)).toBe(true));
    // What waits for a load gives its place in flight back at once; what may be running is settled by who runs it.
    if (degraded === 'cold') await vi.waitFor(() => expect(host.settled.get(job!.id)).toBe(0));
    else expect(host.settled.has(job!.id)).toBe(false);
  });

  test('answers itself if it does so before the other model', async () => {
    await serve({ ...OTHER, afterMs: 100 });
    host.script = () => 'silent';
    const answer = afterTime();
    await vi.waitFor(() => expect(host.jobs.length).toBe(2));
    const [primary, other] = host.jobs;
    const outcome = { kind: 'succeeded', version: '1', outputs: [floats('y', [1, 1], [3])] } as const;
    const endedAtMs = host.local.clock.nowMs();
    await host.local.ports.jobs.finish(primary!, { ...outcome, computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs });
    expect(told(await answer)).toEqual({ y: [3], variant: undefined, degraded: undefined });
    await vi.waitFor(() => expect(host.local.ports.jobs.hasEnded(other!)).toBe(true));
  });

  test('takes one place among those that wait, whoever answers', async () => {
    await serve({ ...OTHER, afterMs: 100 });
    primaryEnds('silent');
    expect(told(await afterTime({ caller: host.caller({ waitingHandlers: 1 }) }))).toMatchObject({ y: [5] });
  });

  test('goes on if the other model fails', async () => {
    await serve({ ...OTHER, afterMs: 100 });
    primaryEnds('silent', 'model-load-failed');
    const expected = expect(infer()).rejects.toMatchObject({ code: 'prediction-timeout' });
    await vi.waitFor(() => expect(host.jobs.length).toBe(1));
    await host.local.clock.advance(101);
    await vi.waitFor(() => expect(host.jobs.length).toBe(2));
    const endedAtMs = host.local.clock.nowMs();
    await host.local.ports.jobs.finish(host.jobs[0]!, {
      kind: 'failed',
      code: 'prediction-timeout',
      facts: {},
      computeMs: 1,
      endedAtMs,
    });
    await expected;
  });

  test('in time answers or fails as without it', async () => {
    await serve({ ...FIXED, afterMs: 100 });
    primaryEnds(3);
    expect(told(await infer())).toEqual({ y: [3], variant: undefined, degraded: undefined });
    primaryEnds('prediction-failed');
    await expect(infer()).rejects.toMatchObject({ code: 'prediction-failed' });
    primaryEnds('runner-crashed');
    expect(told(await infer())).toMatchObject({ y: [7], degraded: 'failed' });
  });

  test('is cancelled with a caller that hangs up, and nobody answers for it', async () => {
    await serve({ ...FIXED, afterMs: 100 });
    primaryEnds('silent');
    const gone = new AbortController();
    const answer = infer({ signal: gone.signal });
    await vi.waitFor(() => expect(host.jobs.length).toBe(1));
    gone.abort();
    await expect(answer).rejects.toMatchObject({ code: 'prediction-cancelled' });
    expect(host.local.ports.jobs.hasEnded(host.jobs[0]!)).toBe(true);
  });

  test('is accepted if the caller’s patience ends before that', async () => {
    await serve({ ...FIXED, afterMs: 5000 });
    primaryEnds('silent');
    const answer = infer({ prefer: { respondAsync: false, waitMs: 50 } });
    await vi.waitFor(() => expect(host.jobs.length).toBe(1));
    await host.local.clock.advance(100);
    expect(told(await answer)).toEqual({ accepted: undefined, degraded: undefined });
  });
});

test('a fixed answer has a row for each row of the request, and the outputs that were asked for', async () => {
  await serve(FIXED);
  primaryEnds('runner-crashed');
  const { request } = host.call();
  const three = { ...request, inputs: [floats('x', [3, 1], [1, 2, 3])], outputs: [{ name: 'y', binary: false }] };
  const answer = await infer({ request: three });
  expect(answer).toMatchObject({
    outcome: { outputs: [{ name: 'y', datatype: 'FP32', shape: [3, 1] }], computeMs: 0 },
  });
  expect(told(answer)).toMatchObject({ y: [7, 7, 7] });
});
