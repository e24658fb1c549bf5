import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWebhooks } from '../flows/webhooks.flow.ts';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { CERTIFICATE } from '../support/hooks-test-certificate.ts';
import { fourOf } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { ASYNC, addHookedTenant, addWebhookAt, deliveriesOf, idOf, SOON } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const PRELOAD = join(import.meta.dirname, '..', 'support', 'aws', 'local-internet.ts');
/** Of a public name server: nobody is asked there. */
const ADDRESS = '9.9.9.9';
/** Seconds until the second attempt, and what a busy machine adds. */
const SECOND_ATTEMPT = { timeout: 30_000, interval: 100 };

let cloud: Cloud;
let folder: string;
let port: number;
let platform: DeployedPlatform;

beforeAll(async () => {
  cloud = await startCloud();
  folder = await mkdtemp(join(tmpdir(), 'sluice-hooks-'));
  const authorities = join(folder, 'authorities.pem');
  await writeFile(authorities, CERTIFICATE);
  port = await freePort();
  const internet = { names: { 'hooks.test': ADDRESS, 'inside.test': '10.0.0.1' }, servers: { [ADDRESS]: port } };
  platform = await DeployedPlatform.start(cloud, {
    models: ['row-sum'],
    runners: 1,
    scheduled: ['notices'],
    functionVariables: {
      NODE_OPTIONS: `--import ${PRELOAD}`,
      NODE_EXTRA_CA_CERTS: authorities,
      TEST_INTERNET: JSON.stringify(internet),
    },
  });
}, 120_000);

afterAll(async () => {
  await platform?.end();
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

const openReceiver = () => WebhookReceiver.start({ port });

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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: found } = server.address() as { port: number };
  server.close();
  return found;
}
