import type { WebhookDelivery, WebhookEndpoint } from '../../core/webhooks/webhook.ts';

let count = 0;

function hex(digits: number): string {
  count += 1;
  return count.toString(16).padStart(digits, '0');
}

export function anEndpoint(changes: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  return {
    id: `wh_${hex(16)}`,
    tenant: 'acme',
    url: 'https://hooks.example.com/sluice',
    events: ['prediction.succeeded', 'prediction.failed'],
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    disabled: 'no',
    createdAtMs: count,
    ...changes,
  };
}

export function aDelivery(endpoint: WebhookEndpoint, changes: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return {
    id: `msg_${hex(32)}`,
    tenant: endpoint.tenant,
    endpoint: endpoint.id,
    prediction: `pred_${hex(32)}`,
    event: 'prediction.succeeded',
    body: '{"type":"prediction.succeeded"}',
    state: 'waiting',
    attempts: 0,
    createdAtMs: count,
    dueAtMs: 0,
    expiresAtMs: Number.MAX_SAFE_INTEGER,
    ...changes,
  };
}
