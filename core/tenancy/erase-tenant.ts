import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import { changeTenant, readTenant } from './manage-tenants.ts';

type ErasePorts = Pick<
  Platform,
  | 'registry'
  | 'dataKeys'
  | 'jobs'
  | 'queue'
  | 'idempotency'
  | 'limits'
  | 'answers'
  | 'quarantine'
  | 'captures'
  | 'deadLetters'
  | 'feedbacks'
  | 'webhooks'
  | 'clock'
>;

/** Handlers may act on a tenant or a key that they read a second ago, and finish what they began; the rest is room for clocks. */
const SUSPENSION_KNOWN_MS = 1.5 * SECOND_MS;

/**
 * Destroys a tenant's data key, so that nothing sealed under it can ever be read again, then its rows. The tenant, its
 * plan and its keys stay, what it has used of its quota stays used, and what it cost stays known: ids and numbers. Safe to repeat after a failure; `tenant-unknown`.
 */
export async function eraseTenantData(ports: ErasePorts, tenant: string): Promise<void> {
  await readTenant(ports, tenant);
  await destroyData(ports, tenant);
}

/**
 * Suspends a tenant and revokes its keys, waits until every handler knows, then erases its data and its quota and removes
 * it. Safe to repeat after a failure: the record goes last. `tenant-unknown`.
 */
export async function removeTenant(
  ports: ErasePorts & Pick<Platform, 'budgets' | 'directory' | 'config'>,
  id: string,
): Promise<void> {
  await changeTenant(ports, id, { suspended: true });
  const nowMs = Math.floor(ports.clock.nowMs());
  for (const key of await ports.registry.listKeys(id)) await ports.registry.revokeKey(key.id, nowMs);
  await ports.clock.sleep(SUSPENSION_KNOWN_MS);
  await destroyData(ports, id);
  await ports.limits.erase(id);
  await ports.budgets.remove(`tenant:${id}`);
  await ports.directory.remove(id);
  await ports.registry.removeTenant(id);
}

/** The key first: what a crash leaves behind is unreadable. */
async function destroyData(ports: ErasePorts, tenant: string): Promise<void> {
  await ports.dataKeys.destroy(tenant);
  await ports.queue.erase(tenant);
  const unstarted = await ports.jobs.erase(tenant);
  // Before the rest: they hold places in flight that nobody else gives back.
  for (const id of unstarted) await ports.limits.settle(tenant, id, 0, ports.clock.nowMs());
  // After the jobs, whose answers would be kept.
  await ports.answers.erase(tenant);
  await ports.idempotency.erase(tenant);
  await ports.quarantine.erase(tenant);
  await ports.captures.erase(tenant);
  await ports.deadLetters.erase(tenant);
  await ports.feedbacks.erase(tenant);
  await ports.webhooks.erase(tenant);
}
