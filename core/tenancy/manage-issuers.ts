import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { IssuerRecord } from '../ports/registry.ts';

type IssuerPorts = Pick<Platform, 'registry'>;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Trusts an issuer for the tenants it names, or changes that. Its keys must come over https (or from this machine), as
 * whoever can change them on the way can be anybody. Roles above the tenants' need an issuer of every tenant.
 */
export async function putIssuer(ports: IssuerPorts, issuer: IssuerRecord): Promise<IssuerRecord> {
  const url = new URL(issuer.jwksUri);
  if (url.protocol !== 'https:' && !LOOPBACK.has(url.hostname)) {
    throw new Failure('request-invalid', { field: 'jwks_uri', detail: 'keys must be fetched over https' });
  }
  const aboveTenants = issuer.maxRole === 'operator' || issuer.maxRole === 'admin';
  if (aboveTenants && !issuer.tenants.includes('*')) {
    throw new Failure('request-invalid', {
      field: 'max_role',
      detail: 'an issuer bound to tenants grants tenant roles',
    });
  }
  await ports.registry.writeIssuer(issuer);
  return issuer;
}
