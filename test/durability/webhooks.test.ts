import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { StartedPlatform } from '../support/durability/started-platform.ts';
import { fourOf } from '../support/http-client.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const ASYNC = { headers: { prefer: 'respond-async' } };
const HOOKS = '/control/v1/tenants/acme/webhooks';
const COUNT = 20;

let platform: StartedPlatform;
let receiver: WebhookReceiver;

beforeAll(async () => {
  vi.stubEnv('SLUICE_WEBHOOKS_PRIVATE', '1');
  receiver = await WebhookReceiver.start();
  platform = await StartedPlatform.create();
  await platform.start();
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await platform.end();
  await receiver.stop();
});

test('kill -9 between outcomes and their messages: each is told of after the next start, whatever had been sent', async () => {
  const acme = platform.tenant('acme');
  const made = await platform.operator.post(HOOKS, { url: receiver.url });
  expect(made.status, made.text).toBe(201);
  const { secret } = made.json<{ secret: string }>();
  // Some arrive, some hang, and none of what hangs is settled when the platform dies.
  receiver.answer = () => (receiver.received.length <= 5 ? 204 : 'hang');
  const accepted = await Promise.all(
    Array.from({ length: COUNT }, (_, value) => acme.infer('row-sum', fourOf(value), ASYNC)),
  );
  const places = accepted.map((answer) => answer.header('location')!);
  for (const place of places) expect((await acme.result(place)).status).toBe(200);
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(5), { timeout: 10_000, interval: 20 });
  await platform.kill();
  const before = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
  expect(before.size).toBeLessThan(COUNT);
  receiver.answer = 204;
  await platform.start();
  const ids = places.map((place) => place.split('/').at(-1)!).sort();
  await vi.waitFor(
    () => {
      const told = receiver.verified(secret).map(({ data }) => String(data.id));
      expect([...new Set(told)].sort()).toEqual(ids);
    },
    { timeout: 10_000, interval: 100 },
  );
  // One message has one id, however often it was sent.
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(COUNT);
  const { items } = (await platform.operator.get(HOOKS)).json<{ items: { id: string; url: string }[] }>();
  expect(items).toMatchObject([{ url: receiver.url, disabled: 'no' }]);
});
