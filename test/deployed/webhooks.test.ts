import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWebhooks } from '../flows/webhooks.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { type HooksInternet, openHooksInternet } from '../support/aws/hooks-internet.ts';
import { fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { ASYNC, addHookedTenant, addWebhookAt, deliveriesOf, idOf, SOON } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** Seconds until the second attempt, and what a busy machine adds. */
const SECOND_ATTEMPT = { timeout: 30_000, interval: 100 };

let cloud: Cloud;
let internet: HooksInternet;
let platform: DeployedPlatform;

beforeAll(async () => {
  cloud = await startCloud();
  internet = await openHooksInternet();
  platform = await DeployedPlatform.start(cloud, {
    models: ['row-sum'],
    runners: 1,
    scheduled: ['notices'],
    functionVariables: internet.functionVariables,
  });
}, 120_000);

afterAll(async () => {
  await platform?.end();
  await cloud?.stop();
  await internet?.close();
});

const openReceiver = () => WebhookReceiver.start({ port: internet.port });

describe('webhooks', () => describeWebhooks(async () => platform, openReceiver));

describe('what only the clock brings about', () => {
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await openReceiver();
  });

  afterAll(() => receiver.stop());

  test('a message that failed comes again five seconds later, after those that came since', async () => {
    const { admin, hooks } = await addHookedTenant(platform);
    const { id, secret } = await addWebhookAt(admin, hooks, { url: receiver.url });
    receiver.answer = () => (receiver.received.length === 1 ? 500 : 204);
    const first = idOf(await admin.infer('row-sum', fourOf(1), ASYNC));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), SOON);
    const second = idOf(await admin.infer('row-sum', fourOf(2), ASYNC));
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), SECOND_ATTEMPT);
    expect(receiver.verified(secret).map(({ data }) => data.id)).toEqual([first, second, first]);
    const [failed, , again] = receiver.received;
    expect(again!.atMs - failed!.atMs).toBeGreaterThan(4900);
    await vi.waitFor(async () => {
      const deliveries = await deliveriesOf(admin, `${hooks}/${id}`);
      expect(deliveries.map(({ state, attempts }) => [state, attempts]).sort()).toEqual([
        ['delivered', 1],
        ['delivered', 2],
      ]);
    }, SOON);
  }, 90_000);

  test('a name that stands for a private address is refused, as are other ports and no TLS', async () => {
    const { admin, hooks } = await addHookedTenant(platform);
    for (const url of ['https://inside.test/hook', 'http://hooks.test/hook', 'https://hooks.test:9000/hook']) {
      expectProblem(await admin.post(hooks, { url }), 'webhook-url-refused', { field: 'url' });
    }
  });
});
