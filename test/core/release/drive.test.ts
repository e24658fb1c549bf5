import { describe, expect, onTestFinished, test } from 'vitest';
import { advance } from '../../../core/release/advance.ts';
import { driveRelease } from '../../../core/release/drive.ts';
import { isActive } from '../../../core/release/release.ts';
import { SegmentTelemetry } from '../../../core/release/segment-telemetry.ts';
import type { Verb } from '../../../core/release/verbs.ts';
import { override } from '../../support/fault.ts';
import { ReleaseWorld } from '../../support/release-world.ts';

const HOLD = { seconds: 20, minRequests: 20, escalateAfterS: 3600 };
const PLAN = {
  steps: [{ shadow: 50, hold: HOLD }, { setWeight: 25, hold: HOLD }, { setWeight: 50, hold: HOLD }, { setWeight: 100 }],
  watch: { seconds: 30 },
  warmWithinS: 60,
};

async function openWorld(): Promise<ReleaseWorld> {
  const world = await ReleaseWorld.open();
  onTestFinished(() => world.local.close());
  return world;
}

let verbs = 0;
async function give(world: ReleaseWorld, id: string, verb: 'abort' | 'pause' | 'promote-full'): Promise<void> {
  verbs += 1;
  const said: Verb = { kind: 'verb', id: `v${verbs}`, by: 'user:x', why: 'I say so', verb };
  const { releases } = world.local.ports;
  const next = advance((await releases.read(id))!, said, world.nowMs());
  if (next.kind === 'changed') await releases.write(next.release, next.audits);
}

describe('a driven release', () => {
  test('of a version that is no worse goes step by step to everybody, and then is the stable one', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    const { release } = await world.pass(id, 60);
    expect(release.state.kind).toBe('promoted');
    expect(await world.stable()).toBe('2');
    expect(await world.local.ports.releases.listOpen()).toEqual([]);
    const audits = await world.audits(id);
    expect(audits.map(({ what }) => what)).toEqual([
      'step 1 waits for capacity',
      'step 1 began',
      'step 2 began',
      'step 3 began',
      'step 4 began',
      'promoted',
    ]);
    expect(new Set(audits.slice(1).map(({ by }) => by))).toEqual(new Set(['sluice']));
  });

  test('of a version that fails is rolled back, and stable stays what it was', async () => {
    const world = await openWorld();
    world.behaviour['2'] = { errorRate: 0.5 };
    const { id } = await world.start(PLAN);
    const { release } = await world.pass(id, 60);
    expect(release.state).toMatchObject({ kind: 'rolled-back', to: '1' });
    expect(await world.stable()).toBe('1');
  });

  test('of a version that kills its runner is ended by the hard limit', async () => {
    const world = await openWorld();
    world.behaviour['2'] = { crashes: 2 };
    const { id } = await world.start(PLAN);
    const { release } = await world.pass(id, 10);
    expect(release.state).toMatchObject({
      kind: 'rolled-back',
      why: expect.stringContaining('crashed its runner 4 times'),
    });
  });

  test('of a slow version is rolled back for its latency', async () => {
    const world = await openWorld();
    world.behaviour['2'] = { latencyMs: 30 };
    const { id } = await world.start({ ...PLAN, steps: PLAN.steps.slice(1) });
    const { release } = await world.pass(id, 60, 1000);
    expect(release.state).toMatchObject({ kind: 'rolled-back', why: expect.stringContaining('latency') });
  });

  test('gives no traffic to a candidate that is not warm, asks for workers, and gives up in time', async () => {
    const world = await openWorld();
    world.warm = undefined;
    const { id } = await world.start(PLAN);
    const { release } = await world.pass(id, 11);
    expect(release.state).toMatchObject({ kind: 'scaling', step: 0 });
    expect(release.segments).toEqual([]);
    expect(world.woken).toContain('default');
    expect((await world.pass(id, 3)).release.state.kind).toBe('rolled-back');
  });

  test('waits with a step for as many warm runners as that needs', async () => {
    const world = await openWorld();
    world.warm = 2;
    const { id } = await world.start({ ...PLAN, warmWithinS: 600 });
    const waiting = (await world.pass(id, 40)).release;
    expect(waiting.share.weight).toBe(5000);
    expect(waiting.state).toMatchObject({ kind: 'scaling', step: 3 });
    world.warm = 4;
    expect((await world.pass(id, 1)).release.share.weight).toBe(10_000);
  });

  test('stays as it is without traffic: no data neither passes nor fails', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    const { release } = await world.pass(id, 60, 0);
    expect(release.state).toMatchObject({ kind: 'stepping', step: 0 });
  });

  test('ends with an abort wherever it is, and stable is what it was', async () => {
    for (const windows of [0, 3, 6, 9, 12, 14]) {
      const world = await openWorld();
      const { id } = await world.start(PLAN);
      const { release } = await world.pass(id, windows);
      expect(isActive(release)).toBe(true);
      await give(world, id, 'abort');
      expect((await world.look(id)).lookAtMs).toBeUndefined();
      expect(await world.stable()).toBe('1');
      expect(await world.local.ports.releases.listOpen()).toEqual([]);
    }
  });
});

