import { dayOf, monthStart } from '../cost/meter-days.ts';
import { NANO_USD } from '../cost/price-day.ts';
import { monthToDate } from '../cost/read-cost.ts';
import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { DAY_MS } from '../units.ts';
import { readTenant } from './manage-tenants.ts';

/** What a tenant has used of today's compute and how many of its requests are in flight, against its limits. */
export type Usage = {
  readonly tenant: string;
  /** Start of the UTC day. */
  readonly dayStartMs: number;
  /** Used and reserved. */
  readonly computeMs: number;
  readonly dailyComputeMs: number;
  readonly inFlight: number;
  readonly requestsInFlight: number;
  /** Since the UTC month began, of what workers have saved so far. */
  readonly month: {
    readonly startMs: number;
    readonly computeMs: number;
    readonly requests: number;
    readonly rows: number;
    readonly costUsd: number;
  };
};

/** `tenant-unknown`, `plan-unknown`. */
export async function readUsage(
  ports: Pick<Platform, 'registry' | 'limits' | 'meters' | 'clock'>,
  id: string,
): Promise<Usage> {
  const tenant = await readTenant(ports, id);
  const plan = await ports.registry.readPlan(tenant.plan);
  if (plan === undefined) throw new Failure('plan-unknown', { plan: tenant.plan });
  const nowMs = ports.clock.nowMs();
  const [used, spent] = await Promise.all([ports.limits.usage(id, nowMs), monthToDate(ports, tenant)]);
  return {
    tenant: id,
    ...used,
    dailyComputeMs: tenant.overrides.dailyComputeMs ?? plan.limits.dailyComputeMs,
    requestsInFlight: tenant.overrides.requestsInFlight ?? plan.limits.requestsInFlight,
    month: {
      startMs: monthStart(dayOf(nowMs)) * DAY_MS,
      computeMs: spent.computeMs,
      requests: spent.requests,
      rows: spent.rows,
      costUsd: spent.nanoUsd * NANO_USD,
    },
  };
}
