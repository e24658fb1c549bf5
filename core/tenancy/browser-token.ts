import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { withinModels } from './manage-keys.ts';
import { readTenant } from './manage-tenants.ts';
import type { Principal } from './principal.ts';

/**
 * A token with which one end user's browser may predict for a tenant, 15 minutes long: for what a server's own key may
 * call and no more. `forbidden` where a browser token asks for another, which would make it last for ever.
 */
export async function issueBrowserToken(
  ports: Pick<Platform, 'registry' | 'identity' | 'clock'>,
  giver: Principal,
  spec: { readonly tenant: string; readonly user: string; readonly models: readonly string[] | undefined },
): Promise<{ token: string; expiresAtMs: number }> {
  if (giver.user !== undefined)
    throw new Failure('forbidden', { detail: 'the token of an end user cannot make tokens' });
  await readTenant(ports, spec.tenant);
  const models = withinModels(giver.models, spec.models);
  const claims = { tenant: spec.tenant, issuedBy: giver.id, user: spec.user, models };
  return ports.identity.issueBrowserToken(claims, ports.clock.nowMs());
}
