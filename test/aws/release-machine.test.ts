import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { giveVerb } from '../../core/release/manage-releases.ts';
import { MOST_LOOKS } from '../../lambdas/release/clock.ts';
import { DynamoEmulator } from '../support/aws/dynamo-emulator.ts';
import { FakeEcs } from '../support/aws/fake-ecs.ts';
import { ReleaseExecutions } from '../support/aws/release-executions.ts';
import { ReleaseRegion } from '../support/aws/release-region.ts';
import { ReleaseWorld } from '../support/release-world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Where AWS ends an execution. */
const MOST_EVENTS = 25_000;
const HOLD = { seconds: 20, minRequests: 20, escalateAfterS: 3600 };
const PLAN = {
  steps: [{ setWeight: 25, hold: HOLD }, { setWeight: 50, hold: HOLD }, { setWeight: 100 }],
  watch: { seconds: 30 },
  warmWithinS: 60,
};

let dynamo: DynamoEmulator;
let ecs: FakeEcs;
beforeAll(async () => {
  // For the ports that this process opens.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
  [dynamo, ecs] = await Promise.all([DynamoEmulator.start(), FakeEcs.start()]);
});
afterAll(() => Promise.all([dynamo.stop(), ecs.stop()]));

async function openWorld() {
  const region = await ReleaseRegion.open(dynamo, ecs);
  onTestFinished(() => region.close());
  const world = await ReleaseWorld.over(region);
  return { world, region, releases: region.ports.releases, machine: new ReleaseExecutions(world) };
}
type World = Awaited<ReturnType<typeof openWorld>>;

let verbs = 0;
function say({ region }: World, id: string, verb: 'abort' | 'pause' | 'resume' | 'approve', by = 'user:a') {
  verbs += 1;
  return giveVerb({ ...region.ports, clock: region.clock, log: region.log }, id, {
    id: `v${verbs}`,
    verb,
    by,
    why: 'I say so',
  });
}

/** Calls each in its turn, at the first wake-up at which its release is in that state. */
function inTurn(at: World, id: string, ...turns: readonly { in: string; act: () => Promise<unknown> }[]): void {
  const left = [...turns];
  at.machine.onWake = async () => {
    const { state } = (await at.releases.read(id))!;
    if (left[0]?.in !== state.kind) return;
    await left.shift()!.act();
  };
}

const whats = ({ machine }: World) => machine.notices.map(({ what }) => what);

