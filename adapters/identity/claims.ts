import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { IssuerRecord } from '../../core/ports/registry.ts';
import { type Principal, roleReaches, roleSchema } from '../../core/tenancy/principal.ts';
import { tenantIdSchema } from '../../core/tenancy/tenant.ts';

/** Printable, so that it can stand in logs and keys. */
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u);

/** The claims that Sluice reads. Issuers add others of their own, which mean nothing here. */
const claimsSchema = z.object({
  sub: name,
  sluice_role: roleSchema,
  sluice_tenant: tenantIdSchema.optional(),
  sluice_models: z.array(z.string().max(63)).max(1000).optional(),
  sluice_user: name.optional(),
});

/**
 * The principal that verified claims name, within what their issuer may grant: its tenants, roles up to its strongest.
 * Roles above the tenants' are only for issuers of every tenant ('*'). Throws `credentials-invalid` naming the claim.
 */
export function toPrincipal(payload: JWTPayload, issuer: IssuerRecord): Principal {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw refused(String(parsed.error.issues[0]?.path[0] ?? 'claims'), 'missing or malformed');
  const { sub, sluice_role: role, sluice_tenant: tenant, sluice_models: models, sluice_user: user } = parsed.data;
  if (!roleReaches(issuer.maxRole, role)) throw refused('sluice_role', 'stronger than this issuer may grant');
  const everyTenant = issuer.tenants.includes('*');
  if (role === 'operator' || role === 'admin') {
    if (tenant !== undefined) throw refused('sluice_tenant', 'an operator has no tenant');
    if (!everyTenant) throw refused('sluice_role', 'this issuer is bound to tenants');
  } else {
    if (tenant === undefined) throw refused('sluice_tenant', 'missing');
    if (!everyTenant && !issuer.tenants.includes(tenant)) throw refused('sluice_tenant', 'not one of this issuer');
  }
  return { id: `user:${sub}`, tenant, role, models, user };
}

function refused(claim: string, why: string): Failure {
  return new Failure('credentials-invalid', { claim, detail: `claim ${claim}: ${why}` });
}
