import { webhookToJson, webhookWithSecretToJson } from '../../core/api/webhook-json.ts';
import {
  createNoticeWebhook,
  listNoticeWebhooks,
  removeNoticeWebhook,
} from '../../core/webhooks/manage-notice-webhooks.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function postNoticeWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'notice-webhook-create', async ({ body }) => ({
    status: 201,
    body: webhookWithSecretToJson(await createNoticeWebhook(host, body)),
  }));
}

export function getNoticeWebhooks(host: HttpHost): HttpHandler {
  return endpoint(host, 'notice-webhook-list', async () => ({
    status: 200,
    body: { items: (await listNoticeWebhooks(host)).map(webhookToJson) },
  }));
}

export function deleteNoticeWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'notice-webhook-remove', async ({ params }) => {
    await removeNoticeWebhook(host, params.webhook);
    return { status: 204, body: undefined };
  });
}
