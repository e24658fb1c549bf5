import { expect, test } from 'vitest';
import { aVersion } from '../support/jobs.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

const ALONE = aVersion({ manifest: { batching: { maxRows: 1 } } });

test('a runner that is killed while it loads a model fails no job: another one loads it', async () => {
  const { runners, world } = await startFakeWorker();
  runners.onLoad = () => (runners.loads.length === 1 ? 'crashes' : 'answers');
  expect(resultOf(await world.send(rowJob(1, { durable: true })))).toEqual([2]);
  expect(runners.loads.map(({ runner }) => runner)).toEqual([0, 1]);
});

test('a model that ends every process that loads it fails its jobs, after the second one', async () => {
  const { runners, world } = await startFakeWorker();
  runners.onLoad = () => 'crashes';
  expect(resultOf(await world.send(rowJob(1)))).toBe('model-load-failed');
  expect(runners.loads.length).toBe(2);
});

test('of runners that are killed together none is held against the work that each of them loses', async () => {
  const { runners, world } = await startFakeWorker({ runners: 2 }, (world) => world.add(ALONE, 'm.onnx'));
  runners.runMs = () => 20;
  while (new Set(runners.runs.map(({ runner }) => runner)).size < 2) {
    await Promise.all([1, 2, 3, 4].map((value) => world.send(rowJob(value))));
  }
  // Both are dead already; the worker hears of it when it gives them work.
  const dead = runners.runners.length;
  runners.onRun = () => (runners.runs.at(-1)!.runner < dead ? 'crashes' : 'answers');
  const before = runners.runs.length;
  expect(resultOf(await world.send(rowJob(7, { durable: true })))).toEqual([8]);
  expect(runners.runs.slice(before).map(({ runner }) => Math.min(runner, dead))).toEqual([
    expect.toBeOneOf([0, 1]),
    expect.toBeOneOf([0, 1]),
    dead,
  ]);
  expect(world.quarantined).toEqual([]);
});
