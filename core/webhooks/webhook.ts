import { z } from 'zod';
import { tenantIdSchema } from '../tenancy/tenant.ts';

export const WEBHOOK_ID = /^wh_[0-9a-f]{16}$/;
export const DELIVERY_ID = /^msg_[0-9a-f]{32}$/;
/** What tenants are told of. */
export const PREDICTION_EVENTS = ['prediction.succeeded', 'prediction.failed'] as const;
export const RELEASE_EVENT = 'release.changed';
export const ALARM_EVENT = 'alarm.changed';
/** What the region's own webhooks are told of. */
export const REGION_EVENTS = [RELEASE_EVENT, 'model.drifted', 'model.retraining_due', ALARM_EVENT] as const;
const WEBHOOK_EVENTS = [...PREDICTION_EVENTS, ...REGION_EVENTS] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Stands where a tenant does for webhooks of the region, and their data key: no tenant can have this id, so that none is erased with them. */
export const REGION_OWNER = '_region';
const ownerSchema = z.union([tenantIdSchema, z.literal(REGION_OWNER)]);

/** An address of a tenant's that is told when accepted predictions end, or of the region's that is told how releases and models go. */
export const webhookEndpointSchema = z.strictObject({
  id: z.string().regex(WEBHOOK_ID),
  tenant: ownerSchema,
  url: z.string().max(2000),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1),
  /** `whsec_` and base64: signs every message (Standard Webhooks). Shown once. */
  secret: z.string(),
  /** The secret before the last change, which signs too for a while. */
  previousSecret: z.strictObject({ secret: z.string(), untilMs: z.number() }).optional(),
  /** `gone`: the address answered 410. */
  disabled: z.enum(['no', 'by-tenant', 'gone']),
  createdAtMs: z.int(),
});

/** One message for one endpoint. It names the prediction or release and holds nothing of inputs or outputs. */
export const webhookDeliverySchema = z.strictObject({
  /** `msg_` and 32 hex digits, of what it tells and endpoint: the same message always has the same id. */
  id: z.string(),
  tenant: ownerSchema,
  endpoint: z.string(),
  /** Of `release.changed` the release, of a model's events the model and version, of `alarm.changed` the alarm. */
  prediction: z.string(),
  event: z.enum(WEBHOOK_EVENTS),
  /** The body, exactly as it is signed and sent. */
  body: z.string(),
  state: z.enum(['waiting', 'delivered', 'given-up']),
  attempts: z.int().min(0),
  /** What the last attempt came to: an HTTP status, or why none came. */
  lastResult: z.string().optional(),
  createdAtMs: z.number(),
  dueAtMs: z.number(),
  expiresAtMs: z.number(),
});

export type WebhookEndpoint = z.infer<typeof webhookEndpointSchema>;
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;
