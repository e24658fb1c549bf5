import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import type { IssuerRecord } from '../../core/ports/registry.ts';
import { type Principal, ROLES, type Role, roleReaches, roleSchema } from '../../core/tenancy/principal.ts';
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
  sluice_role: roleSchema.optional(),
  sluice_tenant: tenantIdSchema.optional(),
  sluice_models: z.array(z.string().max(63)).max(1000).optional(),
  sluice_user: name.optional(),
  'cognito:groups': z.array(z.string()).max(100).optional(),
});

/** A group of Amazon Cognito that stands for a role: `sluice-operator`, `sluice-tenant-admin.acme`. Others mean nothing here. */
const GROUP = /^sluice-(?:(operator|admin)|(tenant-user|tenant-admin)\.([a-z][a-z0-9-]{1,62}))$/;

type RoleClaims = { readonly role: Role; readonly tenant: string | undefined };

/**
 * The principal that verified claims name, or the groups of Amazon Cognito in them, within what their issuer may grant: its tenants, roles up to its strongest.
 * Roles above the tenants' are only for issuers of every tenant ('*'). Throws `credentials-invalid` naming the claim.
 */
export function toPrincipal(payload: JWTPayload, issuer: IssuerRecord): Principal {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw refused(String(parsed.error.issues[0]?.path[0] ?? 'claims'), 'missing or malformed');
  const { sub, sluice_models: models, sluice_user: user } = parsed.data;
  const { role, tenant } = roleOf(parsed.data);
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

/** What the token says itself; else the strongest of its groups, which must not be of two tenants. */
function roleOf(claims: z.output<typeof claimsSchema>): RoleClaims {
  const { sluice_role: said, sluice_tenant: tenant, 'cognito:groups': groups = [] } = claims;
  if (said !== undefined) return { role: said, tenant };
  const granted = groups.flatMap((group): RoleClaims[] => {
    const [, ofRegion, ofTenant, id] = GROUP.exec(group) ?? [];
    const role = roleSchema.safeParse(ofRegion ?? ofTenant).data;
    return role === undefined ? [] : [{ role, tenant: id }];
  });
  const [strongest, ...others] = granted.toSorted((a, b) => ROLES.indexOf(b.role) - ROLES.indexOf(a.role));
  if (strongest === undefined) throw refused('sluice_role', 'missing or malformed');
  const rivals = others.filter(({ role }) => role === strongest.role && role !== 'operator' && role !== 'admin');
  if (rivals.some((rival) => rival.tenant !== strongest.tenant)) {
    throw refused('cognito:groups', 'of more than one tenant');
  }
  return strongest;
}

function refused(claim: string, why: string): Failure {
  return new Failure('credentials-invalid', { claim, detail: `claim ${claim}: ${why}` });
}
