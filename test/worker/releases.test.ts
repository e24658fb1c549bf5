import { describe, expect, test, vi } from 'vitest';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import { aVersion } from '../support/jobs.ts';
import { aRelease, rolledBack, shareOf } from '../support/release-traffic.ts';
import type { WorkerWorld } from '../support/worker-ports.ts';
import { resultOf, rowJob, startFakeWorker, type WorkerSetup } from '../support/worker-setup.ts';

const KILLER = 999;
const LOT = { release: 'rel_1.1', cohort: 7, unit: 77 };
const ON_CANDIDATE = { version: '2', onCandidate: true, lot: LOT };

type Broken = { readonly load?: 'refuses'; readonly isLost?: boolean };

/** Version 1 adds one, version 2 ten. */
async function twoVersions(
  changes: Partial<ModelVersion> = {},
  prepare: (world: WorkerWorld) => void = () => {},
): Promise<WorkerSetup> {
  const setup = await startFakeWorker({}, (world, runners) => {
    world.add(aVersion(), 'stable.onnx');
    world.add({ ...aVersion({ version: '2' }), ...changes }, 'candidate.onnx');
    runners.onRun = (path, inputs) => (path === 'candidate.onnx' && holds(inputs, KILLER) ? 'crashes' : 'answers');
    prepare(world);
  });
  setup.world.releases.set('m', aRelease({ share: shareOf(5000) }));
  return setup;
}

const holds = (inputs: readonly Tensor[], value: number) => Array.from(inputs[0]!.data as Float32Array).includes(value);
const rollBack = (world: WorkerWorld) =>
  world.releases.set('m', rolledBack(world.releases.get('m')!, world.clock.nowMs()));
const pathsOf = ({ runners }: WorkerSetup) => runners.runs.map(({ path }) => path);

/** Once all that was answered is counted. */
async function seen(world: WorkerWorld, version: string) {
  await vi.waitFor(() => expect(world.acknowledged.length).toBeGreaterThanOrEqual(world.outcomes.size));
  await world.recorder.flush();
  return world.telemetry.read('m', version, 0, Number.MAX_SAFE_INTEGER, LOT.release);
}

