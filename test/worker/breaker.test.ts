import { describe, expect, test, vi } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { Manifest } from '../../core/models/manifest.ts';
import type { FakeRunners } from '../support/fake-runner.ts';
import { aVersion } from '../support/jobs.ts';
import type { WorkerWorld } from '../support/worker-ports.ts';
import { resultOf, rowJob, startFakeWorker, type WorkerSetup } from '../support/worker-setup.ts';

const BAD = -1;
const BREAKER: Manifest['breaker'] = { errorShare: 0.5, minRequests: 5, windowS: 30, openS: 1, probes: 2 };
const RULES = { breaker: BREAKER, timeoutMs: 100, batching: { maxRows: 1 } };

function start(
  prepare: (world: WorkerWorld, runners: FakeRunners) => void = () => {},
  runners = 1,
): Promise<WorkerSetup> {
  return startFakeWorker({ runners }, (world, script) => {
    world.add(aVersion({ manifest: RULES }), 'm.onnx');
    world.add(aVersion({ model: 'other' }), 'other.onnx');
    script.onRun = (_, inputs) => (isBad(inputs) ? 'refuses' : 'answers');
    prepare(world, script);
  });
}

function isBad(inputs: readonly Tensor[]): boolean {
  return Array.from(inputs[0]!.data as Float32Array).includes(BAD);
}

async function send({ world }: WorkerSetup, values: readonly number[], changes: Partial<Job> = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const value of values) outcomes.push(await world.send(rowJob(value, changes)));
  return outcomes;
}

function bad(count: number): number[] {
  return new Array<number>(count).fill(BAD);
}

/** For all: two tenants fail. */
async function open(setup: WorkerSetup): Promise<void> {
  await send(setup, bad(1), { tenant: 'initech' });
  await send(setup, bad(BREAKER.minRequests - 1));
}

/** Until probes may go. */
async function halfOpen(setup: WorkerSetup): Promise<void> {
  await setup.world.clock.sleep(BREAKER.openS * 1000 + 20);
}

describe('a version that keeps failing', () => {
  test('is left alone: its jobs fail at once, without a run and at no cost; other versions run', async () => {
    const setup = await start();
    await open(setup);
    const runs = setup.runners.runs.length;
    const job = rowJob(1);
    const outcome = await setup.world.send(job);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'version-unavailable', computeMs: 0 });
    const { facts } = outcome as Extract<Outcome, { kind: 'failed' }>;
    expect(facts).toMatchObject({ model: 'm', version: '1' });
    expect(facts.retryAfterMs).toBeGreaterThan(0);
    expect(facts.retryAfterMs).toBeLessThanOrEqual(1000);
    expect(setup.world.settled.get(job.id)).toEqual([0]);
    await vi.waitFor(() => expect(setup.world.acknowledged).toContain(job.id));
    expect(setup.runners.runs.length).toBe(runs);
    expect((await send(setup, [4], { model: 'other' })).map(resultOf)).toEqual([[5]]);
  });

  test.each([
    ['crashes', 'runner-crashed'],
    ['hangs', 'prediction-timeout'],
    ['refuses', 'prediction-failed'],
  ] as const)('counts a run that %s', async (behaviour, code) => {
    const setup = await start((_, runners) => {
      runners.onRun = (_, inputs) => (isBad(inputs) ? behaviour : 'answers');
    });
    expect((await send(setup, bad(BREAKER.minRequests))).map(resultOf)).toEqual(
      bad(BREAKER.minRequests).map(() => code),
    );
    expect((await send(setup, [1])).map(resultOf)).toEqual(['version-unavailable']);
  });

  test('fails what waits for it when it opens; a batch that is being taken apart is finished', async () => {
    const setup = await start((world, runners) => {
      const manifest = { breaker: BREAKER, batching: { maxRows: 9 } };
      world.add(aVersion({ model: 'batched', manifest }), 'batched.onnx');
      runners.runMs = (inputs) => (inputs[0]!.data[0] === 0 ? 50 : 0);
    });
    // The others wait while the first one runs; nine of them share the next run.
    const sendTo = (value: number) => setup.world.send(rowJob(value, { model: 'batched' }));
    const first = sendTo(0);
    await vi.waitFor(() => expect(setup.runners.runs.length).toBe(1), { interval: 5 });
    const outcomes = (await Promise.all([first, ...[...bad(4), 7, ...bad(4), 8].map(sendTo)])).map(resultOf);
    const refused = bad(4).map(() => 'prediction-failed');
    expect(outcomes).toEqual([[1], ...refused, [8], ...refused, 'version-unavailable']);
  });

  test('that cannot be loaded opens whoever asks, for all', async () => {
    const setup = await start((_, runners) => {
      runners.onLoad = (path) => (path === 'm.onnx' ? 'refuses' : 'answers');
    });
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map((value) => setup.world.send(rowJob(value, { tenant: `t${value}` }))),
    );
    expect(outcomes.map(resultOf)).toEqual(new Array(5).fill('model-load-failed'));
    expect((await send(setup, [1], { tenant: 'never-seen' })).map(resultOf)).toEqual(['version-unavailable']);
  });

  test('is not held against the stable version that answered in its place', async () => {
    const setup = await start((world, runners) => {
      world.add(aVersion({ version: '2', manifest: RULES }), 'candidate.onnx');
      runners.onRun = (path) => (path === 'candidate.onnx' ? 'crashes' : 'answers');
    });
    expect((await send(setup, [1, 2, 3, 4, 5], { version: '2' })).map(resultOf)).toEqual([[2], [3], [4], [5], [6]]);
    expect((await send(setup, [1], { version: '2' })).map(resultOf)).toEqual(['version-unavailable']);
    expect((await send(setup, [1], { version: '2', versionNamed: true })).map(resultOf)).toEqual([
      'version-unavailable',
    ]);
    expect((await send(setup, [1])).map(resultOf)).toEqual([[2]]);
  });
});

