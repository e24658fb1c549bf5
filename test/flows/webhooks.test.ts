import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { type ApiClient, fourOf, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';
import {
  ASYNC,
  addHookedTenant,
  addWebhookAt,
  type DeliveryJson,
  idOf,
  messagesOf,
  SOON,
  type WebhookJson,
} from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { describeWebhooks } from './webhooks.flow.ts';

const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });
/** A second or so of one core. */
const SLOW_ROUNDS = 1500;

let running: RunningPlatform;
let receiver: WebhookReceiver;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', SLOW], runners: 1 });
});

afterAll(() => running.end());

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(() => receiver.stop());

const addTenant = () => addHookedTenant(running);
const messages = (secret: string, count: number) => messagesOf(receiver, secret, count);
const addWebhook = (admin: ApiClient, hooks: string, body: { url?: string; events?: readonly string[] } = {}) =>
  addWebhookAt(admin, hooks, { url: receiver.url, ...body });

describe('webhooks', () =>
  describeWebhooks(
    async () => running,
    () => WebhookReceiver.start(),
  ));

describe('a prediction that is answered with 202', () => {
  test('is told of also if it is cancelled or its wait was over, and with an Idempotency-Key once', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks);
    const late = admin.infer('slow', int64s('rounds', 2 * SLOW_ROUNDS), { headers: { prefer: 'wait=1' } });
    const headers = { prefer: 'wait=1', 'idempotency-key': '"order-1"' };
    const keyed = admin.infer('slow', int64s('rounds', SLOW_ROUNDS), { headers });
    const cancelled = idOf(await admin.infer('slow', int64s('rounds', 1), ASYNC));
    await admin.send('DELETE', `/v2/predictions/${cancelled}`);
    const ids = [idOf(await late), idOf(await keyed)];
    const told = await messages(secret, 3);
    const of = (id: string) => told.filter(({ data }) => data.id === id);
    for (const id of ids) expect(of(id)).toMatchObject([{ type: 'prediction.succeeded' }]);
    expect(of(cancelled)).toMatchObject([
      { type: 'prediction.failed', data: { state: 'failed', code: 'prediction-cancelled' } },
    ]);
    expect(told).toHaveLength(3);
  });

  test('is not told of if it was accepted before the first webhook was added', async () => {
    const { admin, hooks } = await addTenant();
    const early = idOf(await admin.infer('slow', int64s('rounds', SLOW_ROUNDS), ASYNC));
    const { secret } = await addWebhook(admin, hooks);
    const later = idOf(await admin.infer('slow', int64s('rounds', 1), ASYNC));
    await admin.result(`/v2/predictions/${early}`);
    const told = await messages(secret, 1);
    expect(told.map(({ data }) => data.id)).toEqual([later]);
  });
});

test('a prediction that is answered at once is told of to nobody', async () => {
  const { admin, hooks } = await addTenant();
  const { secret } = await addWebhook(admin, hooks);
  expect((await admin.infer('row-sum', fourOf(1))).status).toBe(200);
  const keyed = { headers: { 'idempotency-key': '"order-2"' } };
  for (let i = 0; i < 2; i += 1) expect((await admin.infer('row-sum', fourOf(2), keyed)).status).toBe(200);
  const asynchronous = idOf(await admin.infer('row-sum', fourOf(3), ASYNC));
  const told = await messages(secret, 1);
  expect(told.map(({ data }) => data.id)).toEqual([asynchronous]);
});

