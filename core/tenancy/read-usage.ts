import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
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
};

/** `tenant-unknown`, `plan-unknown`. */
export async function readUsage(ports: Pick<Platform, 'registry' | 'limits' | 'clock'>, id: string): Promise<Usage> {
  const tenant = await readTenant(ports, id);
  const plan = await ports.registry.readPlan(tenant.plan);
  if (plan === undefined) throw new Failure('plan-unknown', { plan: tenant.plan });
  const used = await ports.limits.usage(id, ports.clock.nowMs());
  return {
    tenant: id,
    ...used,
    dailyComputeMs: tenant.overrides.dailyComputeMs ?? plan.limits.dailyComputeMs,
    requestsInFlight: tenant.overrides.requestsInFlight ?? plan.limits.requestsInFlight,
  };
}