describe('a version that only one tenant fails on', () => {
  test('is left alone for that tenant: others are answered, what they wait for too', async () => {
    const hanging = 99;
    const setup = await start((_, runners) => {
      runners.onRun = (_, inputs) => {
        if (inputs[0]!.data[0] === hanging) return 'hangs';
        return isBad(inputs) ? 'refuses' : 'answers';
      };
    });
    await send(setup, bad(BREAKER.minRequests - 1), { tenant: 'hostile' });
    const runs = setup.runners.runs.length;
    const last = setup.world.send(rowJob(hanging, { tenant: 'hostile' }));
    await vi.waitFor(() => expect(setup.runners.runs.length).toBe(runs + 1), { interval: 1 });
    const waiting = ['hostile', 'acme'].map((tenant) => setup.world.send(rowJob(1, { tenant })));
    const outcomes = (await Promise.all([last, ...waiting])).map(resultOf);
    expect(outcomes).toEqual(['prediction-timeout', 'version-unavailable', [2]]);
    const after = [await send(setup, [1], { tenant: 'hostile' }), await send(setup, [1], { tenant: 'acme' })];
    expect(after.flat().map(resultOf)).toEqual(['version-unavailable', [2]]);
  });
});

describe('what opens no breaker', () => {
  test('a tenant that fails alone beside two others', async () => {
    const setup = await start();
    await send(setup, [1, 2], { tenant: 'b' });
    await send(setup, [1, 2], { tenant: 'c' });
    await send(setup, bad(30), { tenant: 'a' });
    for (const tenant of ['a', 'b', 'c']) expect((await send(setup, [1], { tenant })).map(resultOf)).toEqual([[2]]);
  });

  test('jobs that are cancelled or expire before they run', async () => {
    const setup = await start();
    const nowMs = setup.world.clock.nowMs();
    await send(setup, bad(10), { deadlineMs: nowMs - 5000 });
    const cancelled = bad(10).map((value) => rowJob(value));
    for (const { id } of cancelled) setup.world.cancelled.add(id);
    for (const job of cancelled) void setup.world.send(job);
    expect((await send(setup, [1])).map(resultOf)).toEqual([[2]]);
    expect(setup.runners.runs.length).toBe(1);
  });

  test('a runner that is killed from outside, as long as its work is answered by the next one', async () => {
    const setup = await start((_, runners) => {
      let killed = 0;
      runners.onRun = () => {
        killed += 1;
        return killed % 2 === 1 ? 'crashes' : 'answers';
      };
    });
    expect((await send(setup, [1, 2, 3, 4, 5, 6, 7, 8])).map(resultOf)).toEqual(
      [2, 3, 4, 5, 6, 7, 8, 9].map((y) => [y]),
    );
  });
});

describe('after the time that it stays open', () => {
  test('probes run one at a time, and enough of them close it', async () => {
    const setup = await start((_, runners) => {
      runners.runMs = (inputs) => (isBad(inputs) ? 0 : 60);
    });
    await open(setup);
    await halfOpen(setup);
    const [first, beside] = await Promise.all([send(setup, [1]), send(setup, [2])]);
    expect([first[0]!, beside[0]!].map(resultOf)).toEqual([[2], 'version-unavailable']);
    expect((await send(setup, [3])).map(resultOf)).toEqual([[4]]);
    const together = await Promise.all([send(setup, [1]), send(setup, [2])]);
    expect(together.flat().map(resultOf)).toEqual([[2], [3]]);
  });

  test('one failed probe opens it again', async () => {
    const setup = await start();
    await open(setup);
    await halfOpen(setup);
    expect((await send(setup, [1, BAD, 1])).map(resultOf)).toEqual([[2], 'prediction-failed', 'version-unavailable']);
  });

  test('a probe that never runs makes room for another', async () => {
    const setup = await start();
    await open(setup);
    await halfOpen(setup);
    const cancelled = rowJob(1);
    setup.world.cancelled.add(cancelled.id);
    void setup.world.send(cancelled);
    await vi.waitFor(() => expect(setup.world.acknowledged).toContain(cancelled.id));
    expect((await send(setup, [1, 1, 1])).map(resultOf)).toEqual([[2], [2], [2]]);
  });

  test('a version that still cannot be loaded stays open', async () => {
    const setup = await start((_, runners) => {
      runners.onLoad = () => 'refuses';
    });
    await open(setup);
    await halfOpen(setup);
    expect((await send(setup, [1, 1])).map(resultOf)).toEqual(['model-load-failed', 'version-unavailable']);
  });
});

test('capacity reports tell of open, half-open and closed breakers', async () => {
  const setup = await start();
  const reported = (state: string | undefined) =>
    vi.waitFor(() => expect(setup.world.reports.at(-1)?.breakers['m@1']?.state).toBe(state), { timeout: 4000 });
  await reported(undefined);
  await send(setup, [1]);
  await reported('closed');
  await open(setup);
  await open(setup);
  await reported('open');
  expect(setup.world.reports.at(-1)!.breakers['m@1']!.untilMs).toBeGreaterThan(setup.world.clock.nowMs());
  expect(Object.keys(setup.world.reports.at(-1)!.breakers)).toEqual(['m@1']);
  await reported('half-open');
  await send(setup, [1, 1, 1]);
  await reported('closed');
});
