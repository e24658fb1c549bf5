import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { readTenant } from './manage-tenants.ts';
import type { Principal } from './principal.ts';
import type { Tenant } from './tenant.ts';

type ConsentPorts = Pick<Platform, 'registry' | 'captures' | 'log'>;

/** Writers of one tenant's record at one moment that a withdrawal outlasts. */
const MOST_ATTEMPTS = 10;

/**
 * Gives or withdraws a tenant's consent to copies of its predictions being kept. Only the tenant itself gives it
 * (`forbidden` for an operator); operators may withdraw it, as a privacy officer would have them do on request. Once a withdrawal
 * has resolved nothing that was captured is left, and nothing is captured of what is still running. Repeating
 * a withdrawal erases again, so one that failed half way is repeated until it succeeds. `tenant-unknown`.
 */
export async function setCaptureConsent(
  ports: ConsentPorts,
  asker: Pick<Principal, 'id' | 'tenant'>,
  id: string,
  consent: boolean,
): Promise<Tenant> {
  if (consent && asker.tenant !== id) {
    const detail = 'only the tenant itself gives this consent; operators may withdraw it';
    throw new Failure('forbidden', { field: 'consent', requiredRole: 'tenant-admin', detail });
  }
  const tenant = await writeConsent(ports, id, consent);
  // After the record: a worker that reads it from now on captures nothing, and what came before is erased.
  if (!consent) await ports.captures.erase(id);
  ports.log.info(consent ? 'capture consent given' : 'capture consent withdrawn', { tenant: id, principal: asker.id });
  return tenant;
}

/** Another change of the record at the same time does not stand in the way of this one member. */
async function writeConsent({ registry }: Pick<Platform, 'registry'>, id: string, consent: boolean): Promise<Tenant> {
  for (let attempt = 1; ; attempt += 1) {
    const tenant = await readTenant({ registry }, id);
    if (tenant.captureConsent === consent) return tenant;
    const changed = { ...tenant, captureConsent: consent, epoch: tenant.epoch + 1 };
    try {
      await registry.writeTenant(changed);
      return changed;
    } catch (error) {
      const lost = error instanceof Failure && error.code === 'state-conflict';
      if (!lost || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}
