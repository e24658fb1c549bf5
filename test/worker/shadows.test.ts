import { describe, expect, test, vi } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import { aVersion, floats, ROW_SIGNATURE } from '../support/jobs.ts';
import type { WorkerWorld } from '../support/worker-ports.ts';
import { resultOf, rowJob, startFakeWorker, type WorkerSetup } from '../support/worker-setup.ts';

const KILLER = 999;
const ODD = 3;
const LOT = { release: 'rel_1.1', cohort: 7, unit: 77 };
const SHADOWED = { lot: LOT, shadowOn: '2' };
const CLASSIFIES = {
  ...ROW_SIGNATURE,
  outputs: [
    { name: 'label', datatype: 'INT64' as const, shape: ['batch'] },
    { name: 'y', datatype: 'FP32' as const, shape: ['batch', 1] },
  ],
};

type Shadowing = {
  readonly classifies?: boolean;
  readonly isWarm?: boolean;
  /** The stable version of the registry, which may have become the candidate meanwhile. */
  readonly stable?: '1' | '2';
  readonly tokenizers?: Readonly<Partial<Record<'1' | '2', string>>>;
};

/** Versions 1 and 2 answer the same, but for the row ODD, and the candidate is warm. */
async function shadowing(options: Shadowing = {}): Promise<WorkerSetup> {
  const { classifies = false, isWarm = true, stable = '1', tokenizers = {} } = options;
  const signature = classifies ? CLASSIFIES : ROW_SIGNATURE;
  const setup = await startFakeWorker({}, (world, runners) => {
    // One row a run: no copy comes along with others.
    const version = (version: '1' | '2') => ({
      ...aVersion({ version, signature, manifest: { batching: { maxRows: 1 } } }),
      ...(tokenizers[version] !== undefined && { tokenizerDigest: tokenizers[version] }),
    });
    const paths = { 1: 'stable.onnx', 2: 'candidate.onnx' };
    for (const each of stable === '1' ? (['1', '2'] as const) : (['2', '1'] as const))
      world.add(version(each), paths[each]);
    runners.onRun = (path, inputs) => (path === 'candidate.onnx' && holds(inputs, KILLER) ? 'crashes' : 'answers');
  });
  const { world, runners } = setup;
  runners.compute = ([x]) => answer(x!, classifies, runners.runs.at(-1)?.path === 'candidate.onnx');
  if (isWarm) await world.send(rowJob(0, { version: '2', versionNamed: true }));
  await world.send(rowJob(0));
  await vi.waitFor(() => expect(world.acknowledged.length).toBe(world.outcomes.size));
  return setup;
}

function answer(x: Tensor, classifies: boolean, isCandidate: boolean): Tensor[] {
  const values = Array.from(x.data as Float32Array).map((value) => (isCandidate && value === ODD ? value + 1 : value));
  // Scores of the candidate are others in any case.
  const y = floats('y', [values.length, 1], classifies && isCandidate ? values.map((value) => value + 0.5) : values);
  if (!classifies) return [y];
  return [
    { name: 'label', datatype: 'INT64', shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) },
    y,
  ];
}

const holds = (inputs: readonly Tensor[], value: number) => Array.from(inputs[0]!.data as Float32Array).includes(value);

/** Once so many copies were run and counted. */
async function shadowCounts(world: WorkerWorld, copies: number) {
  await vi.waitFor(() => expect(world.acknowledged.filter((id) => isCopy(world, id))).toHaveLength(copies));
  await world.recorder.flush();
  return world.telemetry.read('m', '2', 0, Number.MAX_SAFE_INTEGER, LOT.release);
}

const isCopy = ({ sent }: WorkerWorld, id: string) => sent.some((job) => job.id === id);

