import { createLocalJWKSet, SignJWT } from 'jose';
import type { Identity } from '../../core/ports/identity.ts';
import type { Registry } from '../../core/ports/registry.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { checkKeyOf } from './issued-by.ts';
import type { LocalIssuer } from './jwt.ts';
import type { SigningKeySource } from './signing-key.ts';

const LIFETIME_MS = 15 * MINUTE_MS;
const ISSUER = 'sluice';

/**
 * The platform as an issuer of tokens for browsers: tenant-user at most, and only of this region (`aud`). A token ends with
 * the API key that it was issued for: `credentials-invalid` once that is revoked, expired or gone.
 */
export function browserTokenIssuer(
  signingKey: SigningKeySource,
  region: string,
  registry: Pick<Registry, 'readKey'>,
): LocalIssuer {
  return {
    check: (payload, nowMs) => checkKeyOf(registry, payload, nowMs),
    record: { issuer: ISSUER, audience: region, jwksUri: '', tenants: ['*'], maxRole: 'tenant-user' },
    keys: async (header, token) => createLocalJWKSet({ keys: [(await signingKey()).publicJwk] })(header, token),
  };
}

export function createBrowserTokenSigner(signingKey: SigningKeySource, region: string): Identity['issueBrowserToken'] {
  return async ({ tenant, issuedBy, user, models }, nowMs) => {
    const key = await signingKey();
    const issuedAtS = Math.floor(nowMs / SECOND_MS);
    const expiresAtS = issuedAtS + LIFETIME_MS / SECOND_MS;
    const token = await new SignJWT({
      sluice_tenant: tenant,
      sluice_role: 'tenant-user',
      sluice_user: user,
      sluice_issued_by: issuedBy,
      ...(models === undefined ? {} : { sluice_models: [...models] }),
    })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(region)
      .setSubject(user)
      .setIssuedAt(issuedAtS)
      .setExpirationTime(expiresAtS)
      .sign(key.privateKey);
    return { token, expiresAtMs: expiresAtS * SECOND_MS };
  };
}
