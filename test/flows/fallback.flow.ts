import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { descendantsOf } from '../../bin/descendants.ts';
import { DEGRADATIONS } from '../../core/inference/degradation.ts';
import type { CapacityReport } from '../../core/ports/capacity.ts';
import type { ManifestFile } from '../../models/model-folder.ts';
import { idLookup, type ModelFiles, slowModel } from '../support/bad-models.ts';
import {
  type Answer,
  type ApiClient,
  firstOutput,
  type InferJson,
  int64s,
  type JsonTensor,
} from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';

/** Models with a fallback or a breaker, while they fail, are killed or are slow: longer than `afterMs`, which a quick answer takes less than. */
export function describeFallback(start: StartPlatform, afterMs = 50): void {
  const BREAKER = { minRequests: 5, windowS: 5, openS: 1, probes: 2 };
  const NO_ANSWER = -1;

  let running: PlatformUnderTest;
  let acme: ApiClient;

  beforeAll(async () => {
    running = await start({
      models: [
        as(idLookup(), { name: 'lookup-small' }),
        as(idLookup(), { name: 'lookup', breaker: BREAKER, fallback: { model: 'lookup-small' } }),
        as(idLookup(), { name: 'lookup-alone', breaker: BREAKER }),
        as(idLookup(), { name: 'lookup-killed', breaker: BREAKER, fallback: { outputs: { y: [NO_ANSWER] } } }),
        as(slowModel(), { name: 'slow-guarded', fallback: { outputs: { y: [NO_ANSWER] }, afterMs } }),
      ],
      runners: 2,
    });
    acme = await running.addTenant('acme');
  }, 60_000);

  afterAll(() => running.end());

  function as(files: ModelFiles, changes: Partial<ManifestFile> & { name: string }): ModelFiles {
    return { ...files, manifest: { ...files.manifest, ...changes } };
  }

  const ids = (...data: number[]): JsonTensor[] => [{ name: 'ids', shape: [1, data.length], datatype: 'INT64', data }];
  /** Makes the run fail: the table has ten entries. */
  const OUTSIDE = 12;

  function degradation(answer: Answer): string | undefined {
    return answer.header('sluice-degraded');
  }

  async function openBreaker(model: string): Promise<void> {
    for (let repeat = 0; repeat < BREAKER.minRequests; repeat += 1) {
      expectProblem(await acme.infer(model, ids(OUTSIDE, repeat)), 'prediction-failed');
    }
    await vi.waitFor(async () => expect((await report()).breakers[`${model}@1`]?.state).toBe('open'));
    // What a gateway has read may be so old.
    await setTimeout(60);
  }

  async function report(): Promise<CapacityReport> {
    const { capacity, clock } = running.region().platform;
    return (await capacity.read('default', clock.nowMs()))[0]!;
  }

  describe('a version that keeps failing', () => {
    test('is refused with 503 and Retry-After, and serves again by itself', async () => {
      await openBreaker('lookup-alone');
      const refused = await acme.infer('lookup-alone', ids(1));
      expectProblem(refused, 'version-unavailable', { model: 'lookup-alone', version: '1' });
      expect(refused.header('retry-after')).toBe('1');
      const answer = await vi.waitFor(
        async () => {
          const tried = await acme.infer('lookup-alone', ids(3));
          expect(tried.status).toBe(200);
          return tried;
        },
        { timeout: 20_000, interval: 50 },
      );
      expect(firstOutput(answer)).toEqual([8]);
      await vi.waitFor(
        async () => {
          const answers = await Promise.all([1, 2, 3, 4].map((id) => acme.infer('lookup-alone', ids(id))));
          expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        },
        { timeout: 20_000, interval: 50 },
      );
    }, 60_000);

    test('is answered for by its fallback, which says so; the caller’s own mistakes stay his', async () => {
      await openBreaker('lookup');
      const answer = await acme.infer('lookup', ids(1, 2), { members: { id: 'mine' } });
      expect([answer.status, degradation(answer)]).toEqual([200, 'breaker-open']);
      expect(answer.header('sluice-variant')).toBe('lookup-small');
      expect(answer.header('sluice-model-version')).toBe('1');
      expect(answer.json<InferJson>()).toMatchObject({ model_name: 'lookup', model_version: '1', id: 'mine' });
      expect(firstOutput(answer)).toEqual([6]);
      expectProblem(await acme.infer('lookup', int64s('nonsense', 1)), 'input-unknown');
      expectProblem(await acme.infer('lookup', ids(1), { version: '1' }), 'version-unavailable');
      const accepted = await acme.infer('lookup', ids(4), { headers: { prefer: 'respond-async' } });
      expect([accepted.status, degradation(accepted)]).toEqual([202, 'breaker-open']);
      const result = await acme.result(accepted.header('location')!);
      expect([result.status, degradation(result), result.header('sluice-variant')]).toEqual([
        200,
        'breaker-open',
        'lookup-small',
      ]);
      expect(firstOutput(result)).toEqual([16]);
    });
  });

  describe('a model whose runners are killed over and over', () => {
    function runners(): number[] {
      return descendantsOf(process.pid).filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('runner.ts');
        } catch {
          return false;
        }
      });
    }

    function killRunners(): void {
      for (const pid of runners()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone already.
        }
      }
    }

    test('is answered for all along, marked, and answers itself once that is over', async () => {
      expect(firstOutput(await acme.infer('lookup-killed', ids(0)))).toEqual([1]);
      const killer = setInterval(killRunners, 25);
      const answers: Answer[] = [];
      const untilMs = performance.now() + 2000;
      try {
        // Inputs of their own: those that crashed the model are quarantined for a day.
        for (let id = 0; performance.now() < untilMs; id += 1) {
          answers.push(await acme.infer('lookup-killed', ids(...Array.from(String(id), Number))));
        }
      } finally {
        clearInterval(killer);
      }
      for (const [id, answer] of answers.entries()) {
        expect(answer.status, answer.text).toBe(200);
        const reason = degradation(answer);
        const sum = Array.from(String(id), Number).reduce((total, digit) => total + 2 ** digit, 0);
        if (reason === undefined) expect(firstOutput(answer)).toEqual([sum]);
        else expect([DEGRADATIONS.includes(reason as never), firstOutput(answer)]).toEqual([true, [NO_ANSWER]]);
      }
      const marked = answers.map(degradation);
      expect(marked).toContain('failed');
      expect(marked).toContain('breaker-open');
      await vi.waitFor(
        async () => {
          const again = await acme.infer('lookup-killed', ids(9, 9));
          expect([degradation(again), firstOutput(again)]).toEqual([undefined, [1024]]);
        },
        // Loading is not tried again for 5 s after it failed; the breaker waits a second after each failed probe.
        { timeout: 15_000, interval: 100 },
      );
    }, 30_000);
  });

  describe('a model that has not answered in time', () => {
    test('is answered for while it loads, and when it is slow; what it no longer needs is not run', async () => {
      const rounds = (count: number) => acme.infer('slow-guarded', int64s('rounds', count));
      await vi.waitFor(async () => expect(degradation(await rounds(1))).toBeUndefined(), { timeout: 5000 });
      await vi.waitFor(async () => expect((await report()).loaded).toContain('slow-guarded@1'));
      await setTimeout(60);
      // About a second.
      const slow = await rounds(1500);
      expect([slow.status, degradation(slow), firstOutput(slow)]).toEqual([200, 'slow', [NO_ANSWER]]);
      await vi.waitFor(
        async () => {
          const usage = await acme.get('/control/v1/tenants/acme/usage');
          expect(usage.json<{ in_flight: number }>().in_flight).toBe(0);
        },
        { timeout: 10_000, interval: 100 },
      );
    }, 20_000);
  });
}
