import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

/** Half a second or so of one core. */
const SLOW_ROUNDS = 700;

/** On a machine that does many things at once a second of work may take ten. */
const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });

let running: RunningPlatform;
let acme: ApiClient;
let other: ApiClient;
/** Ids of the jobs that the worker started. */
let started: string[];

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', SLOW], runners: 1 });
  acme = await running.addTenant('acme');
  other = await running.addTenant('other');
  const { jobs } = running.region().platform;
  const begin = jobs.begin.bind(jobs);
  vi.spyOn(jobs, 'begin').mockImplementation((job) => {
    started.push(`${job.tenant} ${job.model}`);
    return begin(job);
  });
});

beforeEach(() => {
  started = [];
});

/** Nothing of one test may still run in the next. */
afterEach(async () => {
  await vi.waitFor(
    async () => {
      for (const tenant of [acme, other]) expect(await inFlight(tenant)).toBe(0);
    },
    { timeout: 20_000, interval: 100 },
  );
});

afterAll(() => running.end());

async function inFlight(client: ApiClient): Promise<number> {
  const tenant = client === acme ? 'acme' : 'other';
  return (await client.get(`/control/v1/tenants/${tenant}/usage`)).json<{ in_flight: number }>().in_flight;
}

/** Resolves once another tenant's slow request runs in the only runner. */
async function occupy(rounds = SLOW_ROUNDS): Promise<Promise<Answer>[]> {
  const busy = other.infer('slow', int64s('rounds', rounds));
  await vi.waitFor(() => expect(started).toContain('other slow'), { timeout: 10_000 });
  return [busy];
}

async function timed(call: Promise<Answer>): Promise<{ answer: Answer; tookMs: number }> {
  const startedMs = performance.now();
  const answer = await call;
  return { answer, tookMs: performance.now() - startedMs };
}

const within = (timeoutMs: number) => ({ members: { parameters: { timeout_ms: timeoutMs } } });

describe('timeout_ms', () => {
  test('ends a wait behind others, and what has expired never runs', async () => {
    const [busy] = await occupy(2 * SLOW_ROUNDS);
    const { answer, tookMs } = await timed(acme.infer('row-sum', fourOf(1), within(200)));
    expectProblem(answer, 'prediction-expired');
    expect(tookMs).toBeLessThan(1500);
    expect((await busy!).status).toBe(200);
    expect(firstOutput(await other.infer('row-sum', fourOf(1)))).toEqual([4]);
    expect(started).not.toContain('acme row-sum');
  });

  test('is also the end of an accepted prediction', async () => {
    const [busy] = await occupy(2 * SLOW_ROUNDS);
    const accepted = await acme.infer('row-sum', fourOf(1), { ...within(100), headers: { prefer: 'respond-async' } });
    expect(accepted.status).toBe(202);
    await busy;
    const result = await acme.result(accepted.header('location')!);
    // A second of clock skew is tolerated, so a machine that was quick enough may have answered.
    if (result.status !== 200) expectProblem(result, 'prediction-expired');
    else expect(firstOutput(result)).toEqual([4]);
  });

  test('leaves a prediction that is quick enough alone', async () => {
    expect(firstOutput(await acme.infer('row-sum', fourOf(1), within(10_000)))).toEqual([4]);
  });
});

describe('load shedding', () => {
  test('answers 503 at once when the wait would be longer than the deadline', async () => {
    // Teaches the platform what a row costs: the first run after loading does not count.
    for (let i = 0; i < 3; i += 1) await other.infer('slow', int64s('rounds', 300));
    await occupy();
    const waiting = Array.from({ length: 12 }, () => other.infer('slow', int64s('rounds', 300)));
    const shed = () => timed(acme.infer('slow', int64s('rounds', 1), within(50)));
    // Workers report what they hold about every 100 ms.
    await vi.waitFor(async () => expectProblem((await shed()).answer, 'overloaded'), { timeout: 3000 });
    const before = await inFlight(acme);
    const { answer, tookMs } = await shed();
    const problem = expectProblem(answer, 'overloaded');
    expect(problem.type).toBe('https://iana.org/assignments/http-problem-types#temporary-reduced-capacity');
    expect(tookMs).toBeLessThan(1000);
    expect(await inFlight(acme)).toBeLessThanOrEqual(before);
    // With time enough it is taken.
    expect((await acme.infer('slow', int64s('rounds', 1), within(30_000))).status).toBe(200);
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
  });
});

describe('a caller that hangs up', () => {
  test('takes its prediction with it: it never runs and frees its place', async () => {
    const [busy] = await occupy();
    const gone = new AbortController();
    const call = acme.infer('row-sum', fourOf(1), { signal: gone.signal });
    await vi.waitFor(async () => expect(await inFlight(acme)).toBe(1));
    gone.abort();
    await expect(call).rejects.toThrow('abort');
    expect((await busy!).status).toBe(200);
    // A later one has run, so that one would have too.
    await other.infer('row-sum', fourOf(1));
    expect(started).not.toContain('acme row-sum');
  });

  test('with an Idempotency-Key finds its answer when it comes back', async () => {
    const [busy] = await occupy();
    const gone = new AbortController();
    const keyed = { headers: { 'Idempotency-Key': 'came-back' } };
    const call = acme.infer('row-sum', fourOf(3), { ...keyed, signal: gone.signal });
    await vi.waitFor(async () => expect(await inFlight(acme)).toBe(1));
    gone.abort();
    await expect(call).rejects.toThrow('abort');
    await busy;
    await vi.waitFor(async () => {
      const again = await acme.infer('row-sum', fourOf(3), keyed);
      expect(again.header('sluice-replayed')).toBe('true');
      expect(firstOutput(again)).toEqual([12]);
    });
  });
});

describe('the cap on waiting handlers', () => {
  test('accepts with 202 beyond it, at once, and forgets none', async () => {
    const few = await running.addTenant('few', { overrides: { waitingHandlers: 2 } });
    const [busy] = await occupy();
    const calls = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        return { answer: await few.infer('row-sum', fourOf(i)), i };
      }),
    );
    await busy;
    const accepted = calls.filter(({ answer }) => answer.status === 202);
    expect(accepted).toHaveLength(3);
    for (const { answer, i } of accepted) {
      expect(firstOutput(await few.result(answer.header('location')!))).toEqual([4 * i]);
    }
    for (const { answer, i } of calls) if (answer.status === 200) expect(firstOutput(answer)).toEqual([4 * i]);
  });
});