describe('a job of a candidate', () => {
  test('runs on it while its release goes on, and is counted in its cohort', async () => {
    const setup = await twoVersions();
    expect(await setup.world.send(rowJob(1, ON_CANDIDATE))).toMatchObject({ kind: 'succeeded', version: '2' });
    const { requests, release } = await seen(setup.world, '2');
    expect([requests, release?.cohorts.get(7)?.requests]).toEqual([1, 1]);
  });

  test('runs on stable once that is rolled back, as a request of stable that no lot drew', async () => {
    const setup = await twoVersions();
    rollBack(setup.world);
    const job = rowJob(1, ON_CANDIDATE);
    expect(await setup.world.send(job)).toMatchObject({ kind: 'succeeded', version: '1' });
    expect(pathsOf(setup)).toEqual(['stable.onnx']);
    const [stable, candidate] = [await seen(setup.world, '1'), await seen(setup.world, '2')];
    expect([stable.requests, stable.errors.size, stable.release?.cohorts.size]).toEqual([1, 0, 0]);
    expect(candidate.requests).toBe(0);
    expect(setup.world.acknowledged).toEqual([job.id]);
    expect(setup.world.settled.get(job.id)).toHaveLength(1);
  });

  test('runs on it all the same if its caller named it', async () => {
    const setup = await twoVersions();
    rollBack(setup.world);
    const named = rowJob(1, { version: '2', versionNamed: true, acceptedAtMs: setup.world.clock.nowMs() - 5000 });
    expect(await setup.world.send(named)).toMatchObject({ kind: 'succeeded', version: '2' });
  });

  test('ends with version-unavailable where stable reads other tokens', async () => {
    const setup = await twoVersions({ tokenizerDigest: 'f'.repeat(64) });
    rollBack(setup.world);
    expect(resultOf(await setup.world.send(rowJob(1, ON_CANDIDATE)))).toBe('version-unavailable');
  });

  test('that waits here already when it is rolled back runs on stable', async () => {
    const setup = await twoVersions();
    const { world, runners } = setup;
    await world.send(rowJob(0, ON_CANDIDATE));
    runners.runMs = (inputs) => (holds(inputs, 50) ? 1200 : 0);
    const long = world.send(rowJob(50, ON_CANDIDATE));
    await vi.waitFor(() => expect(runners.runs).toHaveLength(2));
    const waiting = [1, 2, 3].map((value) => world.send(rowJob(value, ON_CANDIDATE)));
    await vi.waitFor(() => expect(world.attempts.size).toBe(2));
    rollBack(world);
    expect(await long).toMatchObject({ version: '2' });
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ version: '1' });
  });

  test('runs on stable too where the candidate is known but cannot be loaded any more', async () => {
    const { world, runners } = await twoVersions();
    await world.send(rowJob(KILLER, { version: '2', versionNamed: true }));
    runners.onLoad = (path) => (path === 'candidate.onnx' ? 'refuses' : 'answers');
    rollBack(world);
    expect(await world.send(rowJob(1, ON_CANDIDATE))).toMatchObject({ kind: 'succeeded', version: '1' });
  });

  test('of an undone version runs on what serves, though no release put it there, once it has waited for a second', async () => {
    const setup = await twoVersions();
    rollBack(setup.world);
    const late = { version: '2', acceptedAtMs: setup.world.clock.nowMs() - 1500 };
    expect(await setup.world.send(rowJob(1, late))).toMatchObject({ version: '1' });
  });

  test('that crashes it runs on stable, and counts against it in its cohort', async () => {
    const setup = await twoVersions();
    expect(await setup.world.send(rowJob(KILLER, ON_CANDIDATE))).toMatchObject({ kind: 'succeeded', version: '1' });
    const { crashes, errors, release } = await seen(setup.world, '2');
    expect([crashes, [...errors], release?.cohorts.get(7)?.errors, release?.failingUnits.size]).toEqual([
      2,
      [['runner-crashed', 1]],
      1,
      1,
    ]);
    expect(setup.world.quarantined).toEqual([]);
  });

  test('that keeps crashing runs on stable when its breaker has opened too', async () => {
    const { world, runners } = await twoVersions({
      manifest: aVersion({
        manifest: {
          batching: { maxRows: 1 },
          breaker: { errorShare: 0.5, minRequests: 2, windowS: 60, openS: 60, probes: 1 },
        },
      }).manifest,
    });
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => world.send(rowJob(KILLER, { ...ON_CANDIDATE, tenant: `t${at % 6}` }))),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'succeeded', version: '1' });
    const runs = runners.runs.filter(({ path }) => path === 'candidate.onnx').length;
    for (let at = 0; at < 5; at += 1)
      expect(await world.send(rowJob(at, ON_CANDIDATE))).toMatchObject({ kind: 'succeeded', version: '1' });
    expect(world.log.map(({ message }) => message)).toContain('version keeps failing: left alone');
    expect(runners.runs.filter(({ path }) => path === 'candidate.onnx')).toHaveLength(runs);
    expect((await seen(world, '2')).release?.cohorts.get(7)?.errors).toBe(17);
  });

  test.each([
    ['cannot be loaded', { load: 'refuses' }],
    ['has no file any more', { isLost: true }],
  ] as const)('that %s runs on stable, and counts against it', async (_, { load, isLost }: Broken) => {
    const { world, runners } = await twoVersions();
    runners.onLoad = (path) => (path === 'candidate.onnx' ? (load ?? 'answers') : 'answers');
    if (isLost) world.losePath(aVersion({ version: '2' }));
    const jobs = [1, 2, 3].map((value) => world.send(rowJob(value, ON_CANDIDATE)));
    for (const outcome of await Promise.all(jobs)) expect(outcome).toMatchObject({ kind: 'succeeded', version: '1' });
    expect(await world.send(rowJob(4, ON_CANDIDATE))).toMatchObject({ version: '1' });
    expect((await seen(world, '2')).release?.cohorts.get(7)?.errors).toBe(4);
  });

  test('whose caller named the version is told that it fails', async () => {
    const { world, runners } = await twoVersions();
    runners.onLoad = (path) => (path === 'candidate.onnx' ? 'refuses' : 'answers');
    expect(resultOf(await world.send(rowJob(1, { version: '2', versionNamed: true })))).toBe('model-load-failed');
  });

  test('that crashes it does not run on a stable version that reads other tokens', async () => {
    const { world } = await twoVersions({ tokenizerDigest: 'f'.repeat(64) });
    expect(resultOf(await world.send(rowJob(KILLER, ON_CANDIDATE)))).toBe('runner-crashed');
    expect(world.quarantined).toEqual([]);
  });

  test('is asked about once a second; quick jobs of no release are not at all', async () => {
    const { world } = await twoVersions();
    for (let at = 0; at < 20; at += 1) await world.send(rowJob(at));
    expect(world.releaseReads).toEqual([]);
    for (let at = 0; at < 20; at += 1) await world.send(rowJob(at, ON_CANDIDATE));
    expect(world.releaseReads.length).toBeLessThanOrEqual(2);
  });

  test('runs as it was admitted where releases cannot be read', async () => {
    const { world } = await twoVersions({}, (world) => {
      world.releases.get = () => {
        throw new Error('away');
      };
    });
    expect(await world.send(rowJob(1, ON_CANDIDATE))).toMatchObject({ version: '2' });
    expect(world.log.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
  });
});
