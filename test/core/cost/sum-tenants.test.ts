import { expect, onTestFinished, test } from 'vitest';
import { dayOf } from '../../../core/cost/meter-days.ts';
import { monthToDate, readCost } from '../../../core/cost/read-cost.ts';
import { sumTenants } from '../../../core/cost/sum-tenants.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../core/units.ts';
import { override } from '../../support/fault.ts';
import { openLocalPlatform } from '../../support/local-platform.ts';
import { aMeterRecord, aUse } from '../../support/meters.ts';

async function open() {
  const platform = await openLocalPlatform();
  onTestFinished(() => platform.close());
  const { ports, clock } = platform;
  const reads: number[] = [];
  const meters = override(ports.meters, {
    read(day) {
      reads.push(day);
      return ports.meters.read(day);
    },
  });
  const today = () => dayOf(clock.nowMs());
  return {
    ...{ clock, reads, today, host: { meters, clock } },
    async ran(day: number, writer: string, tenant = 'acme') {
      const uses = [
        aUse({ tenant, computeMs: HOUR_MS / 4 }),
        aUse({ tenant: '', computeMs: 5 }),
        aUse({ tenant, model: 'n' }),
      ];
      await ports.meters.save(
        aMeterRecord(0, { day, writer, uses, worker: { upMs: HOUR_MS, runners: 1, usdPerHour: 1 } }),
      );
    },
    /** Days pass, in each of which two workers ran for two tenants, and a watch looks every hour. */
    async pass(days: number, ran: (day: number) => Promise<void>) {
      for (let hour = 0; hour < days * 24; hour += 1) {
        if (hour % 24 === 0) await ran(today());
        await sumTenants({ meters }, clock.nowMs());
        await clock.advance(HOUR_MS);
      }
      await sumTenants({ meters }, clock.nowMs());
    },
  };
}

test('what a tenant used is the same, added up or not, and of days that are it is read in one', async () => {
  const { host, clock, reads, today, ran, pass } = await open();
  await pass(6, async (day) => {
    for (const tenant of ['acme', 'globex'])
      for (const writer of ['a', 'b']) await ran(day, `${writer} ${tenant}`, tenant);
  });
  const days = { from: today() - 20, until: today() + 1 };
  const cost = (tenant: string | undefined, by: 'day' | 'model' | 'version' | 'pool') =>
    readCost(host, { days, by, tenant, most: 100 });
  for (const by of ['day', 'model', 'version', 'pool'] as const) {
    const own = await cost('acme', by);
    const plain = { ...host, meters: override(host.meters, { readSummed: async () => undefined }) };
    expect(own.lines).toEqual((await readCost(plain, { days, by, tenant: 'acme', most: 100 })).lines);
    expect(own.lines.reduce((sum, { spent }) => sum + spent.requests, 0)).toBe(6 * 4);
  }
  const all = (await cost(undefined, 'day')).lines.reduce((sum, { spent }) => sum + spent.nanoUsd, 0);
  expect(all).toBeGreaterThan(0);
  reads.length = 0;
  const { requests } = await monthToDate(host, { id: 'acme', createdAtMs: 0 });
  expect(requests).toBe(6 * 4);
  // Of this month the days before the first that was added up, yesterday until an hour has passed, and today.
  const since = (await host.meters.readSummed())!.since;
  expect(reads.every((day) => day < since || day >= today() - 1)).toBe(true);
  expect(clock.nowMs()).toBeGreaterThan(since * DAY_MS);
});

test('a day is added up an hour after its end, and again where that was cut off', async () => {
  const { host, clock, today, ran } = await open();
  const day = today();
  await sumTenants(host, clock.nowMs());
  await ran(day, 'a');
  await clock.advance((day + 1) * DAY_MS + HOUR_MS - clock.nowMs() - MINUTE_MS);
  await sumTenants(host, clock.nowMs());
  expect(await host.meters.readTenantDays('acme', 0, day + 1)).toEqual([]);
  await clock.advance(MINUTE_MS);
  const cutOff = override(host.meters, { markSummed: () => Promise.reject(new Error('killed')) });
  await expect(sumTenants({ meters: cutOff }, clock.nowMs())).rejects.toThrow('killed');
  const uses = async () => (await host.meters.readTenantDays('acme', 0, day + 1))[0]?.uses;
  const first = await uses();
  await Promise.all([sumTenants(host, clock.nowMs()), sumTenants(host, clock.nowMs())]);
  expect([await uses(), (await host.meters.readSummed())!.until]).toEqual([first, day + 1]);
  expect(first).toMatchObject([{ model: 'm', computeMs: HOUR_MS / 4, requests: 1 }, { model: 'n' }]);
});

test('a region whose watch was away catches up by a day a look, and reads the rest as it was saved', async () => {
  const { host, clock, today, ran } = await open();
  await sumTenants(host, clock.nowMs());
  const first = today();
  for (let day = 0; day < 4; day += 1) {
    await ran(today(), 'a');
    await clock.advance(DAY_MS);
  }
  for (let look = 0; look < 3; look += 1) {
    expect((await monthToDate(host, { id: 'acme', createdAtMs: 0 })).requests).toBe(8);
    await sumTenants(host, clock.nowMs());
  }
  expect((await host.meters.readSummed())!.until).toBe(first + 3);
});
