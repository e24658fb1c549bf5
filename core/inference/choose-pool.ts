import { Failure } from '../failure.ts';
import type { Manifest } from '../models/manifest.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { MINUTE_MS } from '../units.ts';

/**
 * Which workers run a tenant's requests of a model: the tenant's own, else those that the manifest names, else `default`.
 * `pool-unavailable` if the region no longer has them. Running elsewhere instead would break what a pool is for: a tenant's
 * share of its own, or memory and devices that other workers do not have. Jobs that were accepted while the pool was there
 * are never lost: the queue hands them to `default`.
 */
export function choosePool(
  pools: readonly string[],
  tenant: Pick<Tenant, 'pool'>,
  manifest: Pick<Manifest, 'pool'>,
): string {
  const pool = tenant.pool ?? manifest.pool;
  if (pool === undefined) return 'default';
  if (pools.includes(pool)) return pool;
  throw new Failure('pool-unavailable', { pool, retryAfterMs: MINUTE_MS });
}
