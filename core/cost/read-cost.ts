import type { Platform } from '../ports/platform.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { DAY_MS } from '../units.ts';
import { dayOf, firstKeptDay, monthStart } from './meter-days.ts';
import { NANO_USD, type PricedUse, priceDay } from './price-day.ts';
import { type CostBy, type CostSum, CostSums, type Spent, sumSpent } from './sum-cost.ts';
import { eachTenantUse } from './sum-tenants.ts';

/** Days that are read at once: of a busy region some hundred records each. */
const READ_AT_ONCE = 8;

type CostPorts = Pick<Platform, 'meters' | 'clock'>;

/** From the first day on and before the last. */
export type Days = { readonly from: number; readonly until: number };

export type CostQuery = {
  readonly days: Days;
  readonly by: CostBy;
  /** Of this tenant alone, without what was idle. */
  readonly tenant?: string | undefined;
  /** Versions that have a line, if `by` is model or version, though they may have computed nothing. */
  readonly versions?: readonly { readonly model: string; readonly version: string }[] | undefined;
  /** Lines; what is beyond is added up. */
  readonly most: number;
};

/** The last thirty days and this one, where a span is not told; days that are no longer kept, or not yet there, cost nothing. */
export function daysOf(fromMs: number | undefined, untilMs: number | undefined, nowMs: number): Days {
  const today = dayOf(nowMs);
  const until = untilMs === undefined ? today + 1 : Math.ceil(untilMs / DAY_MS);
  return { from: fromMs === undefined ? Math.min(today, until) - 30 : dayOf(fromMs), until };
}

/** What the region's workers cost and who used them. */
export async function readCost(
  ports: CostPorts,
  { days, by, tenant, versions = [], most }: CostQuery,
): Promise<CostSum> {
  const sums = new CostSums(by);
  for (const version of versions) sums.addModel(version);
  if (tenant === undefined) await eachDay(ports, days, (priced) => sums.add(priced));
  else await eachUseOf(ports, tenant, days, (use) => sums.addUse(use));
  return sums.sum(most);
}

function eachUseOf(ports: CostPorts, tenant: string, days: Days, take: (use: PricedUse) => void): Promise<void> {
  const saved = (some: Days) =>
    eachDay(ports, some, ({ uses }) => {
      for (const use of uses) if (use.tenant === tenant) take(use);
    });
  return eachTenantUse(ports.meters, { ...days, tenant }, saved, take);
}

/** What a tenant has used since its UTC month began. */
export async function monthToDate(
  ports: CostPorts,
  { id, createdAtMs }: Pick<Tenant, 'id' | 'createdAtMs'>,
): Promise<Spent> {
  const today = dayOf(ports.clock.nowMs());
  const days = ofTenant({ from: monthStart(today), until: today + 1 }, createdAtMs);
  const uses: PricedUse[] = [];
  await eachUseOf(ports, id, days, (use) => uses.push(use));
  return sumSpent(uses);
}

/** Since a tenant was made: what an earlier one of its name used is none of its business. */
export function ofTenant({ from, until }: Days, createdAtMs: number): Days {
  return { from: Math.max(from, dayOf(createdAtMs)), until };
}

/** US dollars that the workers of the UTC day have cost so far, whoever used them. */
export async function costOfDay(ports: CostPorts, nowMs: number): Promise<number> {
  const { workers } = priceDay(await ports.meters.read(dayOf(nowMs)));
  return workers.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0) * NANO_USD;
}

export async function eachDay(
  { meters, clock }: CostPorts,
  { from, until }: Days,
  take: (priced: ReturnType<typeof priceDay>) => void,
): Promise<void> {
  const nowMs = clock.nowMs();
  const last = Math.min(until, dayOf(nowMs) + 1);
  for (let day = Math.max(from, firstKeptDay(nowMs)); day < last; day += READ_AT_ONCE) {
    const some = Array.from({ length: Math.min(READ_AT_ONCE, last - day) }, (_, at) => day + at);
    for (const records of await Promise.all(some.map((each) => meters.read(each)))) take(priceDay(records));
  }
}
