import { Failure } from '../failure.ts';
import type { Platform } from '../ports/platform.ts';
import type { SendAnswer } from '../ports/webhook-sender.ts';
import { readTenant } from '../tenancy/manage-tenants.ts';
import { newSecret, OLD_SECRET_MS, sign } from './sign.ts';
import type { WebhookEndpoint, WebhookEvent } from './webhook.ts';

type WebhookPorts = Pick<Platform, 'registry' | 'webhooks' | 'webhookSender' | 'clock'>;

/** Each end of a prediction is a message to each of them. */
export const MOST_WEBHOOKS = 10;
const ID_BYTES = 8;

export type NewWebhook = { readonly url: string; readonly events: readonly WebhookEvent[] };
/** Members that are undefined stay as they are. */
export type WebhookChange = {
  readonly url?: string | undefined;
  readonly events?: readonly WebhookEvent[] | undefined;
  readonly disabled?: 'no' | 'by-tenant' | undefined;
};

/**
 * An address that is told of every prediction of the tenant that is accepted from now on. Its secret is told this once.
 * `webhook-url-refused`, `webhook-limit-reached`, `tenant-unknown`.
 */
export async function createWebhook(ports: WebhookPorts, tenant: string, spec: NewWebhook): Promise<WebhookEndpoint> {
  await readTenant(ports, tenant);
  return addWebhook(ports, tenant, spec);
}

/** Also for the region itself. `webhook-url-refused`, `webhook-limit-reached`. */
export async function addWebhook(
  ports: Pick<WebhookPorts, 'webhooks' | 'webhookSender' | 'clock'>,
  tenant: string,
  spec: NewWebhook,
): Promise<WebhookEndpoint> {
  await ports.webhookSender.check(spec.url);
  const endpoint: WebhookEndpoint = {
    id: newId(),
    tenant,
    url: spec.url,
    events: [...new Set(spec.events)],
    secret: newSecret(),
    disabled: 'no',
    createdAtMs: Math.floor(ports.clock.nowMs()),
  };
  const answer = await ports.webhooks.addEndpoint(endpoint, MOST_WEBHOOKS);
  if (answer === 'full') throw new Failure('webhook-limit-reached', { limit: MOST_WEBHOOKS });
  return endpoint;
}

export async function listWebhooks(
  ports: Pick<Platform, 'registry' | 'webhooks'>,
  tenant: string,
): Promise<readonly WebhookEndpoint[]> {
  await readTenant(ports, tenant);
  return ports.webhooks.listEndpoints(tenant);
}

/** `webhook-unknown` also for another tenant's. */
export async function readWebhook(
  ports: Pick<Platform, 'webhooks'>,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  return known(await ports.webhooks.readEndpoint(tenant, id));
}

/** `webhook-unknown`, `webhook-url-refused`. */
export async function changeWebhook(
  ports: Pick<WebhookPorts, 'webhooks' | 'webhookSender'>,
  tenant: string,
  id: string,
  change: WebhookChange,
): Promise<WebhookEndpoint> {
  await readWebhook(ports, tenant, id);
  if (change.url !== undefined) await ports.webhookSender.check(change.url);
  const changed = await ports.webhooks.changeEndpoint(tenant, id, (endpoint) => ({
    ...endpoint,
    url: change.url ?? endpoint.url,
    events: change.events === undefined ? endpoint.events : [...new Set(change.events)],
    disabled: change.disabled ?? endpoint.disabled,
  }));
  return known(changed);
}

/** Its deliveries are forgotten too. `webhook-unknown`. */
export async function removeWebhook(ports: Pick<Platform, 'webhooks'>, tenant: string, id: string): Promise<void> {
  if (!(await ports.webhooks.removeEndpoint(tenant, id))) throw unknown();
}

/** A new secret, told this once; for a day the one before signs too. `webhook-unknown`. */
export async function rotateSecret(
  ports: Pick<Platform, 'webhooks' | 'clock'>,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  const secret = newSecret();
  const untilMs = ports.clock.nowMs() + OLD_SECRET_MS;
  const changed = await ports.webhooks.changeEndpoint(tenant, id, (endpoint) => ({
    ...endpoint,
    secret,
    previousSecret: { secret: endpoint.secret, untilMs },
  }));
  return known(changed);
}

/** Posts a `webhook.test` message now, once, to an endpoint that may be disabled. `webhook-unknown`. */
export async function testWebhook(
  ports: Pick<WebhookPorts, 'webhooks' | 'webhookSender' | 'clock'>,
  tenant: string,
  id: string,
): Promise<SendAnswer> {
  const endpoint = await readWebhook(ports, tenant, id);
  const nowMs = ports.clock.nowMs();
  const body = JSON.stringify({
    type: 'webhook.test',
    timestamp: new Date(nowMs).toISOString(),
    data: { webhook: id },
  });
  const message = `msg_${crypto.randomUUID().replaceAll('-', '')}`;
  return ports.webhookSender.post(endpoint.url, sign(endpoint, message, body, nowMs), body);
}

function known(endpoint: WebhookEndpoint | undefined): WebhookEndpoint {
  if (endpoint === undefined) throw unknown();
  return endpoint;
}

function unknown(): Failure {
  return new Failure('webhook-unknown', { field: 'webhook' });
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return `wh_${Buffer.from(bytes).toString('hex')}`;
}