describe('the release clock', () => {
  test('takes a version that is no worse to everybody, tells of each step once and in order, and ends', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    const ended = await at.machine.run();
    expect(ended.status).toBe('succeeded');
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    expect(await at.world.stable()).toBe('2');
    expect(await at.releases.listOpen()).toEqual([]);
    expect(whats(at)).toEqual([
      'step 1 waits for capacity',
      'step 1 began',
      'step 2 began',
      'step 3 began',
      'promoted',
    ]);
    expect(at.machine.notices[0]).toMatchObject({
      deployment: 'test',
      region: 'us',
      model: 'm',
      release: id,
      epoch: 1,
    });
    expect(Math.min(...at.machine.waits)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...at.machine.waits)).toBeLessThanOrEqual(60);
    expect(at.machine.executions).toHaveLength(1);
  });

  test.each([
    ['an error rate', { errorRate: 0.5 }, 0],
    ['crashes of its runner', { crashes: 4 }, 0],
    ['errors that begin at the second step', { errorRate: 0.5 }, 1],
  ])('rolls back a version with %s, and says why', async (_, behaviour, step) => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    if (step === 0) at.world.behaviour['2'] = behaviour;
    at.machine.onWake = async () => {
      const { share } = (await at.releases.read(id))!;
      if (share.weight === 5000) at.world.behaviour['2'] = behaviour;
    };
    await at.machine.run();
    const { state } = (await at.releases.read(id))!;
    expect(state).toMatchObject({ kind: 'rolled-back', to: '1' });
    expect(await at.world.stable()).toBe('1');
    expect(whats(at).at(-1)).toBe('rolled back');
    expect(whats(at)).toContain(`step ${step + 1} began`);
    expect(whats(at)).not.toContain(`step ${step + 2} began`);
    expect(at.machine.notices.at(-1)).toMatchObject({ state: 'rolled-back', why: 'why' in state ? state.why : '' });
  });

  test('waits at a gate for two people, and goes on when the second has approved', async () => {
    const at = await openWorld();
    const { id } = await at.world.start({ ...PLAN, steps: [{ gate: { people: 2 } }, ...PLAN.steps] });
    inTurn(
      at,
      id,
      { in: 'gated', act: () => say(at, id, 'approve', 'user:a') },
      { in: 'gated', act: () => say(at, id, 'approve', 'user:b') },
    );
    await at.machine.run();
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    const said = at.machine.notices.filter(({ by }) => by.startsWith('user:'));
    expect(said.map(({ by, what }) => [by, what])).toEqual([
      ['user:a', 'gate of step 1 approved'],
      ['user:b', expect.stringContaining('step 2')],
    ]);
  });

  test('rolls back at a gate that nobody approves in time', async () => {
    const at = await openWorld();
    const { id } = await at.world.start({ ...PLAN, steps: [{ gate: { timeoutS: 600 } }, ...PLAN.steps] });
    const startMs = at.region.clock.nowMs();
    await at.machine.run();
    expect((await at.releases.read(id))?.state).toMatchObject({ kind: 'rolled-back' });
    const tookMs = at.region.clock.nowMs() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(600_000);
    expect(tookMs).toBeLessThanOrEqual(660_000);
    expect(at.machine.waits.length).toBeLessThanOrEqual(12);
  });

  test('rolls back a candidate that is never warm, whose traffic never flowed', async () => {
    const at = await openWorld();
    at.world.warm = 0;
    const { id } = await at.world.start(PLAN);
    await at.machine.run();
    expect(await at.releases.read(id)).toMatchObject({ state: { kind: 'rolled-back' }, segments: [] });
  });

  test('ends with an abort, which takes effect with its own write and not with the next look', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    inTurn(at, id, {
      in: 'stepping',
      act: async () => {
        await say(at, id, 'abort');
        expect((await at.releases.readLatest('m'))?.share.weight).toBe(0);
      },
    });
    const ended = await at.machine.run();
    expect(ended.status).toBe('succeeded');
    expect((await at.releases.read(id))?.state.kind).toBe('rolled-back');
    expect(at.machine.notices.at(-1)).toMatchObject({ what: 'rolled back', by: 'user:a' });
    expect(await at.releases.listOpen()).toEqual([]);
  });

  test('holds a paused release as it is, and takes it further once it is resumed', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    const pausedAt: number[] = [];
    inTurn(
      at,
      id,
      { in: 'stepping', act: () => say(at, id, 'pause') },
      { in: 'paused', act: async () => void pausedAt.push((await at.releases.read(id))!.share.weight) },
      { in: 'paused', act: async () => void pausedAt.push((await at.releases.read(id))!.share.weight) },
      { in: 'paused', act: () => say(at, id, 'resume') },
    );
    await at.machine.run();
    expect(pausedAt).toEqual([2500, 2500]);
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    expect(whats(at)).toEqual(expect.arrayContaining(['paused', 'resumed']));
  });

  test('goes on with the release that was started before it saw the end of the one before', async () => {
    const at = await openWorld();
    const first = await at.world.start(PLAN);
    let second: string | undefined;
    inTurn(at, first.id, {
      in: 'stepping',
      act: async () => {
        await say(at, first.id, 'abort');
        second = (await at.world.start(PLAN)).id;
      },
    });
    await at.machine.run();
    expect((await at.releases.read(second!))?.state.kind).toBe('promoted');
    expect(await at.releases.listOpen()).toEqual([]);
    const ofFirst = at.machine.notices.filter(({ release }) => release === first.id);
    expect(ofFirst.at(-1)?.what).toBe('rolled back');
    expect(at.machine.notices.at(-1)).toMatchObject({ release: second, what: 'promoted' });
  });

  test('continues as another execution long before the events of one are used up', async () => {
    const at = await openWorld();
    at.machine.users = 0;
    const { id } = await at.world.start({ ...PLAN, steps: [{ setWeight: 100 }], watch: { seconds: 2600 } });
    await at.machine.run('one');
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    const [first, second, ...more] = at.machine.executions;
    expect(more).toEqual([]);
    expect(second).toMatchObject({ name: 'one-1', status: 'succeeded' });
    expect(first!.states.filter((state) => state === 'Look')).toHaveLength(MOST_LOOKS);
    // All of its looks at their worst: five tries more, notices to tell of, and three tries more of those.
    const worst = first!.events + MOST_LOOKS * (5 * 3 + 5 + 2 + 3 * 3);
    expect(worst).toBeLessThan(MOST_EVENTS);
    expect(new Set(whats(at)).size).toBe(whats(at).length);
  }, 300_000);

  test('is continued once, however often the start is sent', async () => {
    const at = await openWorld();
    at.machine.users = 2;
    await at.world.start({ ...PLAN, steps: [{ setWeight: 100 }], watch: { seconds: 300 } });
    const input = { model: 'm', activation: 'twice', generation: 0, looks: MOST_LOOKS - 1, release: '', told: 0 };
    await at.machine.runAll([[input], [input]]);
    expect(at.machine.executions.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(at.machine.executions.filter(({ name }) => name === 'twice-1')).toHaveLength(1);
  });

  test('fails loudly if no look succeeds, and another execution goes on from there', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    at.machine.failLooks = 2 + 6;
    await at.machine.run('shaky');
    const [failed, next] = at.machine.executions;
    expect(failed).toMatchObject({
      status: 'failed',
      states: ['From where', 'Begin', 'Look', 'Rest', 'Hand over', 'Failed'],
    });
    expect(next).toMatchObject({ name: 'shaky-1', status: 'succeeded' });
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
  });

  test('goes on, though nobody can be told of it', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    at.machine.failTells = Number.POSITIVE_INFINITY;
    const ended = await at.machine.run();
    expect(ended.status).toBe('succeeded');
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    expect(at.machine.notices).toEqual([]);
  });

  test('goes on where it was after its function has lost all that it knew', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    let wakes = 0;
    at.machine.onWake = async () => {
      wakes += 1;
      if (wakes % 3 === 0) await at.region.crash();
    };
    await at.machine.run();
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    expect(new Set(whats(at)).size).toBe(whats(at).length);
  });
});

describe('without an execution', () => {
  test('the schedule takes a release to its end, a look at a time', async () => {
    const at = await openWorld();
    const { id } = await at.world.start(PLAN);
    for (let minutes = 0; minutes < 30 && (await at.releases.listOpen()).length > 0; minutes += 1) {
      await at.machine.pass(60_000);
      await at.world.report();
      await at.region.look({ source: 'aws.events' });
    }
    expect((await at.releases.read(id))?.state.kind).toBe('promoted');
    expect(await at.world.stable()).toBe('2');
  });

  test('a model that has none open is left as it is: a stable version set by hand stays', async () => {
    const at = await openWorld();
    await at.world.start(PLAN);
    await at.machine.run();
    const { registry } = at.region.ports;
    const route = (await registry.readRoute('m'))!;
    await registry.writeRoute({ ...route, stable: '1', epoch: route.epoch + 1 });
    const late = await at.machine.run('late');
    expect(late).toMatchObject({ status: 'succeeded', states: ['From where', 'Begin', 'Look', 'What next', 'Done'] });
    await at.region.look({ source: 'aws.events' });
    expect(await at.world.stable()).toBe('1');
  });
});
