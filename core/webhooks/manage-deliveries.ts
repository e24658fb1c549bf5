import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import { DELIVERY_KEPT_MS } from './fan-out.ts';
import { readWebhook } from './manage-webhooks.ts';
import type { WebhookDelivery } from './webhook.ts';

/** The newest first. `webhook-unknown`. */
export async function listDeliveries(
  ports: Pick<Platform, 'webhooks'>,
  tenant: string,
  webhook: string,
  limit: number,
): Promise<readonly WebhookDelivery[]> {
  await readWebhook(ports, tenant, webhook);
  return ports.webhooks.listDeliveries(tenant, webhook, limit);
}

/**
 * Due again now, with its whole schedule before it; the message and its id stay the same, so that a receiver may know it.
 * `webhook-unknown`, `delivery-unknown`.
 */
export async function replayDelivery(
  ports: Pick<Platform, 'webhooks' | 'clock'>,
  tenant: string,
  { webhook, delivery }: { readonly webhook: string; readonly delivery: string },
): Promise<WebhookDelivery> {
  await readWebhook(ports, tenant, webhook);
  const found = await ports.webhooks.readDelivery(tenant, delivery);
  if (found === undefined || found.endpoint !== webhook) throw new Failure('delivery-unknown', { field: 'delivery' });
  const nowMs = ports.clock.nowMs();
  const replayed: WebhookDelivery = {
    ...found,
    state: 'waiting',
    attempts: 0,
    dueAtMs: nowMs,
    expiresAtMs: nowMs + DELIVERY_KEPT_MS,
  };
  await ports.webhooks.settleDelivery(replayed);
  return replayed;
}
