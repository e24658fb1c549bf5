import {
  deliveryToJson,
  sendAnswerToJson,
  webhookToJson,
  webhookWithSecretToJson,
} from '../../core/api/webhook-json.ts';
import { listDeliveries, replayDelivery } from '../../core/webhooks/manage-deliveries.ts';
import {
  changeWebhook,
  createWebhook,
  listWebhooks,
  readWebhook,
  removeWebhook,
  rotateSecret,
  testWebhook,
} from '../../core/webhooks/manage-webhooks.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

export function postWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-create', async ({ params, body }) => {
    const webhook = await createWebhook(host, params.tenant, body);
    const headers = { Location: `/control/v1/tenants/${params.tenant}/webhooks/${webhook.id}` };
    return { status: 201, body: webhookWithSecretToJson(webhook), headers };
  });
}

export function getWebhooks(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-list', async ({ params }) => ({
    status: 200,
    body: { items: (await listWebhooks(host, params.tenant)).map(webhookToJson) },
  }));
}

export function getWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-read', async ({ params }) => ({
    status: 200,
    body: webhookToJson(await readWebhook(host, params.tenant, params.webhook)),
  }));
}

export function patchWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-patch', async ({ params, body }) => ({
    status: 200,
    body: webhookToJson(await changeWebhook(host, params.tenant, params.webhook, body)),
  }));
}

export function deleteWebhook(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-remove', async ({ params }) => {
    await removeWebhook(host, params.tenant, params.webhook);
    return { status: 204, body: undefined };
  });
}

export function postSecretRotation(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-secret-rotate', async ({ params }) => ({
    status: 200,
    body: webhookWithSecretToJson(await rotateSecret(host, params.tenant, params.webhook)),
  }));
}

export function postWebhookTest(host: HttpHost): HttpHandler {
  return endpoint(host, 'webhook-test', async ({ params }) => ({
    status: 200,
    body: sendAnswerToJson(await testWebhook(host, params.tenant, params.webhook)),
  }));
}

export function getDeliveries(host: HttpHost): HttpHandler {
  return endpoint(host, 'delivery-list', async ({ params, query }) => {
    const deliveries = await listDeliveries(host, params.tenant, params.webhook, query.limit);
    return { status: 200, body: { items: deliveries.map(deliveryToJson) } };
  });
}

export function postReplay(host: HttpHost): HttpHandler {
  return endpoint(host, 'delivery-replay', async ({ params }) => ({
    status: 200,
    body: deliveryToJson(await replayDelivery(host, params.tenant, params)),
  }));
}
