import { z } from 'zod';
import { PREDICTION_EVENTS, REGION_EVENTS, webhookDeliverySchema, webhookEndpointSchema } from '../webhooks/webhook.ts';
import { PARAMS } from './params.ts';

/** Bodies of the webhook routes. */
const epochMs = z.number().min(0);
const endpoint = webhookEndpointSchema.shape;
const delivery = webhookDeliverySchema.shape;
const url = z.string().min(1).max(2000);
/** What a tenant may ask for. */
const events = z.array(z.enum(PREDICTION_EVENTS)).min(1);

const webhookFields = {
  id: PARAMS.webhook.schema,
  url,
  events: endpoint.events,
  /** `by-tenant`: switched off here. `gone`: the address answered 410. */
  disabled: endpoint.disabled,
  created_at_ms: epochMs,
};
export const webhookJson = z.strictObject(webhookFields).meta({ id: 'Webhook' });
/** The only answers that ever hold the secret. */
export const webhookWithSecretJson = z
  .strictObject({ ...webhookFields, secret: z.string() })
  .meta({ id: 'WebhookWithSecret' });
export const webhookCreateBody = z
  .strictObject({ url, events: events.default([...PREDICTION_EVENTS]) })
  .meta({ id: 'WebhookCreate' });
export const webhookPatchBody = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    disabled: z.enum(['no', 'by-tenant']).optional(),
  })
  .meta({ id: 'WebhookPatch' });

export const noticeWebhookCreateBody = z
  .strictObject({
    url,
    /** Default: all of them. */
    events: z.array(z.enum(REGION_EVENTS)).min(1).optional(),
  })
  .meta({ id: 'NoticeWebhookCreate' });

export const webhookTestedJson = z
  .strictObject({
    delivered: z.boolean(),
    /** An HTTP status, or why none came. */
    result: z.string(),
  })
  .meta({ id: 'WebhookTested' });

export const deliveryJson = z
  .strictObject({
    id: PARAMS.delivery.schema,
    prediction: PARAMS.prediction.schema,
    event: delivery.event,
    state: delivery.state,
    attempts: delivery.attempts,
    /** What the last attempt came to: an HTTP status, or why none came. */
    last_result: z.string().nullable(),
    created_at_ms: epochMs,
    /** When the next attempt is due; null if there is none. */
    due_at_ms: epochMs.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export const deliveryQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) });
