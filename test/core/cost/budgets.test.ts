import { expect, onTestFinished, test } from 'vitest';
import { type Budget, readScope } from '../../../core/cost/budget.ts';
import { createCostSource } from '../../../core/cost/measure-cost.ts';
import { dayOf, monthStart } from '../../../core/cost/meter-days.ts';
import { BudgetReader } from '../../../core/cost/read-budgets.ts';
import { costOfDay } from '../../../core/cost/read-cost.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../core/units.ts';
import { override } from '../../support/fault.ts';
import { openLocalPlatform } from '../../support/local-platform.ts';
import { aMeterRecord, aUse } from '../../support/meters.ts';

/** A region whose worker of one runner costs a dollar an hour, with what it did in some days. */
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
  const host = { budgets: ports.budgets, meters, clock, log: platform.log };
  const ran = async (day: number, hours: number, tenant = 'acme', pool = 'default') => {
    const worker = { pool, gpu: false, runners: 1, usdPerHour: 1, upMs: 2 * hours * HOUR_MS };
    await ports.meters.save(
      aMeterRecord(0, {
        day,
        writer: `${day} ${tenant}`,
        uses: [aUse({ tenant, computeMs: hours * HOUR_MS })],
        worker,
      }),
    );
  };
  const budget = (scope: string, amounts: Partial<Budget>) =>
    ports.budgets.write({ scope, alarmAt: [0.5, 0.8, 1], epoch: 1, ...amounts });
  return { ...{ host, clock, reads, ran, budget }, logged: platform.logged, today: dayOf(clock.nowMs()) };
}

test('a budget of a month counts since its first day, one of a day that day; of a region what was idle too', async () => {
  const { host, clock, today, ran, budget } = await open();
  const first = monthStart(today);
  for (const [day, hours] of [
    [first - 1, 100],
    [first, 3],
    [today - 1, 2],
    [today, 1],
  ] as const)
    await ran(day, hours);
  await ran(today, 7, 'globex');
  await budget('tenant:acme', { usdPerDay: 2, usdPerMonth: 8 });
  await budget('region', { usdPerMonth: 100 });
  await budget('model:m', { usdPerDay: 4 });
  const states = await new BudgetReader(host).read(clock.nowMs());
  const shown = states.map(({ budget: { scope }, spentDayUsd, share, reached }) => [
    scope,
    spentDayUsd,
    share,
    reached,
  ]);
  const rounded = shown.map((row) => row.map((each) => (typeof each === 'number' ? Number(each.toFixed(6)) : each)));
  expect(rounded).toEqual([
    ['model:m', 8, 2, 1],
    // Twice what ran: half of each worker's time was idle.
    ['region', 16, 0.26, undefined],
    ['tenant:acme', 1, 0.75, 0.5],
  ]);
});

test('days that are over are read once, whatever is asked each minute; a new budget reads them once more', async () => {
  const { host, clock, today, ran, budget, reads } = await open();
  await ran(today - 3, 1);
  await budget('tenant:acme', { usdPerMonth: 10 });
  const reader = new BudgetReader(host);
  for (let minute = 0; minute < 5; minute += 1) {
    await reader.read(clock.nowMs());
    await clock.advance(MINUTE_MS);
  }
  const past = () => reads.filter((day) => day < today).length;
  const days = today - monthStart(today);
  expect([past(), reads.filter((day) => day === today).length]).toEqual([days, 5]);
  await budget('region', { usdPerMonth: 10 });
  await reader.read(clock.nowMs());
  await reader.read(clock.nowMs());
  expect(past()).toBe(2 * days);
});

test('a day is not remembered before what comes late of it is there', async () => {
  const { host, clock, today, ran, budget } = await open();
  await budget('tenant:acme', { usdPerMonth: 10 });
  const reader = new BudgetReader(host);
  await clock.advance((today + 1) * DAY_MS - clock.nowMs() + 5 * MINUTE_MS);
  const spent = async () => (await reader.read(clock.nowMs()))[0]!.spentMonthUsd;
  expect(await spent()).toBe(0);
  await ran(today, 4);
  expect(await spent()).toBeCloseTo(4, 6);
});

test('the numbers of a minute: cost of the day, idle by pool, and budgets by what they are of', async () => {
  const { host, clock, today, ran, budget } = await open();
  await ran(today, 1);
  await ran(today, 3, 'globex', 'gpu');
  await budget('region', { usdPerDay: 16 });
  await budget('tenant:acme', { usdPerDay: 1 });
  await budget('model:m', { usdPerDay: 40 });
  const measures = await createCostSource(host)(host, clock.nowMs());
  expect(measures.map(({ metric, of, value }) => [metric, of, Number(value.toFixed(6))])).toEqual([
    ['cost_today_usd', {}, 8],
    ['cost_today_usd', { pool: 'default' }, 2],
    ['idle_share', { pool: 'default' }, 0.5],
    ['cost_today_usd', { pool: 'gpu' }, 6],
    ['idle_share', { pool: 'gpu' }, 0.5],
    ['budget_spent_share', { tenant: 'acme' }, 1],
    ['budget_alarming', { tenant: 'acme' }, 1],
    ['budget_spent_share', {}, 0.5],
    ['budget_alarming', {}, 1],
    ['budget_spent_share', { model: 'm' }, 0.1],
    ['budget_alarming', { model: 'm' }, 0],
  ]);
  expect(await costOfDay(host, clock.nowMs())).toBeCloseTo(8, 9);
  expect(await costOfDay(host, clock.nowMs() + DAY_MS)).toBe(0);
});

test.each(['', 'pool:default', 'tenant:', 'tenant:ACME', 'tenant:a:b', 'region:us', 'model:../x', 'tenant'])(
  'a scope of %j is none',
  (scope) => {
    expect(readScope(scope)).toBeUndefined();
  },
);

test('what cannot be added up by tenant is logged, and every number is there', async () => {
  const { host, clock, today, ran, logged } = await open();
  await ran(today, 1);
  const meters = override(host.meters, { readSummed: () => Promise.reject(new Error('the table is away')) });
  const measures = await createCostSource({ ...host, meters })(host, clock.nowMs());
  expect(measures.map(({ metric }) => metric)).toEqual(['cost_today_usd', 'cost_today_usd', 'idle_share']);
  expect(logged.filter((line) => line.includes('a day not added up by tenant'))).toHaveLength(1);
});
