import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { slowModel } from '../support/bad-models.ts';
import { type Answer, type ApiClient, fourOf, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';
import { type Message, WebhookReceiver } from '../support/webhook-receiver.ts';

const ASYNC = { headers: { prefer: 'respond-async' } };
const SLOW = withManifest(slowModel(), { timeoutMs: 60_000 });
/** A second or so of one core. */
const SLOW_ROUNDS = 1500;
/** A message is posted within a second; this is for a busy machine. */
const SOON = { timeout: 8000, interval: 50 };

type WebhookJson = {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly disabled: string;
  readonly secret: string;
};
type DeliveryJson = {
  readonly id: string;
  readonly prediction: string;
  readonly event: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_result: string | null;
  readonly due_at_ms: number | null;
};

let running: RunningPlatform;
let receiver: WebhookReceiver;
let tenants = 0;

beforeAll(async () => {
  running = await startRunning({ models: ['row-sum', SLOW], runners: 1 });
});

afterAll(() => running.end());

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(() => receiver.stop());

/** A tenant of its own for each test: `hooked-1` and so on. */
async function addTenant(): Promise<{ id: string; admin: ApiClient; hooks: string }> {
  tenants += 1;
  const id = `hooked-${tenants}`;
  return { id, admin: await running.addTenant(id), hooks: `/control/v1/tenants/${id}/webhooks` };
}

async function addWebhook(admin: ApiClient, hooks: string, body: object = {}): Promise<WebhookJson> {
  const answer = await admin.post(hooks, { url: receiver.url, ...body });
  expect(answer.status, answer.text).toBe(201);
  const webhook = answer.json<WebhookJson>();
  expect(answer.header('location')).toBe(`${hooks}/${webhook.id}`);
  return webhook;
}

function idOf(answer: Answer): string {
  expect(answer.status, answer.text).toBe(202);
  return answer.json<{ id: string }>().id;
}

async function deliveriesOf(admin: ApiClient, hook: string): Promise<readonly DeliveryJson[]> {
  return (await admin.get(`${hook}/deliveries`)).json<{ items: DeliveryJson[] }>().items;
}

/** The messages of a receiver once there are so many. */
async function messages(secret: string, count: number): Promise<Message[]> {
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThanOrEqual(count), SOON);
  return receiver.verified(secret);
}

describe('a prediction that is answered with 202', () => {
  test('is told of when it has ended, signed, thin, and within a second or so', async () => {
    const { admin, hooks } = await addTenant();
    const { secret } = await addWebhook(admin, hooks);
    const startMs = Date.now();
    const id = idOf(await admin.infer('row-sum', fourOf(7), ASYNC));
    const [message] = await messages(secret, 1);
    expect(receiver.received[0]!.atMs - startMs).toBeLessThan(5000);
    const url = `/v2/predictions/${id}`;
    expect(message).toEqual({
      type: 'prediction.succeeded',
      timestamp: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { id, model: 'row-sum', model_version: '1', state: 'succeeded', url },
    });
    expect((await admin.get(url)).json()).toMatchObject({ outputs: [{ data: [28] }] });
  });

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

  test('sign with the old secret and the new one after a rotation', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    const rotated = (await admin.send('POST', `${hooks}/${id}/rotate-secret`)).json<WebhookJson>();
    expect(rotated.secret).not.toBe(secret);
    idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    for (const each of [secret, rotated.secret]) expect(await messages(each, 1)).toHaveLength(1);
  });

  test('can be tested: one message, now, and what came of it', async () => {
    const { admin, hooks } = await addTenant();
    const { id, secret } = await addWebhook(admin, hooks);
    const probe = async () => (await admin.send('POST', `${hooks}/${id}/test`)).json();
    expect(await probe()).toEqual({ delivered: true, result: '204' });
    expect(receiver.verified(secret)).toMatchObject([{ type: 'webhook.test', data: { webhook: id } }]);
    receiver.answer = 503;
    expect(await probe()).toEqual({ delivered: false, result: '503' });
    expect(await deliveriesOf(admin, `${hooks}/${id}`)).toEqual([]);
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
  test('are as if they were not there: not read, changed, listed, replayed or heard', async () => {
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
  await vi.waitFor(() => expect(running.logLines.join()).toContain('"webhook delivery"'), SOON);
  const log = running.logLines.join();
  expect(log).toContain(headers['webhook-id']);
  for (const text of [secret, 'hidden-in-the-url', String(marked)]) expect(log).not.toContain(text);
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
