import { z } from 'zod';
import { POOL_ID } from '../models/manifest.ts';
import { modelVersionSchema } from '../models/version.ts';
import { planLimitsSchema, planSchema } from '../tenancy/plan.ts';
import { roleSchema } from '../tenancy/principal.ts';
import { regionSchema, tenantIdSchema, tenantSchema, wrongRegionSchema } from '../tenancy/tenant.ts';
import { GIB } from '../units.ts';
import { monthUsageJson } from './cost-schemas.ts';
import { PARAMS } from './params.ts';
import { snakeKeys } from './snake-case.ts';
import { reportJson } from './validation-json.ts';

/** Bodies of the control plane. Names are snake_case; times are Unix milliseconds. Unknown keys are refused. */
const epochMs = z.int().min(0);
const origins = z.array(z.string().max(200)).max(50);
const modelNames = z.array(PARAMS.model.schema).min(1).max(1000);

export const limitsJson = z.strictObject(snakeKeys(planLimitsSchema.shape)).meta({ id: 'PlanLimits' });
const overridesJson = limitsJson.partial();

const tenant = tenantSchema.shape;
const pool = z.string().regex(POOL_ID, 'a pool name');
export const tenantJson = z
  .strictObject({
    id: tenant.id,
    name: tenant.name,
    region: tenant.region,
    plan: tenant.plan,
    overrides: overridesJson,
    wrong_region: wrongRegionSchema,
    allowed_origins: origins,
    suspended: z.boolean(),
    /** Workers of its own; null: those of each model. */
    pool: pool.nullable(),
    /** Whether it agreed to copies of its predictions being kept. */
    capture_consent: z.boolean(),
    /** By model, the version that answers where it names none, whatever releases say. */
    pins: z.record(z.string(), z.string()),
    created_at_ms: epochMs,
    epoch: z.int(),
  })
  .meta({ id: 'Tenant' });

export const tenantCreateBody = z
  .strictObject({
    id: tenantIdSchema,
    name: tenant.name,
    /** Must be the region that is asked; there only to be sure. */
    region: regionSchema.optional(),
    plan: PARAMS.plan.schema,
    overrides: overridesJson.optional(),
    wrong_region: wrongRegionSchema.optional(),
    allowed_origins: origins.optional(),
    pool: pool.optional(),
  })
  .meta({ id: 'TenantCreate' });

export const tenantPatchBody = z
  .strictObject({
    name: tenant.name.optional(),
    plan: PARAMS.plan.schema.optional(),
    /** Replaces all overrides. */
    overrides: overridesJson.optional(),
    wrong_region: wrongRegionSchema.optional(),
    allowed_origins: origins.optional(),
    suspended: z.boolean().optional(),
    /** null: no workers of its own any more. */
    pool: pool.nullable().optional(),
    /** The epoch that was read: the change is refused if there was another since. */
    epoch: z.int().optional(),
  })
  .meta({ id: 'TenantPatch' });

export const pinPutBody = z.strictObject({ version: PARAMS.version.schema }).meta({ id: 'PinPut' });

export const captureConsentBody = z.strictObject({ consent: z.boolean() }).meta({ id: 'CaptureConsent' });

export const usageJson = z
  .strictObject({
    tenant: tenantIdSchema,
    /** Start of the UTC day that `compute_ms` counts. */
    day_start_ms: epochMs,
    compute_ms: z.number().min(0),
    daily_compute_ms: z.int(),
    in_flight: z.int().min(0),
    requests_in_flight: z.int(),
    /** Of the UTC month. */
    month: monthUsageJson,
  })
  .meta({ id: 'Usage' });

export const planJson = z
  .strictObject({ id: planSchema.shape.id, limits: limitsJson, epoch: z.int() })
  .meta({ id: 'Plan' });
export const planPutBody = z.strictObject({ limits: limitsJson, epoch: z.int().optional() }).meta({ id: 'PlanPut' });

const keyFields = {
  id: PARAMS.key.schema,
  tenant: tenantIdSchema.nullable(),
  role: roleSchema,
  models: modelNames.nullable(),
  label: z.string(),
  created_at_ms: epochMs,
  expires_at_ms: epochMs.nullable(),
  revoked_at_ms: epochMs.nullable(),
};
export const keyJson = z.strictObject(keyFields).meta({ id: 'ApiKey' });
/** The only answer that ever holds the key itself. */
export const keyCreatedJson = z.strictObject({ ...keyFields, key: z.string() }).meta({ id: 'ApiKeyCreated' });
const label = z.string().min(1).max(200);
export const keyCreateBody = z
  .strictObject({
    label,
    role: z.enum(['tenant-user', 'tenant-admin']).default('tenant-user'),
    models: modelNames.optional(),
    expires_at_ms: epochMs.optional(),
  })
  .meta({ id: 'ApiKeyCreate' });
