import { describe, expect, test } from 'vitest';
import { aVersion } from '../support/jobs.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

const MODELS = ['a', 'b', 'c', 'd'];

describe('a pool of runners', () => {
  test('starts one process and preloads what it is told to', async () => {
    const { runners, world } = await startFakeWorker({ runners: 2, preload: ['m', 'not-there'] });
    expect(runners.runners.length).toBe(1);
    expect(runners.loads).toEqual([{ path: 'm.onnx', runner: 0 }]);
    expect(world.reports.at(-1)?.loaded).toEqual(['m@1']);
  });

  test('does not load a model twice for requests that come one by one', async () => {
    const { runners, world } = await startFakeWorker({ runners: 2 });
    for (let at = 0; at < 50; at += 1) await world.send(rowJob(at));
    expect(runners.loads.length).toBe(1);
    expect(runners.runners.length).toBe(1);
  });

  test('serves one model from every runner under load', async () => {
    const { runners, world } = await startFakeWorker({ runners: 2 });
    // Rows cost, so that two runners are faster than one larger batch.
    runners.runMs = (inputs) => inputs[0]!.data.length;
    const endMs = world.clock.nowMs() + 1000;
    const clients = Array.from({ length: 16 }, async (_, at) => {
      while (world.clock.nowMs() < endMs) await world.send(rowJob(at));
    });
    await Promise.all(clients);
    expect(new Set(runners.runs.slice(-20).map(({ runner }) => runner))).toEqual(new Set([0, 1]));
  });

  test('keeps within its memory, ending the process with the models used longest ago', async () => {
    const { runners, world } = await startFakeWorker(
      { runners: 2, memoryLimitBytes: 400_000_000 },
      (world, runners) => {
        for (const model of MODELS) world.add(aVersion({ model, memoryBytes: 100_000_000 }), model);
        runners.residentBytes = (paths) => 90_000_000 + 100_000_000 * paths.length;
      },
    );
    for (const model of [...MODELS, ...MODELS, 'a']) {
      expect(resultOf(await world.send(rowJob(1, { model })))).toEqual([2]);
      const alive = runners.runners.filter((runner) => runner.alive());
      expect(alive.reduce((sum, runner) => sum + runner.residentBytes(), 0)).toBeLessThanOrEqual(400_000_000);
    }
    expect(world.log.some(({ message }) => message === 'models evicted')).toBe(true);
  });

  test('replaces a runner that was killed from outside, and loses no job', async () => {
    const { runners, world } = await startFakeWorker();
    await world.send(rowJob(1));
    runners.runners[0]!.kill();
    expect(resultOf(await world.send(rowJob(1)))).toEqual([2]);
    runners.runMs = () => 50;
    const running = world.send(rowJob(3));
    await expect.poll(() => runners.runs.length).toBe(3);
    runners.runners[1]!.kill();
    expect(resultOf(await running)).toEqual([4]);
  });
});

describe('a drain', () => {
  test('finishes what runs, hands back what has not started, and ends the runners', async () => {
    const { runners, world, worker } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ rowMs: 30, manifest: { batching: { maxRows: 1 } } }), 'm.onnx'),
    );
    runners.runMs = () => 60;
    const jobs = Array.from({ length: 10 }, (_, at) => rowJob(at, { durable: true }));
    for (const job of jobs) void world.send(job);
    await expect.poll(() => runners.runs.length).toBe(1);
    await worker.drain(world.clock.nowMs() + 5000);
    expect(world.outcomes.size).toBe(1);
    expect(new Set([...world.outcomes.keys(), ...world.returned])).toEqual(new Set(jobs.map(({ id }) => id)));
    expect(world.reports.at(-1)?.draining).toBe(true);
    expect(runners.runners.every((runner) => !runner.alive())).toBe(true);
  });

  test('does not wait beyond its deadline: what still runs is handed back', async () => {
    const { runners, world, worker } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ manifest: { timeoutMs: 60_000 } }), 'm.onnx'),
    );
    runners.onRun = () => 'hangs';
    const job = rowJob(1, { durable: true });
    void world.send(job);
    await expect.poll(() => runners.runs.length).toBe(1);
    await worker.drain(world.clock.nowMs() + 50);
    expect(world.returned).toEqual([job.id]);
    await world.clock.sleep(100);
    expect(world.outcomes.size).toBe(0);
    expect(world.quarantined).toEqual([]);
    expect(runners.runners.map((runner) => runner.alive())).toEqual([false]);
  });
});
