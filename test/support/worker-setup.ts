import { onTestFinished } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import { createWorker, type WorkerConfig } from '../../gpu-worker/worker.ts';
import { FakeRunners } from './fake-runner.ts';
import { aJob, aVersion, floats } from './jobs.ts';
import { WorkerWorld } from './worker-ports.ts';

export type WorkerSetup = {
  readonly world: WorkerWorld;
  readonly runners: FakeRunners;
  readonly worker: ReturnType<typeof createWorker>;
};

/** A worker on fake runners that serves model `m`; it is drained when the test is over. `prepare` comes before the start. */
export async function startFakeWorker(
  changes: Partial<WorkerConfig> = {},
  prepare: (world: WorkerWorld, runners: FakeRunners) => void = (world) => world.add(aVersion(), 'm.onnx'),
): Promise<WorkerSetup> {
  const world = new WorkerWorld();
  const runners = new FakeRunners();
  prepare(world, runners);
  const config = { ...BASE, ...changes };
  const worker = createWorker(world.ports(), config, (_, clock) => runners.spawn(clock));
  await worker.start();
  onTestFinished(() => worker.drain(world.clock.nowMs()));
  return { world, runners, worker };
}

const BASE: WorkerConfig = {
  worker: 'w1',
  pool: 'default',
  runners: 1,
  intraOpThreads: 1,
  provider: 'cpu',
  environment: {},
  memoryLimitBytes: 4e9,
  preload: [],
  metering: { instanceType: 'local', purchase: 'on-demand', usdPerHour: 3.6, everyMs: 50 },
};

/** A job of one row that holds `value`. */
export function rowJob(value: number, changes: Partial<Job> = {}): Job {
  return aJob({ inputs: [floats('x', [1, 1], [value])], ...changes });
}

/** The only output's elements, or the code of the failure. */
export function resultOf(outcome: Outcome): number[] | string {
  return outcome.kind === 'failed' ? outcome.code : Array.from(outcome.outputs[0]!.data as Float32Array);
}