export const operatorKeyCreateBody = z
  .strictObject({ label, role: z.enum(['operator', 'admin']).default('operator'), expires_at_ms: epochMs.optional() })
  .meta({ id: 'OperatorKeyCreate' });

const issuerUrl = z.url({ protocol: /^https?$/ }).max(500);
export const issuerJson = z
  .strictObject({
    /** As the tokens' `iss` spells it. */
    issuer: issuerUrl,
    audience: z.string().min(1).max(500),
    jwks_uri: issuerUrl,
    /** Tenants that its tokens may name; '*' is every tenant of the region. */
    tenants: z
      .array(z.union([z.literal('*'), tenantIdSchema]))
      .min(1)
      .max(10_000),
    max_role: roleSchema,
  })
  .meta({ id: 'Issuer' });
export const issuerQuery = z.strictObject({ issuer: issuerUrl });

export const browserTokenBody = z
  .strictObject({
    /** The end user at the tenant; opaque to Sluice. */
    user: z.string().min(1).max(200),
    models: modelNames.optional(),
  })
  .meta({ id: 'BrowserTokenCreate' });
export const browserTokenJson = z
  .strictObject({ token: z.string(), expires_at_ms: epochMs })
  .meta({ id: 'BrowserToken' });

/** An ONNX file is one protobuf message, which ends at 2 GiB. */
const MAX_UPLOAD_BYTES = 2 * GIB;
export const uploadCreateBody = z
  .strictObject({ max_bytes: z.int().min(1).max(MAX_UPLOAD_BYTES).default(MAX_UPLOAD_BYTES) })
  .meta({ id: 'UploadCreate' });
export const uploadJson = z
  .strictObject({ id: PARAMS.upload.schema, url: z.string(), expires_at_ms: epochMs })
  .meta({ id: 'Upload' });
export const uploadQuery = z.strictObject({ token: z.string().min(1).max(500) });
export const uploadReceivedJson = z.strictObject({ size_bytes: z.int().min(0) }).meta({ id: 'UploadReceived' });

export const versionPushBody = z
  .strictObject({
    /** The content of `manifest.json`, as it is in the folder (camelCase). Its own mistakes are `manifest-invalid`. */
    manifest: z.record(z.string(), z.unknown()),
    /** Uploads that hold model.onnx and, if there are golden pairs, golden.jsonl. */
    model_upload: PARAMS.upload.schema,
    golden_upload: PARAMS.upload.schema.optional(),
    /** Of tokenizer.json, if the manifest has a tokenizer. */
    tokenizer_upload: PARAMS.upload.schema.optional(),
    /** Of reference.json, if there is one. */
    reference_upload: PARAMS.upload.schema.optional(),
  })
  .meta({ id: 'VersionPush' });

const version = modelVersionSchema.shape;
export const versionJson = z
  .strictObject({
    model: version.model,
    version: version.version,
    model_digest: version.modelDigest,
    model_bytes: version.modelBytes,
    golden_digest: version.modelDigest.nullable(),
    tokenizer_digest: version.modelDigest.nullable(),
    reference_digest: version.modelDigest.nullable(),
    digest: version.digest,
    manifest: version.manifest,
    /** What callers send and get. */
    signature: version.signature,
    /** What the graph takes and gives, where a tokenizer makes that another. */
    graph_signature: version.signature.nullable(),
    validation: reportJson,
    pushed_by: version.pushedBy,
    pushed_at_ms: version.pushedAtMs,
  })
  .meta({ id: 'ModelVersion' });

const modelRouteFields = { model: version.model, stable: version.version.nullable(), epoch: z.int() };
export const modelRouteJson = z.strictObject(modelRouteFields).meta({ id: 'ModelRoute' });
export const modelJson = z
  .strictObject({
    ...modelRouteFields,
    newest: version.version.nullable(),
    /** Id of the release that is under way, if there is one. */
    active_release: PARAMS.release.schema.nullable(),
  })
  .meta({ id: 'Model' });
export const stablePutBody = z
  .strictObject({ version: PARAMS.version.schema, epoch: z.int().optional() })
  .meta({ id: 'StablePut' });

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** `next` of the page before. */
  cursor: z.string().max(512).optional(),
});

export const modelListQuery = pageQuery.extend({
  /** Only names that begin so. */
  prefix: z.string().max(63).optional(),
});

export const versionListQuery = pageQuery.extend({ order: z.enum(['oldest', 'newest']).default('oldest') });

/** One page of a list, in order of id; `next` is null on the last. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/** A whole list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item) });
}
