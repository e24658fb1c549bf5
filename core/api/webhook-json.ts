import type { z } from 'zod';
import type { SendAnswer } from '../ports/webhook-sender.ts';
import type { WebhookDelivery, WebhookEndpoint } from '../webhooks/webhook.ts';
import type { deliveryJson, webhookJson, webhookTestedJson, webhookWithSecretJson } from './webhook-schemas.ts';

/** Everything but the secrets. */
export function webhookToJson(endpoint: WebhookEndpoint): z.infer<typeof webhookJson> {
  const { id, url, events, disabled, createdAtMs } = endpoint;
  return { id, url, events, disabled, created_at_ms: createdAtMs };
}

export function webhookWithSecretToJson(endpoint: WebhookEndpoint): z.infer<typeof webhookWithSecretJson> {
  return { ...webhookToJson(endpoint), secret: endpoint.secret };
}

export function sendAnswerToJson(answer: SendAnswer): z.infer<typeof webhookTestedJson> {
  if (answer.kind === 'failed') return { delivered: false, result: answer.reason };
  return { delivered: answer.status >= 200 && answer.status < 300, result: String(answer.status) };
}

export function deliveryToJson(delivery: WebhookDelivery): z.infer<typeof deliveryJson> {
  const { id, prediction, event, state, attempts, lastResult, createdAtMs, dueAtMs } = delivery;
  return {
    id,
    prediction,
    event,
    state,
    attempts,
    last_result: lastResult ?? null,
    created_at_ms: createdAtMs,
    due_at_ms: state === 'waiting' ? dueAtMs : null,
  };
}
