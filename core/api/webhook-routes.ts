import type { RouteShape } from './route-shape.ts';
import { listOf } from './schemas.ts';
import * as json from './webhook-schemas.ts';

const WEBHOOKS = '/control/v1/tenants/{tenant}/webhooks';
const WEBHOOK = `${WEBHOOKS}/{webhook}` as const;
const control = { plane: 'control', role: 'tenant-admin' } as const;

export const WEBHOOK_ROUTES = [
  {
    ...control,
    id: 'webhook-create',
    method: 'POST',
    path: WEBHOOKS,
    summary:
      'Tell an address of the ends of predictions accepted from now on; at most 10 a tenant. Holds the secret this once',
    body: json.webhookCreateBody,
    responses: { 201: json.webhookWithSecretJson },
  },
  {
    ...control,
    id: 'webhook-list',
    method: 'GET',
    path: WEBHOOKS,
    summary: 'Webhooks of a tenant, without their secrets',
    responses: { 200: listOf(json.webhookJson) },
  },
  {
    ...control,
    id: 'webhook-read',
    method: 'GET',
    path: WEBHOOK,
    summary: 'One webhook',
    responses: { 200: json.webhookJson },
  },
  {
    ...control,
    id: 'webhook-patch',
    method: 'PATCH',
    path: WEBHOOK,
    summary: 'Change the members that are sent; the others stay. `disabled: "no"` enables it again',
    body: json.webhookPatchBody,
    responses: { 200: json.webhookJson },
  },
  {
    ...control,
    id: 'webhook-remove',
    method: 'DELETE',
    path: WEBHOOK,
    summary: 'Remove a webhook and its deliveries',
    responses: { 204: 'empty' },
  },
  {
    ...control,
    id: 'webhook-secret-rotate',
    method: 'POST',
    path: `${WEBHOOK}/rotate-secret`,
    summary: 'A new secret, shown this once; the old one signs too for 24 hours',
    responses: { 200: json.webhookWithSecretJson },
  },
  {
    ...control,
    id: 'webhook-test',
    method: 'POST',
    path: `${WEBHOOK}/test`,
    summary: 'Post a `webhook.test` message now, once, and say what came of it',
    responses: { 200: json.webhookTestedJson },
  },
  {
    ...control,
    id: 'delivery-list',
    method: 'GET',
    path: `${WEBHOOK}/deliveries`,
    summary: 'Messages of the last 7 days, the newest first; delivered ones stay for a day',
    query: json.deliveryQuery,
    responses: { 200: listOf(json.deliveryJson) },
  },
  {
    ...control,
    id: 'delivery-replay',
    method: 'POST',
    path: `${WEBHOOK}/deliveries/{delivery}/replay`,
    summary: 'Send a message again, now, with the same webhook-id',
    responses: { 200: json.deliveryJson },
  },
] as const satisfies readonly RouteShape[];
