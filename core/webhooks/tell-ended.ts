import type { EndedJob } from '../ports/jobs.ts';
import type { Platform } from '../ports/platform.ts';
import { MINUTE_MS } from '../units.ts';
import { fanOut } from './fan-out.ts';

/** Ends noted down in one step, which is two commits: a backlog goes at tens of thousands a second, one tenant's or all. */
const TAKEN_JOBS = 500;
/** Far more than a step takes, unless its process ends. */
const LEASE_MS = MINUTE_MS;

/**
 * Turns ends of accepted predictions into deliveries. The deliveries are durable before the end is marked, and have the same
 * ids if a crash in between makes it happen again: none is lost and none is doubled. Returns how many ends there were.
 */
export async function tellEnded(ports: Pick<Platform, 'jobs' | 'webhooks' | 'clock'>): Promise<number> {
  const nowMs = ports.clock.nowMs();
  const ended = await ports.jobs.takeEnded(nowMs, nowMs + LEASE_MS, TAKEN_JOBS);
  if (ended.length === 0) return 0;
  const deliveries = await Promise.all(
    [...byTenant(ended)].map(async ([tenant, jobs]) => {
      const endpoints = await ports.webhooks.listEndpoints(tenant);
      return jobs.flatMap((job) => fanOut(job, endpoints, nowMs));
    }),
  );
  await ports.webhooks.addDeliveries(deliveries.flat());
  await Promise.all(ended.map(({ tenant, id }) => ports.jobs.markNotified(tenant, id)));
  return ended.length;
}

function byTenant(ended: readonly EndedJob[]): Map<string, EndedJob[]> {
  const tenants = new Map<string, EndedJob[]>();
  for (const job of ended) {
    const jobs = tenants.get(job.tenant);
    if (jobs === undefined) tenants.set(job.tenant, [job]);
    else jobs.push(job);
  }
  return tenants;
}
