import type { z } from 'zod';
import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { ApiKeyRecord, IssuerRecord, Page } from '../ports/registry.ts';
import type { Plan, PlanLimits } from '../tenancy/plan.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { issuerJson, keyJson, limitsJson, modelRouteJson, planJson, tenantJson, versionJson } from './schemas.ts';
import { camelKeys, snakeKeys } from './snake-case.ts';
import { reportToJson } from './validation-json.ts';

/* Records of the core as the control plane shows them, and its bodies as the core takes them. */

type LimitsJson = z.infer<typeof limitsJson>;
type SomeLimitsJson = { readonly [K in keyof LimitsJson]?: LimitsJson[K] | undefined };

export function limitsFromJson(json: LimitsJson): PlanLimits;
export function limitsFromJson(json: SomeLimitsJson): Tenant['overrides'];
export function limitsFromJson(json: SomeLimitsJson): Tenant['overrides'] {
  return camelKeys(json);
}

export function tenantToJson(tenant: Tenant): z.infer<typeof tenantJson> {
  return {
    ...snakeKeys(tenant),
    pool: tenant.pool ?? null,
    pins: tenant.pins ?? {},
    overrides: snakeKeys(tenant.overrides),
  };
}

export function planToJson(plan: Plan): z.infer<typeof planJson> {
  return { ...plan, limits: snakeKeys(plan.limits) };
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
  const { goldenDigest, tokenizerDigest, referenceDigest, graphSignature, validation, ...always } = version;
  return {
    ...snakeKeys(always),
    golden_digest: goldenDigest ?? null,
    tokenizer_digest: tokenizerDigest ?? null,
    reference_digest: referenceDigest ?? null,
    graph_signature: graphSignature ?? null,
    validation: reportToJson(validation),
  };
}

export function modelRouteToJson(route: ModelRoute): z.infer<typeof modelRouteJson> {
  return { model: route.model, stable: route.stable ?? null, epoch: route.epoch };
}

export function pageToJson<T, J>(page: Page<T>, toJson: (item: T) => J): { items: J[]; next: string | null } {
  return { items: page.items.map(toJson), next: page.next ?? null };
}
