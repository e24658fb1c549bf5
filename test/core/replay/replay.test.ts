import { describe, expect, test } from 'vitest';
import { type ReplaySpec, Replays } from '../../../core/models/replay/replay.ts';
import type { SandboxRun } from '../../../core/ports/sandbox.ts';
import { SECOND_MS } from '../../../core/units.ts';
import { aCapture } from '../../support/captures.ts';
import { expectFailureOf } from '../../support/failures.ts';
import { floats, ROW_SIGNATURE } from '../../support/jobs.ts';
import { ReplayWorld, type Script } from '../../support/replay-ports.ts';

const SPEC: ReplaySpec = {
  model: 'm',
  from: '1',
  toModel: 'm',
  to: '2',
  source: 'golden',
  limit: 1000,
  tenant: undefined,
  askedBy: 'key:op',
  signal: undefined,
};
const CAPTURED = { source: 'captured' } as const;

const answer = (value: number, computeMs = 1): SandboxRun => ({
  kind: 'done',
  outputs: [floats('y', [1, 1], [value])],
  computeMs,
});
const label = (text: string): SandboxRun => ({
  kind: 'done',
  outputs: [{ name: 'label', datatype: 'BYTES', shape: [1], data: [text] }],
  computeMs: 1,
});

/** Two versions of model m, the first with golden pairs. */
function twoVersions(from: Script, to: Script, golden = 10): ReplayWorld {
  const world = new ReplayWorld();
  world.add(from, { version: '1', golden });
  world.add(to, { version: '2' });
  return world;
}

const run = (world: ReplayWorld, changes: Partial<ReplaySpec> = {}) =>
  new Replays(world.ports()).run({ ...SPEC, ...changes });

