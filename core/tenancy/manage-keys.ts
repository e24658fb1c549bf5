import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { ApiKeyRecord } from '../ports/registry.ts';
import { hashSecret, newApiKey } from './api-key.ts';
import { readTenant } from './manage-tenants.ts';
import { type Principal, type Role, roleReaches } from './principal.ts';

type KeyPorts = Pick<Platform, 'registry' | 'config' | 'clock'>;

export type NewKey = {
  /** undefined for operators and admins. */
  readonly tenant: string | undefined;
  readonly role: Role;
  readonly models: readonly string[] | undefined;
  readonly label: string;
  readonly expiresAtMs: number | undefined;
};

/**
 * A new API key. `text` is the key itself, told this once: only its digest is kept. `forbidden` if `creator` asks for more
 * than it has itself; `tenant-unknown`; `request-invalid` for an expiry that has passed.
 */
export async function createKey(
  ports: KeyPorts,
  creator: Principal,
  spec: NewKey,
): Promise<{ record: ApiKeyRecord; text: string }> {
  if (!roleReaches(creator.role, spec.role)) throw new Failure('forbidden', { requiredRole: spec.role });
  if (spec.tenant !== undefined) await readTenant(ports, spec.tenant);
  const nowMs = Math.floor(ports.clock.nowMs());
  if (spec.expiresAtMs !== undefined && spec.expiresAtMs <= nowMs) {
    throw new Failure('request-invalid', { field: 'expires_at_ms', detail: 'expires_at_ms has passed' });
  }
  const key = newApiKey(ports.config.region, spec.tenant);
  const record: ApiKeyRecord = {
    id: key.keyId,
    secretSha256: hashSecret(key.secret),
    tenant: spec.tenant,
    role: spec.role,
    models: withinModels(creator.models, spec.models),
    label: spec.label,
    createdAtMs: nowMs,
    expiresAtMs: spec.expiresAtMs,
    revokedAtMs: undefined,
  };
  await ports.registry.addKey(record);
  return { record, text: key.text };
}

/** Refused from then on, on every host within a second. `key-unknown` for a key of anyone else. */
export async function revokeKey(ports: KeyPorts, tenant: string | undefined, id: string): Promise<void> {
  const record = await ports.registry.readKey(id);
  if (record === undefined || record.tenant !== tenant) throw new Failure('key-unknown', { field: 'key' });
  await ports.registry.revokeKey(id, Math.floor(ports.clock.nowMs()));
}

/** The keys of a tenant, or with undefined those of operators and admins; revoked ones too. */
export async function listKeys(
  ports: Pick<Platform, 'registry'>,
  tenant: string | undefined,
): Promise<readonly ApiKeyRecord[]> {
  if (tenant !== undefined) await readTenant(ports, tenant);
  return ports.registry.listKeys(tenant);
}

/** The models that a new credential may call: those asked for, all of the giver's by default; `forbidden` beyond them. */
export function withinModels(
  givers: readonly string[] | undefined,
  asked: readonly string[] | undefined,
): readonly string[] | undefined {
  if (asked === undefined || givers === undefined) return asked ?? givers;
  const beyond = asked.find((model) => !givers.includes(model));
  if (beyond !== undefined)
    throw new Failure('forbidden', { field: 'models', detail: `not a model of yours: ${beyond}` });
  return asked;
}
