import { describe, expect, test, vi } from 'vitest';
import type { Job } from '../../core/inference/job.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import { Ledger } from '../../gpu-worker/ledger.ts';
import { aJob, aVersion, floats, ROW_SIGNATURE } from '../support/jobs.ts';
import { WorkerWorld } from '../support/worker-ports.ts';
import { rowJob, startFakeWorker } from '../support/worker-setup.ts';

const KILLER = 999;
const BAD = 777;

const holds = (inputs: readonly Tensor[], value: number) => Array.from(inputs[0]!.data as Float32Array).includes(value);

/** Once so many jobs are acknowledged. */
async function seen(world: WorkerWorld, acknowledged: number, version = '1') {
  await vi.waitFor(() => expect(world.acknowledged).toHaveLength(acknowledged));
  await world.recorder.flush();
  return world.telemetry.read('m', version, 0, Number.MAX_SAFE_INTEGER);
}

const NO_SHADOWS = { offer: () => {}, drop: () => {} };
const NO_METER = { used: () => {} };

describe('a worker counts', () => {
  test('each job that it ended and each run, and what failed by code', async () => {
    const { world, runners } = await startFakeWorker();
    runners.onRun = (_, inputs) => (holds(inputs, BAD) ? 'refuses' : 'answers');
    const jobs = Array.from({ length: 20 }, (_, at) => rowJob(at === 3 ? BAD : at, { tenant: `t${at % 2}` }));
    await Promise.all(jobs.map((job) => world.send(job)));
    const { requests, rows, errors, tenants, batchRows, crashes, labels } = await seen(world, 20);
    expect([requests, rows, batchRows.sum, crashes, labels.total]).toEqual([20, 19, 19, 0, 0]);
    expect([...errors]).toEqual([['prediction-failed', 1]]);
    expect(tenants.contents().counts.sort()).toEqual([
      ['t0', 10],
      ['t1', 10],
    ]);
  });

  test('the label of every row of a batch, each for its own job', async () => {
    const outputs = [
      { name: 'label', datatype: 'INT64' as const, shape: ['batch'] },
      { name: 'probabilities', datatype: 'FP32' as const, shape: ['batch', 2] },
    ];
    const { world, runners } = await startFakeWorker({}, (world) =>
      world.add(aVersion({ signature: { ...ROW_SIGNATURE, outputs } }), 'm.onnx'),
    );
    runners.compute = ([x]) => {
      const values = Array.from(x!.data as Float32Array);
      return [
        { name: 'label', datatype: 'INT64', shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) },
        floats(
          'probabilities',
          [values.length, 2],
          values.flatMap((value) => [value / 10, 0]),
        ),
      ];
    };
    const jobs = [1, 2, 2, 3].map((value) => rowJob(value));
    const two = aJob({ inputs: [floats('x', [2, 1], [5, 6])], outputs: ['probabilities'] });
    await Promise.all([...jobs, two].map((job) => world.send(job)));
    const { labels, confidence } = await seen(world, 5);
    expect(labels.contents().counts.sort()).toEqual([
      ['1', 1],
      ['2', 2],
      ['3', 1],
      ['5', 1],
      ['6', 1],
    ]);
    expect([confidence.count, confidence.bins[2], confidence.bins[4]]).toEqual([6, 1, 2]);
  });

  test('a crash for the version that ran, and its request as an error of the version that was assigned', async () => {
    const { world, runners } = await startFakeWorker({}, (world) => {
      world.add(aVersion(), 'stable.onnx');
      world.add(aVersion({ version: '2' }), 'candidate.onnx');
    });
    runners.onRun = (path, inputs) => (path === 'candidate.onnx' && holds(inputs, KILLER) ? 'crashes' : 'answers');
    expect(await world.send(rowJob(KILLER, { version: '2' }))).toMatchObject({ kind: 'succeeded', version: '1' });
    const [stable, candidate] = [await seen(world, 1), await seen(world, 1, '2')];
    expect([candidate.requests, candidate.crashes, candidate.rows, [...candidate.errors]]).toEqual([
      1,
      2,
      0,
      [['runner-crashed', 1]],
    ]);
    expect([stable.requests, stable.crashes, stable.rows, stable.errors.size, stable.batchRows.count]).toEqual([
      0, 0, 1, 0, 1,
    ]);
  });

  test.each([
    ['at once', (first: boolean) => first],
    ['later', async (first: boolean) => first],
  ])('nothing of a job that had ended otherwise, known %s', async (_, answer) => {
    const world = new WorkerWorld();
    const ports = world.ports();
    const jobs = { ...ports.jobs, finish: (job: Job) => answer(job.id === 'first') };
    const ledger = new Ledger({ ...ports, jobs }, { offer: () => {} }, NO_SHADOWS, NO_METER);
    const works = ['first', 'cancelled', 'first again'].map((id) => {
      const job = aJob({ id });
      return { job, delivery: { job, receipt: id, receiveCount: 1 } };
    });
    const outcome = { kind: 'failed', code: 'prediction-failed', facts: {}, computeMs: 1, endedAtMs: 1 } as const;
    await ledger.end(works.map((work) => ({ work, outcome })));
    expect((await seen(world, 3)).requests).toBe(1);
  });

  test('nothing twice of a job whose outcome could not be written and that came again', async () => {
    const world = new WorkerWorld();
    const ports = world.ports();
    let fails = true;
    const jobs = {
      ...ports.jobs,
      async finish() {
        if (fails) throw new Error('the disk is full');
        return true;
      },
    };
    const ledger = new Ledger({ ...ports, jobs }, { offer: () => {} }, NO_SHADOWS, NO_METER);
    const job = aJob();
    const work = { job, delivery: { job, receipt: '1', receiveCount: 1 } };
    const outcome = { kind: 'failed', code: 'prediction-failed', facts: {}, computeMs: 1, endedAtMs: 1 } as const;
    await ledger.end([{ work, outcome }]);
    expect((await seen(world, 0)).requests).toBe(0);
    fails = false;
    await ledger.end([{ work, outcome }]);
    expect((await seen(world, 1)).requests).toBe(1);
  });
});
