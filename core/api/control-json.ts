import type { z } from 'zod';
import { Failure } from '../failure.ts';
import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { ApiKeyRecord, IssuerRecord, Page } from '../ports/registry.ts';
import type { Plan } from '../tenancy/plan.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type {
  issuerJson,
  keyJson,
  modelRouteJson,
  planJson,
  planPutBody,
  tenantCreateBody,
  tenantJson,
  tenantPatchBody,
  versionJson,
} from './schemas.ts';
import { camelKeys, snakeKeys } from './snake-case.ts';

/* Records of the core as the control plane shows them, and its bodies as the core takes them. */

export function tenantToJson(tenant: Tenant): z.infer<typeof tenantJson> {
  return { ...snakeKeys(tenant), overrides: snakeKeys(tenant.overrides) };
}

/** A new tenant of this region; its first write has epoch 1. */
export function tenantFromJson(json: z.infer<typeof tenantCreateBody>, region: string, nowMs: number): Tenant {
  return {
    id: json.id,
    name: json.name,
    region,
    plan: json.plan,
    overrides: camelKeys(json.overrides ?? {}),
    wrongRegion: json.wrong_region ?? 'refuse',
    allowedOrigins: json.allowed_origins ?? [],
    suspended: false,
    createdAtMs: nowMs,
    epoch: 1,
  };
}

/** The tenant with the members that were sent, one epoch on. `state-conflict` if the caller read another epoch. */
export function patchTenant(tenant: Tenant, patch: z.infer<typeof tenantPatchBody>): Tenant {
  if (patch.epoch !== undefined && patch.epoch !== tenant.epoch) {
    throw new Failure('state-conflict', { field: 'epoch', expected: tenant.epoch });
  }
  return {
    ...tenant,
    name: patch.name ?? tenant.name,
    plan: patch.plan ?? tenant.plan,
    overrides: patch.overrides === undefined ? tenant.overrides : camelKeys(patch.overrides),
    wrongRegion: patch.wrong_region ?? tenant.wrongRegion,
    allowedOrigins: patch.allowed_origins ?? tenant.allowedOrigins,
    suspended: patch.suspended ?? tenant.suspended,
    epoch: tenant.epoch + 1,
  };
}

export function planToJson(plan: Plan): z.infer<typeof planJson> {
  return { ...plan, limits: snakeKeys(plan.limits) };
}

/** `epoch` is the one it is written with: one more than what was read, 1 for a new plan. */
export function planFromJson(id: string, json: z.infer<typeof planPutBody>, epoch: number): Plan {
  return { id, limits: camelKeys(json.limits), epoch };
}

/** Everything but the hash of the secret. */
export function keyToJson(key: ApiKeyRecord): z.infer<typeof keyJson> {
  return {
    id: key.id,
    tenant: key.tenant ?? null,
    role: key.role,
    models: key.models === undefined ? null : [...key.models],
    label: key.label,
    created_at_ms: key.createdAtMs,
    expires_at_ms: key.expiresAtMs ?? null,
    revoked_at_ms: key.revokedAtMs ?? null,
  };
}

export function issuerToJson(issuer: IssuerRecord): z.infer<typeof issuerJson> {
  return { ...snakeKeys(issuer), tenants: [...issuer.tenants] };
}

export function issuerFromJson(json: z.infer<typeof issuerJson>): IssuerRecord {
  return camelKeys(json);
}

export function versionToJson(version: ModelVersion): z.infer<typeof versionJson> {
  return { ...snakeKeys(version), validation: snakeKeys(version.validation) };
}

export function modelRouteToJson(route: ModelRoute): z.infer<typeof modelRouteJson> {
  return { model: route.model, stable: route.stable ?? null, epoch: route.epoch };
}

export function pageToJson<T, J>(page: Page<T>, toJson: (item: T) => J): { items: J[]; next: string | null } {
  return { items: page.items.map(toJson), next: page.next ?? null };
}
