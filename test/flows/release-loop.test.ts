import { expect, onTestFinished, test, vi } from 'vitest';
import { MINUTE_MS } from '../../core/units.ts';
import { ringingReleases, startReleaseLoop } from '../../embedded/release-loop.ts';
import { Alarm } from '../../embedded/validator.ts';
import { override } from '../support/fault.ts';
import { aStart } from '../support/release-start.ts';
import { ReleaseWorld } from '../support/release-world.ts';

const PLAN = { steps: [{ gate: { timeoutS: 3600 } }, { setWeight: 100 }] };

/** A loop on a world of its own, with how often it has looked for releases. */
async function startLoop() {
  const world = await ReleaseWorld.open();
  const alarm = new Alarm();
  const { ports, clock } = world.local;
  const counted = { looks: 0 };
  const releases = override(ports.releases, {
    listOpen() {
      counted.looks += 1;
      return ports.releases.listOpen();
    },
  });
  const loop = startReleaseLoop({ ...world.ports(), telemetry: ports.telemetry, clock, releases }, alarm);
  onTestFinished(async () => {
    await loop.stop();
    await world.local.close();
  });
  await vi.waitFor(() => expect(counted.looks).toBe(1));
  return { world, counted, releases: ringingReleases(ports.releases, alarm) };
}

test('a loop with no open release looks once a minute, and at once when one is started', async () => {
  const { world, counted, releases } = await startLoop();
  for (let at = 0; at < 59; at += 1) await world.local.clock.advance(1000);
  expect(counted.looks).toBe(1);
  await world.local.clock.advance(MINUTE_MS);
  await vi.waitFor(() => expect(counted.looks).toBe(2));
  const { release, audits } = aStart(world.nowMs(), { plan: PLAN });
  await releases.start(release, audits);
  await vi.waitFor(() => expect(counted.looks).toBe(3));
});

test('a loop ends a gate that nobody approves when its time is over, and not before', async () => {
  const { world, releases } = await startLoop();
  const { release, audits } = aStart(world.nowMs(), { plan: PLAN });
  await releases.start(release, audits);
  const state = async () => (await releases.read(release.id))?.state.kind;
  for (let minute = 0; minute < 59; minute += 1) await world.local.clock.advance(MINUTE_MS);
  expect(await state()).toBe('gated');
  await vi.waitFor(async () => {
    await world.local.clock.advance(MINUTE_MS);
    expect(await state()).toBe('rolled-back');
  });
  await vi.waitFor(async () => expect(await releases.listOpen()).toEqual([]));
});