describe('drivers of one release', () => {
  test('decide the same at once, each change once, whatever they have seen', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    const other = new SegmentTelemetry(world.local.ports);
    for (let windows = 0; windows < 30; windows += 1) {
      await world.pass(id, 1);
      await Promise.all([world.look(id), world.look(id, other), world.look(id, other)]);
    }
    expect((await world.local.ports.releases.read(id))?.state.kind).toBe('promoted');
    const whats = (await world.audits(id)).map(({ what }) => what);
    expect(whats).toEqual([...new Set(whats)]);
  });

  test('never bring back a stable version that another has replaced', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    await world.pass(id, 60, 200, ({ release }) => release.state.kind === 'watching');
    const { registry } = world.local.ports;
    // So that a driver has something to write while the release still says version 1.
    await registry.writeRoute({ model: 'm', stable: '3', epoch: 2 });
    const gate = Promise.withResolvers<void>();
    const held = override(registry, {
      async writeRoute(route) {
        await gate.promise;
        await registry.writeRoute(route);
      },
    });
    const seen = new SegmentTelemetry(world.local.ports);
    const looking = driveRelease({ ...world.ports(), registry: held }, seen, id, world.nowMs());
    await world.local.clock.advance(60_000);
    await world.look(id);
    expect(await world.stable()).toBe('2');
    gate.resolve();
    await looking;
    expect(await world.stable()).toBe('2');
  });
});

describe('a crash', () => {
  test('between a decision and what follows from it loses nothing: the next look does it', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    await world.pass(id, 60, 200, ({ release }) => release.state.kind === 'watching');
    await world.local.clock.advance(60_000);
    const cut = override(world.local.ports.registry, { writeRoute: () => Promise.reject(new Error('cut')) });
    const seen = new SegmentTelemetry(world.local.ports);
    // Warm as it is reported by a look.
    await world.report();
    await expect(driveRelease({ ...world.ports(), registry: cut }, seen, id, world.nowMs())).rejects.toThrow('cut');
    await world.crash();
    expect(await world.stable()).toBe('1');
    const open = await world.local.ports.releases.listOpen();
    expect(open.map(({ state }) => state.kind)).toEqual(['promoted']);
    await world.look(id);
    expect(await world.stable()).toBe('2');
    expect(await world.local.ports.releases.listOpen()).toEqual([]);
  });

  test('at any moment of a release leaves it where it was, and it goes on', async () => {
    const world = await openWorld();
    const { id } = await world.start(PLAN);
    for (let windows = 0; windows < 30; windows += 1) {
      await world.pass(id, 1);
      if (windows % 3 === 0) await world.crash();
    }
    expect((await world.local.ports.releases.read(id))?.state.kind).toBe('promoted');
    expect(await world.stable()).toBe('2');
  });
});
