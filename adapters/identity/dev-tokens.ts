import { type JWTPayload, SignJWT } from 'jose';
import type { Principal, Role } from '../../core/tenancy/principal.ts';
import { HOUR_MS, SECOND_MS } from '../../core/units.ts';
import type { SigningKey } from './signing-key.ts';

export const LIFETIME_S = HOUR_MS / SECOND_MS;

export type DevSigning = {
  readonly issuer: string;
  readonly region: string;
  readonly signingKey: SigningKey;
};

/** What a token says, within what its key may. */
export type Grant = {
  readonly key: Principal;
  readonly role: Role;
  readonly tenant: string | undefined;
  readonly user: string | undefined;
};

/** A token for the API of the region. Without a user it is the key's own: whoever holds one key is one person. */
export function signAccessToken(
  signing: DevSigning,
  { key, role, tenant, user }: Grant,
  nowMs: number,
): Promise<string> {
  const claims = {
    sluice_role: role,
    sluice_issued_by: key.id,
    ...(tenant === undefined ? {} : { sluice_tenant: tenant }),
    ...(user === undefined ? {} : { sluice_user: user }),
    ...(key.models === undefined ? {} : { sluice_models: [...key.models] }),
  };
  return sign(signing, claims, { audience: signing.region, subject: user ?? key.id }, nowMs);
}

/** Tells a client who signed in; no API takes it. */
export function signIdToken(
  signing: DevSigning,
  { key, clientId, nonce }: { readonly key: Principal; readonly clientId: string; readonly nonce: string | undefined },
  nowMs: number,
): Promise<string> {
  return sign(signing, nonce === undefined ? {} : { nonce }, { audience: clientId, subject: key.id }, nowMs);
}

function sign(
  { issuer, signingKey }: DevSigning,
  claims: JWTPayload,
  { audience, subject }: { readonly audience: string; readonly subject: string },
  nowMs: number,
): Promise<string> {
  const issuedAtS = Math.floor(nowMs / SECOND_MS);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: signingKey.kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + LIFETIME_S)
    .sign(signingKey.privateKey);
}
