import { describe, expect, test } from 'vitest';
import type { Release } from '../../core/release/release.ts';
import { aVersion } from '../support/jobs.ts';
import { aRelease, rolledBack, shareOf } from '../support/release-traffic.ts';
import type { WorkerSetup } from '../support/worker-setup.ts';
import { resultOf, rowJob, startFakeWorker } from '../support/worker-setup.ts';

const PLAN = { steps: [{ setWeight: 5 }, { setWeight: 100 }] };
const WAIT = { timeout: 8000, interval: 50 };

function addBoth({ world, bytes = 1_000_000 }: Pick<WorkerSetup, 'world'> & { readonly bytes?: number }): void {
  for (const version of ['1', '2']) world.add(aVersion({ version, memoryBytes: bytes }), `m${version}.onnx`);
}

/** A release from version 1 to 2 that waits for its step, or is in it. */
function release(changes: Partial<Release> = {}): Release {
  return aRelease({ ...changes }, PLAN);
}

/** Runners that have each version, as reported last. */
function reported({ world }: WorkerSetup): Readonly<Record<string, number>> | undefined {
  return world.reports.at(-1)?.warm;
}

describe('a worker', { timeout: 20_000 }, () => {
  test('loads both versions of a release before anybody asks, in as many runners as its step needs', async () => {
    const setup = await startFakeWorker({ runners: 2 }, (world) => {
      addBoth({ world });
      world.releases.set('m', release());
    });
    await expect.poll(() => reported(setup), WAIT).toEqual({ 'm@1': 2, 'm@2': 1 });
    setup.world.releases.set('m', release({ share: shareOf(10_000), state: { kind: 'watching', untilMs: 9e15 } }));
    await expect.poll(() => reported(setup), WAIT).toEqual({ 'm@1': 2, 'm@2': 2 });
    // The first run of each session, which is slower than all others, was nobody's.
    const once = (all: readonly { readonly path: string; readonly runner: number }[]) =>
      all.map(({ path, runner }) => `${path} ${runner}`).sort();
    expect(once(setup.runners.runs)).toEqual(once(setup.runners.loads));
    expect(setup.world.settled.size).toBe(0);
  });

  test('tells of no warmth, and loads nothing, once the release is over', async () => {
    const setup = await startFakeWorker({ runners: 2 }, (world) => {
      addBoth({ world });
      world.releases.set('m', release());
    });
    await expect.poll(() => reported(setup)?.['m@2'], WAIT).toBe(1);
    setup.world.releases.set('m', rolledBack(release(), 1));
    await expect.poll(() => reported(setup), WAIT).toBeUndefined();
  });

  test('loads a version again whose runner was killed, and counts its place meanwhile', async () => {
    const setup = await startFakeWorker({ runners: 1 }, (world) => {
      addBoth({ world });
      world.releases.set('m', release());
    });
    await expect.poll(() => reported(setup), WAIT).toEqual({ 'm@1': 1, 'm@2': 1 });
    const from = setup.world.reports.length;
    setup.runners.runners[0]!.kill();
    await expect.poll(() => setup.runners.runners[1]?.paths.length, WAIT).toBe(2);
    for (const report of setup.world.reports.slice(from)) expect(report.warm?.['m@2']).toBe(1);
  });

  test('keeps them when others need room, which end each other', async () => {
    const setup = await startFakeWorker({ runners: 2, memoryLimitBytes: 500_000_000 }, (world, runners) => {
      addBoth({ world, bytes: 100_000_000 });
      for (const model of ['a', 'b', 'c']) world.add(aVersion({ model, memoryBytes: 100_000_000 }), model);
      runners.residentBytes = (paths) => 90_000_000 + 100_000_000 * paths.length;
      world.releases.set('m', release());
    });
    await expect.poll(() => reported(setup)?.['m@2'], WAIT).toBe(1);
    for (const model of ['a', 'b', 'c', 'a', 'b', 'c'])
      expect(resultOf(await setup.world.send(rowJob(1, { model })))).toEqual([2]);
    expect(setup.world.log.some(({ message }) => message === 'models evicted')).toBe(true);
    expect(setup.runners.loads.filter(({ path }) => path === 'm2.onnx')).toHaveLength(1);
    expect(setup.runners.runners.some((runner) => runner.alive() && runner.paths.includes('m2.onnx'))).toBe(true);
  });

  test('does not load a candidate for which there is no room, and says so', async () => {
    const setup = await startFakeWorker({ runners: 1, memoryLimitBytes: 250_000_000 }, (world, runners) => {
      addBoth({ world, bytes: 150_000_000 });
      runners.residentBytes = (paths) => 90_000_000 + 150_000_000 * paths.length;
      world.releases.set('m', release());
    });
    await expect.poll(() => reported(setup), WAIT).toEqual({ 'm@1': 1, 'm@2': 0 });
    expect(resultOf(await setup.world.send(rowJob(1)))).toEqual([2]);
    await setup.world.clock.sleep(2500);
    expect(reported(setup)).toEqual({ 'm@1': 1, 'm@2': 0 });
    expect(setup.runners.loads.map(({ path }) => path)).toEqual(['m1.onnx']);
  });

  test('leaves a candidate that cannot be loaded alone for longer each time, and serves stable meanwhile', async () => {
    const setup = await startFakeWorker({ runners: 1 }, (world, runners) => {
      addBoth({ world });
      runners.onLoad = (path) => (path === 'm2.onnx' ? 'refuses' : 'answers');
      world.releases.set('m', release());
    });
    await setup.world.clock.sleep(4000);
    expect(setup.runners.loads.filter(({ path }) => path === 'm2.onnx')).toHaveLength(1);
    expect(reported(setup)).toEqual({ 'm@1': 1, 'm@2': 0 });
    expect(resultOf(await setup.world.send(rowJob(1)))).toEqual([2]);
  });

  test('takes a candidate that ends its runner in the first run for not warm, and goes on serving stable', async () => {
    const setup = await startFakeWorker({ runners: 1 }, (world, runners) => {
      addBoth({ world });
      runners.onRun = (path) => (path === 'm2.onnx' ? 'crashes' : 'answers');
      world.releases.set('m', release());
    });
    await expect.poll(() => setup.runners.runs.filter(({ path }) => path === 'm2.onnx').length, WAIT).toBe(1);
    await setup.world.clock.sleep(2500);
    expect(setup.runners.runs.filter(({ path }) => path === 'm2.onnx')).toHaveLength(1);
    expect(reported(setup)).toEqual({ 'm@1': 1, 'm@2': 0 });
    expect(resultOf(await setup.world.send(rowJob(1)))).toEqual([2]);
  });

  test('leaves the versions of another pool to that one', async () => {
    const setup = await startFakeWorker({ runners: 1 }, (world) => {
      for (const version of ['1', '2']) world.add(aVersion({ version, manifest: { pool: 'gpu' } }), `m${version}.onnx`);
      world.releases.set('m', release());
    });
    await setup.world.clock.sleep(2500);
    expect(reported(setup)).toBeUndefined();
    expect(setup.runners.loads).toEqual([]);
  });
});
