import type { Meters, TenantDay, TenantUse } from '../ports/meters.ts';
import type { Platform } from '../ports/platform.ts';
import { HOUR_MS } from '../units.ts';
import { dayOf } from './meter-days.ts';
import { type PricedUse, priceDay } from './price-day.ts';

/** A day whose end is so long past has all its records: workers save within minutes. */
export const SETTLED_AFTER_MS = HOUR_MS;

/**
 * Adds up one day that is over and was not yet, by tenant: so that a tenant's month is one small read, however many tenants and workers there are.
 * To be called once a minute; doing it twice, or two at once, changes nothing. After a pause it catches up by a day a call. What a worker
 * saves of a day later than an hour after its end is missing from these sums, and from nothing else.
 */
export async function sumTenants({ meters }: Pick<Platform, 'meters'>, nowMs: number): Promise<void> {
  const settled = dayOf(nowMs - SETTLED_AFTER_MS);
  const summed = await meters.readSummed();
  if (summed === undefined) return meters.markSummed({ since: settled, until: settled });
  if (summed.until >= settled) return;
  await meters.keepTenantDays(tenantDaysOf(summed.until, priceDay(await meters.read(summed.until)).uses));
  await meters.markSummed({ ...summed, until: summed.until + 1 });
}

/** What of each tenant was priced, by model, version and pool. */
function tenantDaysOf(day: number, priced: readonly PricedUse[]): readonly TenantDay[] {
  const tenants = new Map<string, Map<string, { -readonly [Member in keyof TenantUse]: TenantUse[Member] }>>();
  for (const { tenant, model, version, pool, ...spent } of priced) {
    if (tenant === '') continue;
    const uses = tenants.get(tenant) ?? new Map();
    tenants.set(tenant, uses);
    const key = `${model} ${version} ${pool}`;
    const sum = uses.get(key) ?? { model, version, pool, computeMs: 0, rows: 0, requests: 0, nanoUsd: 0 };
    uses.set(key, sum);
    for (const what of ['computeMs', 'rows', 'requests', 'nanoUsd'] as const) sum[what] += spent[what];
  }
  return [...tenants].map(([tenant, uses]) => ({ tenant, day, uses: [...uses.values()] }));
}

/** What a tenant used from a day on and before another: of days that are summed up from their sums, else from what workers saved. */
export async function eachTenantUse(
  meters: Pick<Meters, 'readSummed' | 'readTenantDays'>,
  { tenant, from, until }: { readonly tenant: string; readonly from: number; readonly until: number },
  read: (days: { readonly from: number; readonly until: number }) => Promise<void>,
  take: (use: PricedUse) => void,
): Promise<void> {
  const { since, until: end } = (await meters.readSummed()) ?? { since: until, until };
  const [first, last] = [Math.max(from, since), Math.min(until, end)];
  if (first >= last) return read({ from, until });
  await read({ from, until: first });
  for (const { day, uses } of await meters.readTenantDays(tenant, first, last))
    for (const use of uses) take({ ...use, tenant, day });
  await read({ from: last, until });
}