describe('a shadowed request', () => {
  test('is answered by stable, and counted as agreed or not once the candidate has answered a copy', async () => {
    const { world } = await shadowing();
    const outcomes = await Promise.all([1, 2, ODD, 4].map((value) => world.send(rowJob(value, SHADOWED))));
    expect(outcomes.map(resultOf)).toEqual([[1], [2], [ODD], [4]]);
    const { shadow, release } = await shadowCounts(world, 4);
    expect(shadow).toEqual({ compared: 4, agreed: 3, candidateFailed: 0 });
    const cohort = release!.cohorts.get(LOT.cohort)!;
    expect([cohort.requests, cohort.shadow, cohort.latencyMs.count]).toEqual([4, shadow, 0]);
  });

  test('of a version that classifies agrees by its labels, whatever the scores', async () => {
    const { world } = await shadowing({ classifies: true });
    await Promise.all([1, ODD].map((value) => world.send(rowJob(value, { ...SHADOWED, outputs: ['y'] }))));
    expect((await shadowCounts(world, 2)).shadow).toEqual({ compared: 2, agreed: 1, candidateFailed: 0 });
  });

  test('leaves nothing of its copy: no outcome, no start, no settlement, no capture', async () => {
    const { world } = await shadowing();
    const job = rowJob(1, { ...SHADOWED, captureUntilMs: world.clock.nowMs() + 1e6, notify: true });
    await world.send(job);
    await shadowCounts(world, 1);
    const [copy] = world.sent;
    expect(copy).toMatchObject({ tenant: 'acme', lane: 'bulk', durable: false, notify: false, reservedComputeMs: 0 });
    expect(copy!.id).not.toBe(job.id);
    expect([world.outcomes, world.attempts, world.settled].some((kept) => kept.has(copy!.id))).toBe(false);
    expect(world.captured.map(({ id }) => id)).toEqual([job.id]);
  });

  test.each(['1', '2'] as const)(
    'that crashes the candidate is no bad input, whichever is stable by then',
    async (stable) => {
      const { world } = await shadowing({ stable });
      expect(resultOf(await world.send(rowJob(KILLER, SHADOWED)))).toEqual([KILLER]);
      const { shadow, crashes, errors } = await shadowCounts(world, 1);
      expect([shadow.candidateFailed, shadow.compared, crashes, [...errors]]).toEqual([
        1,
        0,
        2,
        [['runner-crashed', 1]],
      ]);
      expect(world.quarantined).toEqual([]);
    },
  );

  test('loads nothing: while the candidate is not warm no copy runs', async () => {
    const { world, runners } = await shadowing({ isWarm: false });
    await world.send(rowJob(1, SHADOWED));
    await world.send(rowJob(2));
    await vi.waitFor(() => expect(world.log.map(({ message }) => message)).toContain('shadow copies dropped'));
    expect(runners.loads.map(({ path }) => path)).toEqual(['stable.onnx']);
    expect(world.returned).toEqual(new Array(3).fill(world.sent[0]!.id));
  });

  test('is not copied while bulk work waits, which is told in the log', async () => {
    const { world } = await shadowing();
    const ports = world.ports();
    expect(await ports.queue.depth('default', 'bulk')).toBe(0);
    world.depth = () => 1000;
    expect(resultOf(await world.send(rowJob(1, SHADOWED)))).toEqual([1]);
    await vi.waitFor(() => expect(world.log.map(({ message }) => message)).toContain('shadow copies dropped'));
    expect(world.sent).toEqual([]);
  });

  test('of texts is compared where both versions read the same tokens, and dropped where they do not', async () => {
    const [one, other] = ['a'.repeat(64), 'b'.repeat(64)];
    const same = await shadowing({ tokenizers: { 1: one, 2: one } });
    await same.world.send(rowJob(1, SHADOWED));
    expect((await shadowCounts(same.world, 1)).shadow).toEqual({ compared: 1, agreed: 1, candidateFailed: 0 });
    const { world } = await shadowing({ tokenizers: { 1: one, 2: other } });
    await world.send(rowJob(1, SHADOWED));
    expect((await shadowCounts(world, 1)).shadow).toEqual({ compared: 0, agreed: 0, candidateFailed: 0 });
    expect(world.log.map(({ message }) => message)).toContain('shadow copies dropped');
  });

  test('leaves no copy behind in a worker that has lost its candidate', async () => {
    const { world, runners, worker } = await shadowing();
    await world.send(rowJob(1, SHADOWED));
    await shadowCounts(world, 1);
    runners.runMs = (inputs) => (holds(inputs, 100) ? 300 : 0);
    const long = world.send(rowJob(100));
    await vi.waitFor(() => expect(holds(runners.runs.at(-1)!.inputs, 100)).toBe(true));
    world.deliver({ ...world.sent[0]!, id: 'stuck', deadlineMs: world.clock.nowMs() + 100 }, 0);
    await vi.waitFor(() => expect(worker.load().notStarted).toBe(1));
    runners.runners[0]!.kill();
    await long;
    expect(world.acknowledged).not.toContain('stuck');
    await vi.waitFor(() => expect(worker.load().held).toBe(0), { timeout: 10_000 });
    expect(world.acknowledged).toContain('stuck');
  }, 20_000);

  test('whose copy comes too late is not counted', async () => {
    const { world } = await shadowing();
    await world.send(rowJob(1, SHADOWED));
    await shadowCounts(world, 1);
    const late = { ...world.sent[0]!, id: 'late', deadlineMs: world.clock.nowMs() - 5000 };
    void world.send(late);
    await vi.waitFor(() => expect(world.acknowledged).toContain('late'));
    await world.recorder.flush();
    const { shadow, requests } = await world.telemetry.read('m', '2', 0, Number.MAX_SAFE_INTEGER);
    expect([shadow.compared, shadow.candidateFailed, requests]).toEqual([1, 0, 2]);
  });
});

describe('shadow copies', () => {
  test('wait until nothing else can run', async () => {
    const { world, runners } = await shadowing();
    runners.runMs = (inputs) => (holds(inputs, 100) ? 150 : 1);
    const long = world.send(rowJob(100, SHADOWED));
    const lanes = ['interactive', 'bulk'] as const;
    const others = Array.from({ length: 30 }, (_, at) =>
      world.send(rowJob(at, { tenant: `t${at % 3}`, lane: lanes[at % 2]! })),
    );
    await Promise.all([long, ...others]);
    await shadowCounts(world, 1);
    const paths = runners.runs.map(({ path }) => path);
    expect(paths.lastIndexOf('candidate.onnx')).toBe(paths.length - 1);
  });
});
