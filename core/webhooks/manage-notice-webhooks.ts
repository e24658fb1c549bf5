import type { Platform } from '../ports/platform.ts';
import { addWebhook, removeWebhook } from './manage-webhooks.ts';
import { REGION_EVENTS, REGION_OWNER, type WebhookEndpoint, type WebhookEvent } from './webhook.ts';

/**
 * An address that is told from now on what becomes of the region's releases and models, of all of it unless `events` says less. Its secret is told this
 * once. `webhook-url-refused`, `webhook-limit-reached`.
 */
export function createNoticeWebhook(
  ports: Pick<Platform, 'webhooks' | 'webhookSender' | 'clock'>,
  { url, events = REGION_EVENTS }: { readonly url: string; readonly events?: readonly WebhookEvent[] | undefined },
): Promise<WebhookEndpoint> {
  return addWebhook(ports, REGION_OWNER, { url, events });
}

export function listNoticeWebhooks({ webhooks }: Pick<Platform, 'webhooks'>): Promise<readonly WebhookEndpoint[]> {
  return webhooks.listEndpoints(REGION_OWNER);
}

/** What it was not told yet is forgotten too. `webhook-unknown`. */
export function removeNoticeWebhook(ports: Pick<Platform, 'webhooks'>, id: string): Promise<void> {
  return removeWebhook(ports, REGION_OWNER, id);
}
