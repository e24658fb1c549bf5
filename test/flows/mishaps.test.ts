import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CUE, crashOnCue, endlessLoop, idLookup } from '../support/bad-models.ts';
import { type Answer, type ApiClient, firstOutput, fourOf, int64s, type JsonTensor } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

let running: RunningPlatform;
let tenants: ApiClient[];
let acme: ApiClient;

beforeAll(async () => {
  running = await startRunning({
    models: ['row-sum', idLookup(), crashOnCue(), endlessLoop('cue')],
    runners: 2,
  });
  tenants = await Promise.all(['acme', 'initech', 'hooli'].map((id) => running.addTenant(id)));
  acme = tenants[0]!;
});

afterAll(() => running.end());

const ids = (...data: number[]): JsonTensor[] => [{ name: 'ids', shape: [1, data.length], datatype: 'INT64', data }];
const column = (value: number): JsonTensor[] => [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [value] }];

/** `count` requests at once of three tenants; one of them, in the middle, is the bad one. */
function together(count: number, good: (i: number) => Promise<Answer>, bad: () => Promise<Answer>): Promise<Answer[]> {
  const culprit = Math.floor(count / 2);
  return Promise.all(Array.from({ length: count }, (_, i) => (i === culprit ? bad() : good(i))));
}

function tenantOf(i: number): ApiClient {
  return tenants[i % tenants.length]!;
}

function expectAnswers(answers: readonly Answer[], expected: (i: number) => number): void {
  for (const [i, answer] of answers.entries()) {
    if (i === Math.floor(answers.length / 2)) continue;
    expect(answer.status, answer.text).toBe(200);
    expect(firstOutput(answer)).toEqual([expected(i)]);
  }
}

async function usageOf(tenant: string, caller: ApiClient): Promise<{ compute_ms: number; in_flight: number }> {
  return (await caller.get(`/control/v1/tenants/${tenant}/usage`)).json();
}

describe('an input that the model refuses', () => {
  test('among 50 of three tenants fails alone, every other gets its own answer', async () => {
    for (let round = 0; round < 3; round += 1) {
      const answers = await together(
        50,
        (i) => tenantOf(i).infer('id-lookup', ids(i % 10, (i + 1) % 10)),
        () => acme.infer('id-lookup', ids(3, 10)),
      );
      expectAnswers(answers, (i) => 2 ** (i % 10) + 2 ** ((i + 1) % 10));
      const problem = expectProblem(answers[25]!, 'prediction-failed');
      expect(JSON.stringify(problem)).not.toMatch(/gather|index|bounds/i);
    }
  });

  test('is refused each time anew: nothing about it is remembered', async () => {
    for (let i = 0; i < 2; i += 1) expectProblem(await acme.infer('id-lookup', ids(12)), 'prediction-failed');
  });
});

describe('an input that kills its runner', () => {
  test('among 20 of three tenants fails alone, every other gets its own answer', async () => {
    const answers = await together(
      20,
      (i) => tenantOf(i).infer('crash-on-cue', int64s('n', 2 ** (i + 1))),
      () => acme.infer('crash-on-cue', int64s('n', CUE.crash)),
    );
    expectAnswers(answers, (i) => -(2 ** (62 - i)));
    expectProblem(answers[10]!, 'runner-crashed');
  });

  test('is refused at once from then on, without a runner, and costs nothing more', async () => {
    const begin = vi.spyOn(running.region().platform.jobs, 'begin');
    const before = await usageOf('acme', acme);
    expectProblem(await acme.infer('crash-on-cue', int64s('n', CUE.crash)), 'input-quarantined');
    expectProblem(
      await acme.infer('crash-on-cue', int64s('n', CUE.crash), { version: '1', headers: { prefer: 'respond-async' } }),
      'input-quarantined',
    );
    expect(begin).not.toHaveBeenCalled();
    expect(await usageOf('acme', acme)).toEqual(before);
    begin.mockRestore();
  });

  test('is held against nobody else, and against no other input', async () => {
    expect(firstOutput(await acme.infer('crash-on-cue', int64s('n', 4)))).toEqual([-(2 ** 61)]);
    const other = tenants[1]!;
    expectProblem(await other.infer('crash-on-cue', int64s('n', CUE.crash)), 'runner-crashed');
  });

  test('is told by an accepted prediction too', async () => {
    const accepted = await tenants[2]!.infer('crash-on-cue', int64s('n', 8, CUE.crash), {
      headers: { prefer: 'respond-async' },
    });
    expect(accepted.status).toBe(202);
    expectProblem(await tenants[2]!.result(accepted.header('location')!), 'runner-crashed');
  });
});

describe('an input that the model never ends on', () => {
  test('is stopped at the model\u2019s limit; those beside it, and other models, are answered meanwhile', async () => {
    const startedMs = performance.now();
    const answers = together(
      10,
      (i) => tenantOf(i).infer('endless-cue', column(-i)),
      () => acme.infer('endless-cue', column(CUE.endless)),
    );
    await vi.waitFor(async () => expect((await usageOf('acme', acme)).in_flight).toBeGreaterThan(0));
    expect(firstOutput(await tenants[1]!.infer('row-sum', fourOf(2)))).toEqual([8]);
    const done = await answers;
    expectAnswers(done, (i) => 0 - i);
    expectProblem(done[5]!, 'prediction-timeout', { limit_ms: 500 });
    // 500 ms in the shared run and 500 ms alone, a new process for each, and a loaded machine.
    expect(performance.now() - startedMs).toBeLessThan(8000);
  });

  test('is charged to whom it belongs', async () => {
    const before = await Promise.all(['acme', 'initech'].map((id, i) => usageOf(id, tenants[i]!)));
    const [bad, good] = await Promise.all([
      acme.infer('endless-cue', column(CUE.endless)),
      tenants[1]!.infer('endless-cue', column(-3)),
    ]);
    expectProblem(bad, 'prediction-timeout');
    expect(firstOutput(good)).toEqual([-3]);
    const after = await Promise.all(['acme', 'initech'].map((id, i) => usageOf(id, tenants[i]!)));
    expect(after[0]!.compute_ms - before[0]!.compute_ms).toBeGreaterThan(400);
    expect(after[1]!.compute_ms - before[1]!.compute_ms).toBeLessThan(300);
  });
});

test('after all that the platform is whole: ready, nothing in flight, and it answers', async () => {
  expect((await acme.get('/v2/health/ready')).status).toBe(200);
  for (const [i, id] of ['acme', 'initech', 'hooli'].entries()) {
    await vi.waitFor(async () => expect((await usageOf(id, tenants[i]!)).in_flight).toBe(0), { timeout: 3000 });
  }
  for (const tenant of tenants) expect(firstOutput(await tenant.infer('row-sum', fourOf(1)))).toEqual([4]);
  const broke = running.logLines.filter((line) => line.includes('"internal"'));
  expect(broke).toEqual([]);
});
