import type { Platform } from '../ports/platform.ts';
import { addWebhook, removeWebhook } from './manage-webhooks.ts';
import { REGION_OWNER, RELEASE_EVENT, type WebhookEndpoint } from './webhook.ts';

/**
 * An address that is told what becomes of the region's releases from now on. Its secret is told this once. `webhook-url-refused`,
 * `webhook-limit-reached`.
 */
export function createNoticeWebhook(
  ports: Pick<Platform, 'webhooks' | 'webhookSender' | 'clock'>,
  url: string,
): Promise<WebhookEndpoint> {
  return addWebhook(ports, REGION_OWNER, { url, events: [RELEASE_EVENT] });
}

export function listNoticeWebhooks({ webhooks }: Pick<Platform, 'webhooks'>): Promise<readonly WebhookEndpoint[]> {
  return webhooks.listEndpoints(REGION_OWNER);
}

/** What it was not told yet is forgotten too. `webhook-unknown`. */
export function removeNoticeWebhook(ports: Pick<Platform, 'webhooks'>, id: string): Promise<void> {
  return removeWebhook(ports, REGION_OWNER, id);
}
