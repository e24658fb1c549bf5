import { expect, onTestFinished, test } from 'vitest';
import { findOrphans } from '../../../core/cost/find-orphans.ts';
import { dayOf } from '../../../core/cost/meter-days.ts';
import { DAY_MS } from '../../../core/units.ts';
import { aVersion } from '../../support/jobs.ts';
import { openLocalPlatform } from '../../support/local-platform.ts';
import { aMeterRecord, aUse } from '../../support/meters.ts';
import { aStart } from '../../support/release-start.ts';
import { aReport } from '../../support/telemetry.ts';

const DAYS = 30;

async function open() {
  const platform = await openLocalPlatform();
  onTestFinished(() => platform.close());
  const { ports, clock } = platform;
  const config = { region: 'us', regionUrls: {}, corsOrigins: [], pools: ['default'], usdPerComputeHour: 1 };
  return {
    ...{ ports, clock, nowMs: clock.nowMs() },
    /** Versions of a model, each pushed so many days ago; the first is stable. */
    async push(model: string, ...agesDays: readonly number[]) {
      for (const [at, age] of agesDays.entries()) {
        const { version: _, ...pushed } = aVersion({ model });
        const digest = String(at).padEnd(64, '0');
        await ports.registry.addVersion({ ...pushed, digest, pushedAtMs: clock.nowMs() - age * DAY_MS });
      }
      await ports.registry.writeRoute({ model, stable: '1', epoch: 1 });
    },
    async ran(daysAgo: number, changes: Parameters<typeof aUse>[0], pool = 'default') {
      const day = dayOf(clock.nowMs()) - daysAgo;
      await ports.meters.save(
        aMeterRecord(0, { day, writer: crypto.randomUUID(), uses: [aUse(changes)], worker: { pool } }),
      );
    },
    find: async (pools = ['default']) =>
      (await findOrphans({ ...ports, clock, config: { ...config, pools } }, DAYS)).orphans.map((orphan) =>
        orphan.kind === 'pool' ? orphan.pool : `${orphan.kind} ${orphan.model} ${orphan.version}`,
      ),
  };
}

test('a model that nobody called is one, and one that somebody called is none, from the cache alone too', async () => {
  const { ports, nowMs, push, ran, find } = await open();
  for (const model of ['called', 'cached', 'long-ago', 'never', 'shadowed']) await push(model, 40);
  await push('new', 40, 5);
  await ran(2, { model: 'called' });
  await ran(35, { model: 'long-ago' });
  await ran(1, { model: 'shadowed', tenant: '' });
  await ports.telemetry.append([aReport(nowMs - 3 * DAY_MS, { model: 'cached' })]);
  expect(await find()).toEqual(['model long-ago 1', 'model never 1', 'model shadowed 1']);
});

test('a version is one that is not stable, was in no release and was not called by its number', async () => {
  const { ports, nowMs, push, ran, find } = await open();
  await push('m', 90, 80, 70, 60, 50, 5);
  await ran(0, { version: '1' });
  await ran(10, { version: '3' });
  const { release, audits } = aStart(nowMs, { model: 'm', stable: '1', candidate: '4' });
  await ports.releases.start(release, audits);
  expect(await find()).toEqual(['version m 5', 'version m 2']);
});

test('a pool is one whose workers ran nothing for anybody, with what that cost', async () => {
  const { ports, clock, ran, find } = await open();
  await ran(1, {}, 'default');
  await ran(1, { tenant: '' }, 'gpu');
  expect(await find(['default', 'gpu', 'unused'])).toEqual(['gpu', 'unused']);
  const config = { region: 'us', regionUrls: {}, corsOrigins: [], pools: ['gpu'], usdPerComputeHour: 1 };
  const { orphans } = await findOrphans({ ...ports, clock, config }, DAYS);
  expect(orphans).toMatchObject([{ kind: 'pool', pool: 'gpu', nanoUsd: expect.any(Number) }]);
  expect(orphans[0]!.kind === 'pool' && orphans[0]!.nanoUsd).toBeGreaterThan(0);
});
