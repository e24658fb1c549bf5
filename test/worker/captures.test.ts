import { describe, expect, test } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import { DAY_MS, MIB } from '../../core/units.ts';
import { CaptureWriter } from '../../gpu-worker/capture-writer.ts';
import { Ledger } from '../../gpu-worker/ledger.ts';
import { aJob, aVersion, floats } from '../support/jobs.ts';
import { WorkerWorld } from '../support/worker-ports.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

const UNTIL_MS = 30 * DAY_MS;

function anOutcome(changes: Partial<Succeeded> = {}): Succeeded {
  const measures = { computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs: 5 };
  return { kind: 'succeeded', version: '1', outputs: [floats('y', [1, 1], [2])], ...measures, ...changes };
}

describe('a worker', () => {
  test('captures the predictions that are to be kept, and no other, with what went in and came out', async () => {
    const { world, runners } = await startFakeWorker();
    runners.onRun = (_, inputs) => ((inputs[0]!.data as Float32Array).includes(3) ? 'refuses' : 'answers');
    const kept = rowJob(1, { captureUntilMs: UNTIL_MS });
    const failing = rowJob(3, { captureUntilMs: UNTIL_MS });
    const outcomes = await Promise.all([kept, rowJob(2), failing].map((job) => world.send(job)));
    expect(outcomes.map(resultOf)).toEqual([[2], [3], 'prediction-failed']);
    await expect.poll(() => world.captured.length).toBe(1);
    const atMs = (outcomes[0] as Succeeded).endedAtMs;
    const { id, tenant, inputs } = kept;
    const outputs = [floats('y', [1, 1], [2])];
    expect(world.captured).toEqual([
      { id, tenant, model: 'm', version: '1', atMs, inputs, outputs, expiresAtMs: UNTIL_MS },
    ]);
  });

  test('says of a prediction that ran on another version than was chosen which one that was', async () => {
    const { world, runners } = await startFakeWorker({}, (world) => {
      world.add(aVersion(), 'stable.onnx');
      world.add(aVersion({ version: '2' }), 'candidate.onnx');
    });
    runners.onRun = (path) => (path === 'candidate.onnx' ? 'crashes' : 'answers');
    await world.send(rowJob(1, { version: '2', captureUntilMs: UNTIL_MS }));
    await expect.poll(() => world.captured.map(({ version }) => version)).toEqual(['1']);
  });

  test('has written what it took when it is drained', async () => {
    const { world, worker } = await startFakeWorker();
    const jobs = Array.from({ length: 20 }, (_, at) => rowJob(at, { captureUntilMs: UNTIL_MS }));
    await Promise.all(jobs.map((job) => world.send(job)));
    await worker.drain(world.clock.nowMs() + 1000);
    expect(world.captured.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
  });

  test.each([
    ['at once', (first: boolean) => first],
    ['later', async (first: boolean) => first],
  ])('captures nothing of a job that had ended otherwise, known %s', async (_, answer) => {
    const world = new WorkerWorld();
    const ports = world.ports();
    const offered: string[] = [];
    const ledger = new Ledger(
      { ...ports, jobs: { ...ports.jobs, finish: (job: Job) => answer(job.id === 'first') } },
      { offer: ({ id }) => offered.push(id) },
      { offer: () => {}, drop: () => {} },
      { used: () => {} },
    );
    const endings = ['first', 'cancelled'].map((id) => {
      const job = aJob({ id, captureUntilMs: UNTIL_MS });
      return { work: { job, delivery: { job, receipt: id, receiveCount: 1 } }, outcome: anOutcome() };
    });
    await ledger.end(endings);
    expect(offered).toEqual(['first']);
  });
});

describe('capturing', () => {
  const keep = (writer: CaptureWriter, job: Job) => writer.offer(job, anOutcome(), UNTIL_MS);

  test('asks for consent again before it writes: what was withdrawn since is not kept', async () => {
    const world = new WorkerWorld();
    const writer = new CaptureWriter(world.ports());
    keep(writer, rowJob(1, { tenant: 'acme' }));
    keep(writer, rowJob(2, { tenant: 'globex' }));
    world.withdrawn.add('acme');
    await writer.drain();
    expect(world.captured.map(({ tenant }) => tenant)).toEqual(['globex']);
  });

  test('that fails is told in the log once, with the count and without the payload, and goes on', async () => {
    const world = new WorkerWorld();
    const ports = world.ports();
    let fails = true;
    const captures = {
      ...ports.captures,
      async write(capture: Parameters<typeof ports.captures.write>[0]) {
        if (fails) throw new Error('no space left for 98765.25');
        await ports.captures.write(capture);
      },
    };
    const writer = new CaptureWriter({ ...ports, captures });
    for (let at = 0; at < 100; at += 1) keep(writer, rowJob(98_765.25));
    await writer.drain();
    fails = false;
    keep(writer, rowJob(1));
    await writer.drain();
    expect(world.captured).toHaveLength(1);
    const told = world.log.filter(({ message }) => message === 'predictions not captured');
    expect(told.reduce((sum, { fields }) => sum + Number(fields?.captures), 0)).toBe(100);
    // The first at once, the rest when it was drained.
    expect(told).toHaveLength(2);
    expect(JSON.stringify(told.map(({ fields }) => fields))).not.toContain('98765');
  });

  test('holds 256 predictions or 64 MiB that wait, and loses what comes beyond them', async () => {
    const world = new WorkerWorld();
    const ports = world.ports();
    const writer = new CaptureWriter(ports);
    for (let at = 0; at < 257; at += 1) keep(writer, rowJob(at));
    await writer.drain();
    expect(world.captured).toHaveLength(256);
    expect(world.log.map(({ fields }) => fields?.captures)).toEqual([1]);
    const large = floats('x', [8 * MIB], []);
    const half = new CaptureWriter(ports);
    // Two of 32 MiB would fit if it were not for the few bytes of their outputs.
    for (const inputs of [[large], [large], [floats('x', [1], [1])]]) keep(half, aJob({ inputs }));
    await half.drain();
    expect(world.captured).toHaveLength(258);
  });
});