describe('a replay of golden pairs', () => {
  test('counts what agrees and differs by the tolerance of `from`, and says how far apart the outputs are', async () => {
    const world = twoVersions(
      (x) => answer(x),
      (x) => answer(x === 7 ? x + 0.5 : x + 2 ** -20),
    );
    const report = await run(world);
    expect(report).toMatchObject({ inputs: 10, compared: 10, agree: 9, differ: 1, bothFailed: 0, stopped: undefined });
    expect(report.differing).toEqual(['pair 8']);
    expect(report.outputs).toEqual([
      { kind: 'numbers', name: 'y', incomparable: 0, largestDifference: 0.5, p99Difference: 0.5 },
    ]);
  });

  test('leaves one in a hundred out of the p99 of differences, and the first run of a process out of the latency', async () => {
    const world = twoVersions(
      (x) => answer(x, x === 0 ? 1000 : x),
      (x) => answer(x + (x === 50 ? 1 : 2 ** -20), 3),
      101,
    );
    const report = await run(world);
    expect(report.from).toMatchObject({ model: 'm', version: '1', p50Ms: 50, p99Ms: 99 });
    expect(report.to).toMatchObject({ p50Ms: 3, p99Ms: 3 });
    expect(report.outputs[0]).toMatchObject({ largestDifference: 1, p99Difference: expect.closeTo(2 ** -20, 6) });
  });

  test('shows which label became which how often', async () => {
    const world = twoVersions(
      (x) => label(x < 5 ? 'low' : 'high'),
      (x) => label(x < 3 ? 'low' : x < 6 ? 'mid' : 'high'),
    );
    const { agree, outputs } = await run(world);
    expect(agree).toBe(7);
    expect(outputs).toEqual([
      {
        kind: 'labels',
        name: 'label',
        incomparable: 0,
        labels: 10,
        changed: 3,
        changes: [
          { from: 'low', to: 'mid', count: 2 },
          { from: 'high', to: 'mid', count: 1 },
        ],
      },
    ]);
  });

  test('counts an input as different that one version alone answers, and how each failed', async () => {
    const refused: SandboxRun = { kind: 'refused', reason: 'value 3', computeMs: 1 };
    const world = twoVersions(
      (x) => (x === 3 || x === 4 ? refused : answer(x)),
      (x) => (x === 4 || x === 5 ? { kind: x === 4 ? 'crashed' : 'timed-out', computeMs: 1 } : answer(x)),
    );
    const report = await run(world);
    expect(report).toMatchObject({ compared: 10, agree: 7, differ: 2, bothFailed: 1 });
    expect(report.differing).toEqual(['pair 4', 'pair 6']);
    expect(report.from).toMatchObject({ refused: 2, crashed: 0, timedOut: 0 });
    expect(report.to).toMatchObject({ refused: 0, crashed: 1, timedOut: 1 });
    // A fresh process after each that was lost.
    expect(world.loads.filter((key) => key === 'm@2')).toHaveLength(3);
    expect(JSON.stringify(report)).not.toContain('value 3');
  });

  test('replays no more than asked for', async () => {
    const world = twoVersions(answer, answer);
    expect(await run(world, { limit: 4 })).toMatchObject({ inputs: 4, compared: 4 });
  });

  test('compares with another model that takes the same inputs, and refuses one that takes others', async () => {
    const world = twoVersions(answer, answer);
    world.add((x) => answer(x + 1), { model: 'twin', version: '1' });
    expect(await run(world, { toModel: 'twin', to: '1' })).toMatchObject({ differ: 10, to: { model: 'twin' } });
    const [output] = ROW_SIGNATURE.outputs;
    const signature = { inputs: [{ name: 'ids', datatype: 'INT64' as const, shape: [-1] }], outputs: [output!] };
    world.add(answer, { model: 'other', version: '1', signature: signature as never });
    await expectFailureOf(run(world, { toModel: 'other', to: '1' }), 'request-invalid', { field: 'to' });
  });

  test('says at once what is not there', async () => {
    const world = twoVersions(answer, answer);
    await expectFailureOf(run(world, { model: 'n', toModel: 'n' }), 'model-unknown', { field: 'from' });
    await expectFailureOf(run(world, { from: '3' }), 'version-unknown', { field: 'from' });
    await expectFailureOf(run(world, { to: '3' }), 'version-unknown', { field: 'to' });
    await expectFailureOf(run(world, { from: '2', to: '1' }), 'request-invalid', { field: 'source' });
    await expectFailureOf(run(world, { tenant: 'acme' }), 'request-invalid', { field: 'tenant' });
    expect(world.loads).toEqual([]);
  });

  test('leaves no process behind, whatever happened', async () => {
    const world = twoVersions(answer, () => {
      throw new Error('broken');
    });
    await expect(run(world)).rejects.toThrow('broken');
    expect(world.open).toBe(0);
    world.onLoad = (key) => (key === 'm@2' ? 'refused' : 'loaded');
    await expectFailureOf(run(world), 'model-load-failed', { version: '2' });
    expect(world.open).toBe(0);
  });
});

describe('a replay ends early', () => {
  test('after 20 s, with what it has compared by then', async () => {
    const world = new ReplayWorld();
    const slow: Script = (x) => {
      world.nowMs += 3 * SECOND_MS;
      return answer(x);
    };
    world.add(slow, { version: '1', golden: 10 });
    world.add(answer, { version: '2' });
    // 3, 6, … 18 s are over when the sixth is compared; the seventh ends at 21.
    expect(await run(world)).toMatchObject({ inputs: 10, compared: 6, agree: 6, stopped: 'time' });
  });

  test('without blaming a version for a run that the end of the time cut short', async () => {
    const world = new ReplayWorld();
    world.add(answer, { version: '1', golden: 2 });
    world.add(
      () => {
        world.nowMs += 15 * SECOND_MS;
        return { kind: 'timed-out', computeMs: 1 };
      },
      { version: '2' },
    );
    // The first ran into the model's own limit of 10 s, the second into the replay's.
    expect(await run(world)).toMatchObject({ compared: 1, stopped: 'time', to: { timedOut: 1 } });
  });

  test('if loading takes all of its time', async () => {
    const world = twoVersions(answer, answer);
    world.onLoad = (key) => (key === 'm@2' ? 'timed-out' : 'loaded');
    expect(await run(world)).toMatchObject({ inputs: 10, compared: 0, stopped: 'time' });
    expect(world.open).toBe(0);
  });

  test('when a version has ended its process more than ten times', async () => {
    const world = twoVersions(answer, () => ({ kind: 'crashed', computeMs: 1 }), 20);
    expect(await run(world)).toMatchObject({ inputs: 20, compared: 11, differ: 11, stopped: 'crashes' });
  });

  test('when its caller has gone away', async () => {
    const gone = new AbortController();
    const world = twoVersions((x) => {
      if (x === 2) gone.abort();
      return answer(x);
    }, answer);
    expect(await run(world, { signal: gone.signal })).toMatchObject({ compared: 3, stopped: 'cancelled' });
  });
});

