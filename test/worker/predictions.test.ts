import { describe, expect, test, vi } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import { MOST_KEPT_ROWS } from '../../core/quality/feedback/limits.ts';
import { DAY_MS } from '../../core/units.ts';
import { PredictionWriter } from '../../gpu-worker/prediction-writer.ts';
import { aJob, aVersion, floats, ROW_SIGNATURE } from '../support/jobs.ts';
import { WorkerWorld } from '../support/worker-ports.ts';
import { rowJob, startFakeWorker } from '../support/worker-setup.ts';

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

const OUTPUTS = [
  { name: 'label', datatype: 'INT64' as const, shape: ['batch'] },
  { name: 'probabilities', datatype: 'FP32' as const, shape: ['batch', 2] },
];
const feedback = { days: 3 };

function classifier(changes: { version?: string; keeps?: boolean } = {}): ModelVersion {
  const { keeps = true, ...version } = changes;
  return aVersion({
    ...version,
    signature: { ...ROW_SIGNATURE, outputs: OUTPUTS },
    manifest: keeps ? { feedback } : {},
  });
}

/** Its label is the row's value, and its confidence a tenth of that. */
async function startClassifier(prepare: (world: WorkerWorld) => void = (world) => world.add(classifier(), 'm.onnx')) {
  const setup = await startFakeWorker({}, prepare);
  setup.runners.compute = ([x]) => {
    const values = Array.from(x!.data as Float32Array);
    const label = BigInt64Array.from(values.map(BigInt));
    const shares = values.flatMap((value) => [value / 10, 0]);
    return [
      { name: 'label', datatype: 'INT64', shape: [values.length], data: label },
      floats('probabilities', [values.length, 2], shares),
    ];
  };
  return setup;
}

