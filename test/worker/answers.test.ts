import { describe, expect, test } from 'vitest';
import { aJob, aVersion, floats } from '../support/jobs.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

function rowsOf(at: number): number[] {
  return [at, at + 0.25, at + 0.5].slice(0, 1 + (at % 3));
}

describe('a worker', () => {
  test('gives every job its own rows, out of runs that many tenants share', async () => {
    const { world, runners } = await startFakeWorker();
    const jobs = Array.from({ length: 300 }, (_, at) =>
      aJob({ tenant: `t${at % 7}`, inputs: [floats('x', [1 + (at % 3), 1], rowsOf(at))] }),
    );
    const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
    for (const [at, outcome] of outcomes.entries()) {
      expect(resultOf(outcome)).toEqual(rowsOf(at).map((value) => value + 1));
    }
    expect(runners.runs.length).toBeLessThan(jobs.length / 2);
  });

  test('says of each answer which version made it, in how large a run, how long it waited and what it cost', async () => {
    const { world, runners } = await startFakeWorker();
    runners.runMs = () => 4;
    await world.send(rowJob(0));
    const outcomes = await Promise.all([1, 2, 3, 4].map((value) => world.send(rowJob(value))));
    let computeMs = 0;
    for (const outcome of outcomes) {
      if (outcome.kind === 'failed') throw new Error(outcome.code);
      expect(outcome.version).toBe('1');
      expect(outcome.queueMs).toBeGreaterThanOrEqual(0);
      computeMs += outcome.computeMs / outcome.batchRows;
    }
    // Each run costs 4 ms, shared by its rows: over all answers, the rows' shares are 4 ms a run.
    const sizes = outcomes.map((outcome) => (outcome.kind === 'failed' ? 0 : outcome.batchRows));
    expect(computeMs).toBeCloseTo(
      sizes.reduce((sum, size) => sum + 4 / (size * size), 0),
      6,
    );
  });

  test('acknowledges each job once and settles it once, with what it used', async () => {
    const { world } = await startFakeWorker();
    const jobs = Array.from({ length: 50 }, (_, at) => rowJob(at));
    const outcomes = await Promise.all(jobs.map((job) => world.send(job)));
    await expect.poll(() => world.acknowledged.length).toBe(jobs.length);
    expect(new Set(world.acknowledged)).toEqual(new Set(jobs.map(({ id }) => id)));
    for (const [at, { id }] of jobs.entries()) expect(world.settled.get(id)).toEqual([outcomes[at]!.computeMs]);
  });

  test('does not run what was cancelled or has expired', async () => {
    const { world, runners } = await startFakeWorker({}, (world) => {
      world.add(aVersion(), 'm.onnx');
    });
    const nowMs = world.clock.nowMs();
    const cancelled = rowJob(1);
    world.cancelled.add(cancelled.id);
    void world.send(cancelled);
    const expired = world.send(rowJob(2, { deadlineMs: nowMs - 1500 }));
    const tolerated = world.send(rowJob(3, { deadlineMs: nowMs - 10 }));
    expect(resultOf(await expired)).toBe('prediction-expired');
    expect(resultOf(await tolerated)).toEqual([4]);
    await expect.poll(() => world.acknowledged.length).toBe(3);
    expect(runners.runs.flatMap(({ inputs }) => Array.from(inputs[0]!.data as Float32Array))).toEqual([3]);
    expect(world.outcomes.has(cancelled.id)).toBe(false);
    expect(world.settled.get(cancelled.id)).toEqual([0]);
  });

  test('never lets tenants share a run of a model whose answers depend on batch-mates', async () => {
    const { world, runners } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ manifest: { batching: { batchMateDependent: true } } }), 'm.onnx'),
    );
    runners.runMs = () => 2;
    const jobs = Array.from({ length: 60 }, (_, at) => rowJob(at % 3, { tenant: `t${at % 3}` }));
    await Promise.all(jobs.map((job) => world.send(job)));
    for (const { inputs } of runners.runs) {
      expect(new Set(inputs[0]!.data as Float32Array).size).toBe(1);
    }
    expect(runners.runs.length).toBeLessThan(60);
  });

  test('runs requests one by one if a model returns other rows than it was given', async () => {
    const { world, runners } = await startFakeWorker();
    runners.compute = (inputs) => [
      { name: 'y', datatype: 'FP32', shape: [1, 1], data: Float32Array.of(inputs[0]!.data.length) },
    ];
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map((value) => world.send(rowJob(value))));
    expect(outcomes.map(resultOf)).toEqual([[1], [1], [1], [1], [1]]);
    const runsBefore = runners.runs.length;
    await Promise.all([1, 2, 3].map((value) => world.send(rowJob(value))));
    expect(runners.runs.length - runsBefore).toBe(3);
  });

  test('gives up a durable job that was started five times without an end', async () => {
    const { world, runners } = await startFakeWorker();
    const durable = rowJob(1, { durable: true });
    const other = rowJob(2, { durable: true });
    world.attempts.set(durable.id, 5);
    world.attempts.set(other.id, 4);
    expect(resultOf(await world.send(durable))).toBe('prediction-failed');
    expect(resultOf(await world.send(other))).toEqual([3]);
    expect(runners.runs.length).toBe(1);
  });
});

describe('a worker takes from its queue', () => {
  test('no more than two seconds of work ahead', async () => {
    const { world, runners } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ rowMs: 100, manifest: { timeoutMs: 60_000 } }), 'm.onnx'),
    );
    runners.onRun = () => 'hangs';
    for (let at = 0; at < 100; at += 1) {
      void world.send(rowJob(at));
      void world.send(rowJob(at, { lane: 'bulk' }));
    }
    await expect.poll(() => runners.runs.length).toBe(1);
    await expect.poll(() => world.reports.at(-1)?.backlogMs ?? 0).toBeGreaterThan(0);
    expect(world.reports.at(-1)!.backlogMs).toBeLessThanOrEqual(2000);
  });

  test('bulk work, which waits for interactive work and is done beside it', async () => {
    const { world, runners } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ manifest: { batching: { maxRows: 4 } } }), 'm.onnx'),
    );
    runners.runMs = () => 1;
    const bulk = Array.from({ length: 40 }, (_, at) => world.send(rowJob(at, { lane: 'bulk', tenant: 'batch' })));
    const interactive = Array.from({ length: 200 }, (_, at) => world.send(rowJob(at)));
    const all = await Promise.all([...interactive, ...bulk]);
    expect(all.every(({ kind }) => kind === 'succeeded')).toBe(true);
  });

  test('and reports backlog, rows and what is loaded, more than once', async () => {
    const { world } = await startFakeWorker();
    await world.send(rowJob(1));
    await world.send(rowJob(1));
    await expect.poll(() => world.reports.at(-1)?.loaded).toEqual(['m@1']);
    const report = world.reports.at(-1)!;
    expect(report).toMatchObject({ worker: 'w1', pool: 'default', runners: 1, draining: false });
    expect(report.rowMs['m@1']).toBeGreaterThan(0);
  });
});
