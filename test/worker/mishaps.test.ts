import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import { manifestSchema } from '../../core/models/manifest.ts';
import { aVersion } from '../support/jobs.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

const BAD = 98765.25;
const KILLER = 999;
const ENDLESS = 777;
const NEVER_OPENS = { ...manifestSchema.parse({ name: 'm' }).breaker, errorShare: 1 };

function holds(inputs: readonly Tensor[], value: number): boolean {
  return Array.from(inputs[0]!.data as Float32Array).includes(value);
}

describe('one bad input', () => {
  test('that the model refuses fails alone, and says nothing of the payload', async () => {
    const { world, runners } = await startFakeWorker();
    runners.onRun = (_, inputs) => (holds(inputs, BAD) ? 'refuses' : 'answers');
    const jobs = Array.from({ length: 40 }, (_, at) => rowJob(at === 17 ? BAD : at, { tenant: `t${at % 4}` }));
    const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
    for (const [at, outcome] of outcomes.entries()) {
      expect(resultOf(outcome)).toEqual(at === 17 ? 'prediction-failed' : [at + 1]);
    }
    expect(JSON.stringify([outcomes[17], world.log])).not.toContain('98765');
  });

  test('that kills runners fails alone, and is quarantined when it has killed two by itself', async () => {
    const { world, runners } = await startFakeWorker();
    runners.onRun = (_, inputs) => (holds(inputs, KILLER) ? 'crashes' : 'answers');
    const jobs = Array.from({ length: 12 }, (_, at) => rowJob(at === 5 ? KILLER : at, { tenant: `t${at}` }));
    const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
    for (const [at, outcome] of outcomes.entries()) {
      expect(resultOf(outcome)).toEqual(at === 5 ? 'runner-crashed' : [at + 1]);
    }
    expect(world.quarantined.map(({ tenant, reason }) => [tenant, reason])).toEqual([['t5', 'runner-crashed']]);
    expect(runners.runs.filter(({ inputs }) => inputs[0]!.data.length === 1 && holds(inputs, KILLER)).length).toBe(2);
  });

  test('that kills a candidate runs on the stable version instead, and is not quarantined', async () => {
    const { world, runners } = await startFakeWorker({}, (world) => {
      world.add(aVersion(), 'stable.onnx');
      world.add(aVersion({ version: '2' }), 'candidate.onnx');
    });
    runners.onRun = (path) => (path === 'candidate.onnx' ? 'crashes' : 'answers');
    const outcome = await world.send(rowJob(1, { version: '2' }));
    expect(outcome).toMatchObject({ kind: 'succeeded', version: '1' });
    const named = await world.send(rowJob(1, { version: '2', versionNamed: true }));
    expect(resultOf(named)).toBe('runner-crashed');
    expect(world.quarantined).toEqual([]);
  });

  test('that never ends is stopped at the model limit, and its neighbours are answered', async () => {
    const { world, runners } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ manifest: { timeoutMs: 100 } }), 'm.onnx'),
    );
    runners.onRun = (_, inputs) => (holds(inputs, ENDLESS) ? 'hangs' : 'answers');
    const jobs = Array.from({ length: 6 }, (_, at) => rowJob(at === 2 ? ENDLESS : at));
    const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
    for (const [at, outcome] of outcomes.entries()) {
      expect(resultOf(outcome)).toEqual(at === 2 ? 'prediction-timeout' : [at + 1]);
    }
    expect(world.quarantined).toEqual([]);
  });

  test('is charged what it cost, and its neighbours only their own run', async () => {
    const { world, runners } = await startFakeWorker();
    runners.runMs = () => 3;
    runners.onRun = (_, inputs) => (holds(inputs, BAD) ? 'refuses' : 'answers');
    await world.send(rowJob(0));
    const jobs = [rowJob(1), rowJob(2), rowJob(3), rowJob(BAD)];
    await Promise.all(jobs.map((job) => world.send(job)));
    const usedMs = jobs.map(({ id }) => world.settled.get(id)![0]!);
    for (const ms of usedMs.slice(0, 3)) expect(ms).toBeLessThanOrEqual(3);
    expect(usedMs[3]).toBeGreaterThanOrEqual(6);
  });
});

test('every job ends exactly once, whatever mixture of bad inputs arrives', async () => {
  const kinds = fc.constantFrom(BAD, KILLER, 1, 2, 3, 4, 5);
  await fc.assert(
    fc.asyncProperty(
      fc.array(kinds, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (values, runnerCount) => {
        const { world, runners, worker } = await startFakeWorker({ runners: runnerCount }, (world) =>
          world.add(aVersion({ manifest: { breaker: NEVER_OPENS } }), 'm.onnx'),
        );
        runners.onRun = (_, inputs) => {
          if (holds(inputs, KILLER)) return 'crashes';
          return holds(inputs, BAD) ? 'refuses' : 'answers';
        };
        const jobs = values.map((value, at) => rowJob(value, { tenant: `t${at % 3}` }));
        const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
        for (const [at, outcome] of outcomes.entries()) {
          const value = values[at]!;
          const expected = value === BAD ? 'prediction-failed' : value === KILLER ? 'runner-crashed' : [value + 1];
          expect(resultOf(outcome)).toEqual(expected);
        }
        await worker.drain(world.clock.nowMs() + 1000);
        expect([...world.acknowledged].sort()).toEqual(jobs.map(({ id }) => id).sort());
        for (const { id } of jobs) expect(world.settled.get(id)?.length).toBe(1);
        expect(runners.runners.every((runner) => !runner.alive())).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});

describe('a model that cannot be loaded', () => {
  test('fails its own jobs and nobody else’s', async () => {
    const { world, runners } = await startFakeWorker({}, (world) => {
      world.add(aVersion(), 'm.onnx');
      for (const model of ['refused', 'crashing']) world.add(aVersion({ model }), `${model}.onnx`);
    });
    runners.onLoad = (path) => (path === 'refused.onnx' ? 'refuses' : path === 'crashing.onnx' ? 'crashes' : 'answers');
    const send = (model: string) => world.send(rowJob(1, { model }));
    const outcomes = await Promise.all([send('refused'), send('m'), send('crashing'), send('m'), send('refused')]);
    expect(outcomes.map(resultOf)).toEqual(['model-load-failed', [2], 'model-load-failed', [2], 'model-load-failed']);
  });

  test('is answered with the reason if its file or record is gone', async () => {
    const { world } = await startFakeWorker({}, (world) => {
      const version = aVersion();
      world.add(version, 'm.onnx');
      world.losePath(version);
    });
    expect(resultOf(await world.send(rowJob(1)))).toBe('artifact-missing');
    expect(resultOf(await world.send(rowJob(1, { model: 'never-pushed' })))).toBe('version-unknown');
  });
});
