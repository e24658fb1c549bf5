import { Webhook } from 'standardwebhooks';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type ApiClient, fourOf } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import {
  ASYNC,
  addHookedTenant,
  addWebhookAt,
  deliveriesOf,
  idOf,
  messagesOf,
  SOON,
  type WebhookJson,
} from '../support/webhook-calls.ts';
import type { WebhookReceiver } from '../support/webhook-receiver.ts';

/** On a machine that does many things at once. */
const TOLD_WITHIN_MS = 5000;

/**
 * What a tenant's server hears of predictions that were accepted. `start`: the platform, with `row-sum`; whoever started it ends it.
 * `openReceiver`: a server that the platform reaches.
 */
export function describeWebhooks(start: StartPlatform, openReceiver: () => Promise<WebhookReceiver>): void {
  let platform: PlatformUnderTest;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    platform = await start({ models: ['row-sum'], runners: 1 });
  }, 120_000);

  beforeEach(async () => {
    receiver = await openReceiver();
  });

  afterEach(() => receiver.stop());

  const addTenant = () => addHookedTenant(platform);
  const messages = (secret: string, count: number) => messagesOf(receiver, secret, count);
  const addWebhook = (admin: ApiClient, hooks: string, body: { url?: string } = {}) =>
    addWebhookAt(admin, hooks, { url: receiver.url, ...body });

  test('a prediction that is answered with 202 is told of when it has ended, signed, thin, and within a second or so', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks);
    const startMs = Date.now();
    const id = idOf(await admin.infer('row-sum', fourOf(7), ASYNC));
    const [message] = await messages(secret, 1);
    expect(receiver.received[0]!.atMs - startMs).toBeLessThan(TOLD_WITHIN_MS);
    const url = `/v2/predictions/${id}`;
    expect(message).toEqual({
      type: 'prediction.succeeded',
      timestamp: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { id, model: 'row-sum', model_version: '1', state: 'succeeded', url },
    });
    expect((await admin.get(url)).json()).toMatchObject({ outputs: [{ data: [28] }] });
  });

  test('of one key that is asked for twice at once, the job that loses is told of to nobody', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks);
    const headers = { prefer: 'respond-async', 'idempotency-key': '"order-3"' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => admin.infer('row-sum', fourOf(4), { headers })));
    const accepted = answers.filter(({ status }) => status === 202).map(idOf);
    expect(new Set(accepted).size).toBe(1);
    await messages(secret, 1);
    const marker = idOf(await admin.infer('row-sum', fourOf(5), ASYNC));
    const told = await messages(secret, 2);
    expect(told.map(({ data }) => data.id)).toEqual([accepted[0], marker]);
  });

  test('a receiver that fails is asked again five seconds later, or at once by a replay, for the same message', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    receiver.answer = () => (receiver.received.length === 1 ? 500 : 204);
    const prediction = idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    await messages(secret, 1);
    const failed = await vi.waitFor(async () => {
      const [delivery] = await deliveriesOf(admin, `${hooks}/${id}`);
      expect(delivery).toMatchObject({ prediction, state: 'waiting', attempts: 1, last_result: '500' });
      return delivery!;
    }, SOON);
    expect(failed.due_at_ms! - receiver.received[0]!.atMs).toBeGreaterThan(4900);
    expect((await admin.send('POST', `${hooks}/${id}/deliveries/${failed.id}/replay`)).status).toBe(200);
    await messages(secret, 2);
    const [first, second] = receiver.received;
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect(second!.body).toBe(first!.body);
    await vi.waitFor(async () => {
      expect(await deliveriesOf(admin, `${hooks}/${id}`)).toMatchObject([
        { state: 'delivered', attempts: 1, last_result: '204', due_at_ms: null },
      ]);
    }, SOON);
  });

  test('410 disables the webhook, a change enables it again, and a replay sends the message again', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    const hook = `${hooks}/${id}`;
    receiver.answer = 410;
    const prediction = idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    await vi.waitFor(async () => expect((await admin.get(hook)).json()).toMatchObject({ disabled: 'gone' }), SOON);
    const [delivery] = await deliveriesOf(admin, hook);
    expect(delivery).toMatchObject({ prediction, state: 'given-up', last_result: '410' });
    receiver.answer = 204;
    const enabled = await admin.send('PATCH', hook, { body: { disabled: 'no' } });
    expect(enabled.json()).toMatchObject({ disabled: 'no' });
    const replayed = await admin.send('POST', `${hook}/deliveries/${delivery!.id}/replay`);
    expect(replayed.json()).toMatchObject({ id: delivery!.id, state: 'waiting', attempts: 0 });
    await messages(secret, 2);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([delivery!.id, delivery!.id]);
    await vi.waitFor(async () => {
      expect(await deliveriesOf(admin, hook)).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    }, SOON);
  });

  test('webhooks sign with the old secret and the new one after a rotation', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    const rotated = (await admin.send('POST', `${hooks}/${id}/rotate-secret`)).json<WebhookJson>();
    expect(rotated.secret).not.toBe(secret);
    idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    for (const each of [secret, rotated.secret]) expect(await messages(each, 1)).toHaveLength(1);
  });

  test('a webhook can be tested: one message, now, and what came of it', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    const probe = async () => (await admin.send('POST', `${hooks}/${id}/test`)).json();
    expect(await probe()).toEqual({ delivered: true, result: '204' });
    expect(receiver.verified(secret)).toMatchObject([{ type: 'webhook.test', data: { webhook: id } }]);
    receiver.answer = 503;
    expect(await probe()).toEqual({ delivered: false, result: '503' });
    expect(await deliveriesOf(admin, `${hooks}/${id}`)).toEqual([]);
  });

  test('another tenant\u2019s webhooks are as if they were not there: not read, changed, listed, replayed or heard', async () => {
    const mine = await addTenant();
    const theirs = await addTenant();
    const { id } = await addWebhook(mine.admin, mine.hooks);
    idOf(await mine.admin.infer('row-sum', fourOf(1), ASYNC));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), SOON);
    const [delivery] = await deliveriesOf(mine.admin, `${mine.hooks}/${id}`);
    const other = await addWebhook(theirs.admin, theirs.hooks);
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
      ['GET', '/deliveries'],
      ['POST', `/deliveries/${delivery!.id}/replay`],
    ] as const) {
      const body = method === 'PATCH' ? { body: { disabled: 'by-tenant' } } : {};
      expectProblem(await theirs.admin.send(method, `${mine.hooks}/${id}${path}`, body), 'forbidden');
      expectProblem(await theirs.admin.send(method, `${theirs.hooks}/${id}${path}`, body), 'webhook-unknown');
    }
    const stolen = `${theirs.hooks}/${other.id}/deliveries/${delivery!.id}/replay`;
    expectProblem(await theirs.admin.send('POST', stolen), 'delivery-unknown', { field: 'delivery' });
    expect((await mine.admin.get(`${mine.hooks}/${id}`)).json()).toMatchObject({ disabled: 'no' });
    expect(receiver.received).toHaveLength(1);
    expect(() => receiver.verified(other.secret)).toThrow();
  });

  test('erasing a tenant takes its webhooks and their messages with it', async () => {
    const { id, admin, hooks } = await addTenant();
    const webhook = await addWebhook(admin, hooks);
    receiver.answer = 500;
    idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), SOON);
    expect((await admin.send('DELETE', `/control/v1/tenants/${id}/data`)).status).toBe(204);
    expect((await admin.get(hooks)).json()).toEqual({ items: [] });
    expectProblem(await admin.get(`${hooks}/${webhook.id}/deliveries`), 'webhook-unknown');
    const { secret } = await addWebhook(admin, hooks, { url: `${receiver.url}/again` });
    receiver.answer = 204;
    idOf(await admin.infer('row-sum', fourOf(2), ASYNC));
    await vi.waitFor(() => expect(receiver.verified(secret, '/hook/again')).toHaveLength(1), SOON);
  });

  test('nothing of payloads, secrets or addresses is logged, and a message holds neither input nor output', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks, { url: `${receiver.url}?token=hidden-in-the-url` });
    const marked = 12_345_678;
    idOf(await admin.infer('row-sum', fourOf(marked), { ...ASYNC, members: { id: 'the-callers-own-id' } }));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), SOON);
    const [{ body, headers }] = receiver.received as [(typeof receiver.received)[number]];
    new Webhook(secret).verify(body, headers as Record<string, string>);
    for (const text of [String(marked), String(4 * marked), 'the-callers-own-id']) expect(body).not.toContain(text);
    const delivery = String(headers['webhook-id']);
    const isLogged = () =>
      platform.logLines.some((line) => line.includes('"webhook delivery"') && line.includes(delivery));
    await vi.waitFor(() => expect(isLogged()).toBe(true), SOON);
    const log = platform.logLines.join();
    expect([secret, 'hidden-in-the-url', String(marked)].filter((text) => log.includes(text))).toEqual([]);
  });
}