test('one replay runs at a time, and the next one when it is over', async () => {
  const held = Promise.withResolvers<void>();
  const world = twoVersions(async (x) => {
    await held.promise;
    return answer(x);
  }, answer);
  const replays = new Replays(world.ports());
  const first = replays.run(SPEC);
  await expectFailureOf(replays.run(SPEC), 'overloaded', { retryAfterMs: 20 * SECOND_MS });
  held.resolve();
  expect(await first).toMatchObject({ agree: 10 });
  expect(await replays.run(SPEC)).toMatchObject({ agree: 10 });
});

describe('a replay of captured predictions', () => {
  function captured(...tenants: string[]): ReplayWorld {
    const world = twoVersions(
      () => label('secret before'),
      (x) => label(x === 1 ? 'secret after' : 'secret before'),
      0,
    );
    for (const tenant of tenants) world.consents.set(tenant, true);
    world.captures = tenants.map((tenant, at) =>
      aCapture(at, { id: `pred_${at}`, tenant, inputs: [floats('x', [1, 1], [at])] }),
    );
    return world;
  }

  test('shows ids and counts, and nothing of what went in or came out', async () => {
    const world = captured('acme', 'globex', 'acme');
    const report = await run(world, CAPTURED);
    expect(report).toMatchObject({ inputs: 3, agree: 2, differ: 1, differing: ['pred_1'] });
    expect(report.outputs).toEqual([
      { kind: 'labels', name: 'label', incomparable: 0, labels: 3, changed: 1, changes: [] },
    ]);
    expect(JSON.stringify([report, world.logged])).not.toMatch(/secret|acme|globex/);
    expect(world.logged).toEqual([
      expect.objectContaining({ message: 'replayed', principal: 'key:op', compared: 3, differ: 1 }),
    ]);
  });

  test('is of one tenant where one is named, which must be there', async () => {
    const world = captured('acme', 'globex', 'acme');
    expect(await run(world, { ...CAPTURED, tenant: 'globex' })).toMatchObject({ inputs: 1, differ: 1 });
    await expectFailureOf(run(world, { ...CAPTURED, tenant: 'initech' }), 'tenant-unknown');
  });

  test('leaves out whoever consents no longer, and what was tokenized otherwise', async () => {
    const world = captured('acme', 'globex', 'initech');
    world.consents.set('globex', false);
    world.consents.delete('initech');
    expect(await run(world, CAPTURED)).toMatchObject({ inputs: 1 });
    world.add(answer, { version: '3', tokenizerDigest: 'a'.repeat(64) });
    world.captures = [{ ...world.captures[0]!, version: '3' }];
    expect(await run(world, CAPTURED)).toMatchObject({ inputs: 0, compared: 0 });
    await expectFailureOf(run(world, { ...CAPTURED, to: '3' }), 'request-invalid', { field: 'source' });
  });

  test('of nothing compares nothing, and starts no process', async () => {
    const world = captured();
    expect(await run(world, CAPTURED)).toMatchObject({ inputs: 0, compared: 0, outputs: [], stopped: undefined });
    expect(world.loads).toEqual([]);
  });

  test('names at most a hundred that differ', async () => {
    const world = captured(...Array.from({ length: 150 }, () => 'acme'));
    world.add(() => label('another'), { version: '2' });
    const { differ, differing } = await run(world, CAPTURED);
    expect([differ, differing.length]).toEqual([150, 100]);
  });
});
