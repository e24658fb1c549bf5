import { expect, vi } from 'vitest';
import type { Answer, ApiClient } from './http-client.ts';
import type { PlatformUnderTest } from './platform-under-test.ts';
import type { Message, WebhookReceiver } from './webhook-receiver.ts';

export const ASYNC = { headers: { prefer: 'respond-async' } };
/** A message is posted within a second; this is for a busy machine. */
export const SOON = { timeout: 15_000, interval: 50 };

export type WebhookJson = {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly disabled: string;
  readonly secret: string;
};
export type DeliveryJson = {
  readonly id: string;
  readonly prediction: string;
  readonly event: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_result: string | null;
  readonly due_at_ms: number | null;
};

let tenants = 0;

/** A tenant of its own for each test: `hooked-1` and so on. */
export async function addHookedTenant(
  platform: PlatformUnderTest,
): Promise<{ readonly id: string; readonly admin: ApiClient; readonly hooks: string }> {
  tenants += 1;
  const id = `hooked-${tenants}`;
  return { id, admin: await platform.addTenant(id), hooks: `/control/v1/tenants/${id}/webhooks` };
}

export async function addWebhookAt(
  admin: ApiClient,
  hooks: string,
  body: { readonly url: string; readonly events?: readonly string[] },
): Promise<WebhookJson> {
  const answer = await admin.post(hooks, body);
  expect(answer.status, answer.text).toBe(201);
  const webhook = answer.json<WebhookJson>();
  expect(answer.header('location')).toBe(`${hooks}/${webhook.id}`);
  return webhook;
}

/** Of a prediction that was accepted. */
export function idOf(answer: Answer): string {
  expect(answer.status, answer.text).toBe(202);
  return answer.json<{ id: string }>().id;
}

export async function deliveriesOf(admin: ApiClient, hook: string): Promise<readonly DeliveryJson[]> {
  return (await admin.get(`${hook}/deliveries`)).json<{ items: DeliveryJson[] }>().items;
}

/** The messages of a receiver once there are so many. */
export async function messagesOf(receiver: WebhookReceiver, secret: string, count: number): Promise<Message[]> {
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThanOrEqual(count), SOON);
  return receiver.verified(secret);
}