describe('a worker', () => {
  test('keeps what was answered to every row, each for its own prediction, for as long as the manifest says', async () => {
    const { world } = await startClassifier();
    const lot = { release: 'r1', cohort: 3, unit: 77 };
    const jobs = [
      rowJob(1, { lot, principal: 'user:ann' }),
      rowJob(2, { tenant: 'globex' }),
      // Though it did not ask for its label.
      aJob({ inputs: [floats('x', [2, 1], [5, 6])], outputs: ['probabilities'] }),
    ];
    const outcomes = (await Promise.all(jobs.map((job) => world.send(job)))) as Succeeded[];
    await vi.waitFor(() => expect(world.kept).toHaveLength(3));
    const rows = [[1], [2], [5, 6]].map((values) =>
      values.map((value) => ({ label: String(value), confidence: expect.closeTo(value / 10, 5) })),
    );
    for (const [at, { id, tenant, principal }] of jobs.entries()) {
      const atMs = outcomes[at]!.endedAtMs;
      expect(world.kept.find((kept) => kept.id === id)).toEqual({
        ...{ tenant, id, principal, model: 'm', version: '1', rows: rows[at] },
        ...{ lot: at === 0 ? lot : undefined, atMs, expiresAtMs: atMs + 3 * DAY_MS },
      });
    }
  });

  test('keeps nothing of models that ask for none, of what failed, or of more rows than there is room for', async () => {
    const { world, runners } = await startClassifier((world) => {
      world.add(classifier(), 'm.onnx');
      world.add(classifier({ version: '2', keeps: false }), 'forgets.onnx');
    });
    runners.onRun = (_, inputs) => ((inputs[0]!.data as Float32Array).includes(9) ? 'refuses' : 'answers');
    const many = (rows: number) => aJob({ inputs: [floats('x', [rows, 1], [])] });
    const jobs = [rowJob(1, { version: '2', versionNamed: true }), rowJob(9), many(MOST_KEPT_ROWS + 1)];
    await Promise.all(jobs.map((job) => world.send(job)));
    const most = many(MOST_KEPT_ROWS);
    await world.send(most);
    await vi.waitFor(() => expect(world.kept.map(({ id }) => id)).toEqual([most.id]));
  });

  test('says which version answered, and nothing of a lot that drew another', async () => {
    const { world, runners } = await startClassifier((world) => {
      world.add(classifier(), 'stable.onnx');
      world.add(classifier({ version: '2' }), 'candidate.onnx');
    });
    runners.onRun = (path) => (path === 'candidate.onnx' ? 'crashes' : 'answers');
    await world.send(rowJob(1, { version: '2', lot: { release: 'r1', cohort: 3, unit: 77 } }));
    await vi.waitFor(() => expect(world.kept).toMatchObject([{ version: '1', lot: undefined }]));
  });

  test('has written what it took when it is drained', async () => {
    const { world, worker } = await startClassifier();
    const jobs = Array.from({ length: 150 }, (_, at) => rowJob(at % 10));
    await Promise.all(jobs.map((job) => world.send(job)));
    await worker.drain(world.clock.nowMs() + 1000);
    expect(world.kept.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
  });
});

describe('keeping predictions', () => {
  const version = classifier();
  const shelf = { known: () => ({ record: version }) } as unknown as ConstructorParameters<typeof PredictionWriter>[1];
  const run = { labelAt: () => 'chest-pain', confidenceAt: () => 0.5 };
  const measures = { computeMs: 1, queueMs: 0, batchRows: 1, endedAtMs: 5 };
  const outcome: Succeeded = { kind: 'succeeded', version: '1', outputs: [], ...measures };
  const keep = (writer: PredictionWriter, job: Job) => writer.offer(job, outcome, { run, firstRow: 0 });

  test('writes what comes within a moment together, at most a hundred at a time', async () => {
    const world = new WorkerWorld();
    const ports = world.ports();
    const batches: number[] = [];
    const feedbacks = { ...ports.feedbacks, keep: async (kept: readonly unknown[]) => void batches.push(kept.length) };
    const writer = new PredictionWriter({ ...ports, feedbacks }, shelf);
    for (let at = 0; at < 250; at += 1) keep(writer, aJob());
    await writer.drain();
    expect(batches).toEqual([100, 100, 50]);
  });

  test.each([
    ['4,096 predictions', 1, 4096],
    ['65,536 rows', MOST_KEPT_ROWS, 65_536 / MOST_KEPT_ROWS],
  ])('holds %s that wait, and loses what comes beyond them', async (_, rows, most) => {
    const world = new WorkerWorld();
    const writer = new PredictionWriter(world.ports(), shelf);
    for (let at = 0; at <= most; at += 1) keep(writer, aJob({ rows, inputs: [floats('x', [rows, 1], [])] }));
    await writer.drain();
    expect(world.kept).toHaveLength(most);
    const told = world.log.filter(({ message }) => message === 'predictions not kept for feedback');
    expect(told.map(({ fields }) => fields)).toEqual([{ predictions: 1 }]);
    keep(writer, aJob());
    await writer.drain();
    expect(world.kept).toHaveLength(most + 1);
  });

  test('that fails is told in the log once, with the count and without a label, and goes on', async () => {
    const world = new WorkerWorld();
    const ports = world.ports();
    let fails = true;
    const feedbacks: typeof ports.feedbacks = {
      ...ports.feedbacks,
      async keep(kept) {
        if (fails) throw new Error('no space left');
        await ports.feedbacks.keep(kept);
      },
    };
    const writer = new PredictionWriter({ ...ports, feedbacks }, shelf);
    for (let at = 0; at < 250; at += 1) keep(writer, aJob());
    await writer.drain();
    fails = false;
    keep(writer, aJob());
    await writer.drain();
    expect(world.kept).toHaveLength(1);
    const told = world.log.filter(({ message }) => message === 'predictions not kept for feedback');
    expect(told.reduce((sum, { fields }) => sum + Number(fields?.predictions), 0)).toBe(250);
    // The first at once, the rest when it was drained.
    expect(told).toHaveLength(2);
    expect(JSON.stringify(world.log)).not.toContain('chest-pain');
  });
});
