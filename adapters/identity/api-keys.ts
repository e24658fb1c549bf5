import { timingSafeEqual } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import type { ApiKeyRecord, Registry } from '../../core/ports/registry.ts';
import { hashSecret, parseApiKey } from '../../core/tenancy/api-key.ts';
import type { Principal } from '../../core/tenancy/principal.ts';

/** True if a key is there, not revoked and not expired. */
export function isInForce(record: ApiKeyRecord | undefined, nowMs: number): boolean {
  const endsAtMs = Math.min(record?.revokedAtMs ?? Infinity, record?.expiresAtMs ?? Infinity);
  return record !== undefined && endsAtMs > nowMs;
}

/** Stands in for the digest of a key that does not exist, so that an unknown id costs the same comparison as a known one. */
const NO_DIGEST = Buffer.alloc(32);

export type ApiKeyVerifier = (text: string, nowMs: number) => Promise<Principal>;

/**
 * The principal of an API key of this region. `credentials-invalid` for any other, unknown or revoked key, with nothing
 * that tells which; `credentials-expired` only to who holds the secret.
 */
export function createApiKeyVerifier(registry: Pick<Registry, 'readKey'>, region: string): ApiKeyVerifier {
  return async (text, nowMs) => {
    const parts = parseApiKey(text);
    if (parts === undefined || parts.region !== region) throw new Failure('credentials-invalid');
    const record = await registry.readKey(parts.keyId);
    const expected = record === undefined ? NO_DIGEST : Buffer.from(record.secretSha256, 'hex');
    const matches = timingSafeEqual(Buffer.from(hashSecret(parts.secret), 'hex'), expected);
    if (record === undefined || !matches || record.tenant !== parts.tenant) throw new Failure('credentials-invalid');
    if (record.revokedAtMs !== undefined && record.revokedAtMs <= nowMs) throw new Failure('credentials-invalid');
    if (record.expiresAtMs !== undefined && record.expiresAtMs <= nowMs) throw new Failure('credentials-expired');
    return { id: `key:${record.id}`, tenant: record.tenant, role: record.role, models: record.models, user: undefined };
  };
}