describe('the webhooks of a tenant', () => {
  test('are added, listed, changed and removed; the secret is shown when it is made and never again', async () => {
    const { admin, hooks } = await addTenant();
    const made = await addWebhook(admin, hooks, { events: ['prediction.failed'] });
    expect(made).toMatchObject({ url: receiver.url, events: ['prediction.failed'], disabled: 'no' });
    const { secret, ...shown } = made;
    expect((await admin.get(hooks)).json()).toEqual({ items: [shown] });
    expect((await admin.get(`${hooks}/${made.id}`)).json()).toEqual(shown);
    const changed = await admin.send('PATCH', `${hooks}/${made.id}`, { body: { disabled: 'by-tenant' } });
    expect(changed.json()).toEqual({ ...shown, disabled: 'by-tenant' });
    expect((await admin.send('DELETE', `${hooks}/${made.id}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      expectProblem(await admin.send(method, `${hooks}/${made.id}`), 'webhook-unknown', { field: 'webhook' });
    }
    expect(running.logLines.join()).not.toContain(secret);
  });

  test('get only the events that they want', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks, { url: `${receiver.url}/failed`, events: ['prediction.failed'] });
    await addWebhook(admin, hooks);
    idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    const slow = idOf(await admin.infer('slow', int64s('rounds', 2 * SLOW_ROUNDS), ASYNC));
    await admin.send('DELETE', `/v2/predictions/${slow}`);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), SOON);
    const failed = receiver.verified(secret, '/hook/failed');
    expect(failed.map(({ data }) => data.id)).toEqual([slow]);
  });

  test('are ten at the most', async () => {
    const { admin, hooks } = await addTenant();
    const added = await Promise.all(Array.from({ length: 10 }, () => addWebhook(admin, hooks)));
    expectProblem(await admin.post(hooks, { url: receiver.url }), 'webhook-limit-reached', { limit: 10 });
    expect((await admin.send('DELETE', `${hooks}/${added[0]!.id}`)).status).toBe(204);
    await addWebhook(admin, hooks);
  });

  test('list the newest deliveries first, as many as asked for', async () => {
    const { admin, hooks } = await addTenant();
    const { id } = await addWebhook(admin, hooks);
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      ids.unshift(idOf(await admin.infer('row-sum', fourOf(i), ASYNC)));
      await vi.waitFor(() => expect(receiver.received).toHaveLength(i + 1), SOON);
    }
    const of = async (query: string) =>
      (await admin.get(`${hooks}/${id}/deliveries${query}`)).json<{ items: DeliveryJson[] }>().items;
    expect((await of('')).map(({ prediction }) => prediction)).toEqual(ids);
    expect((await of('?limit=2')).map(({ prediction }) => prediction)).toEqual(ids.slice(0, 2));
    for (const limit of ['0', '1001', 'x']) {
      expectProblem(await admin.get(`${hooks}/${id}/deliveries?limit=${limit}`), 'request-invalid', { field: 'limit' });
    }
    expect(await of('?limit=1000')).toHaveLength(3);
  });

  test.each([
    ['no url', {}, 'request-invalid', 'url'],
    ['what is no URL', { url: 'hooks.example.com' }, 'webhook-url-refused', 'url'],
    ['credentials in it', { url: 'https://user:password@hooks.example.com/' }, 'webhook-url-refused', 'url'],
    ['a URL of 2001 characters', { url: `https://a.example/${'x'.repeat(1983)}` }, 'request-invalid', 'url'],
    ['no event', { url: 'https://127.0.0.1/', events: [] }, 'request-invalid', 'events'],
    ['an unknown event', { url: 'https://127.0.0.1/', events: ['prediction.started'] }, 'request-invalid', 'events[0]'],
    ['a secret of its own', { url: 'https://127.0.0.1/', secret: 'whsec_x' }, 'field-unknown', 'secret'],
  ] as const)('are not added with %s', async (_, body, code, field) => {
    const { admin, hooks } = await addTenant();
    expectProblem(await admin.post(hooks, body), code, { field });
    expect((await admin.get(hooks)).json()).toEqual({ items: [] });
  });
});

describe("another tenant's webhooks", () => {
  test('are for operators and for admins of the tenant, not for its users', async () => {
    const { id, admin, hooks } = await addTenant();
    await addWebhook(admin, hooks);
    const user = await running.addKey(id);
    expectProblem(await user.get(hooks), 'forbidden', { required_role: 'tenant-admin' });
    const operator = await running.addKey(undefined);
    expect((await operator.get(hooks)).json<{ items: unknown[] }>().items).toHaveLength(1);
    expectProblem(await operator.get('/control/v1/tenants/nobody/webhooks'), 'tenant-unknown');
  });
});

test('unless told otherwise only https addresses of the public internet are taken', async () => {
  const usual = await startRunning({ webhookReach: 'public' });
  try {
    const admin = await usual.addTenant('acme');
    const hooks = '/control/v1/tenants/acme/webhooks';
    for (const url of [
      receiver.url,
      `https://127.0.0.1:${receiver.port}/`,
      'https://169.254.169.254/',
      'https://localhost/',
    ]) {
      expectProblem(await admin.post(hooks, { url }), 'webhook-url-refused', { field: 'url' });
    }
    const made = await admin.post(hooks, { url: 'https://8.8.8.8/hook' });
    expect(made.status, made.text).toBe(201);
    const hook = `${hooks}/${made.json<WebhookJson>().id}`;
    expectProblem(await admin.send('PATCH', hook, { body: { url: receiver.url } }), 'webhook-url-refused');
    expect((await admin.get(hook)).json()).toMatchObject({ url: 'https://8.8.8.8/hook' });
    expect(receiver.received).toEqual([]);
  } finally {
    await usual.end();
  }
});
