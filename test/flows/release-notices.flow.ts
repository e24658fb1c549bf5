import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { ReleaseStartedJson } from '../../core/api/release-json.ts';
import { eraseTenantData } from '../../core/tenancy/erase-tenant.ts';
import { REGION_EVENTS } from '../../core/webhooks/webhook.ts';
import { constantAnswer } from '../support/bad-models.ts';
import type { ApiClient } from '../support/http-client.ts';
import type { PlatformUnderTest, StartPlatform } from '../support/platform-under-test.ts';
import { expectProblem } from '../support/problems.ts';
import { withManifest } from '../support/push-model.ts';
import { SOON, type WebhookJson } from '../support/webhook-calls.ts';
import type { Message, WebhookReceiver } from '../support/webhook-receiver.ts';

const HOOKS = '/control/v1/notice-webhooks';
const GATED = { steps: [{ gate: { people: 1 } }, { setWeight: 100 }] };

/** What a server hears of releases, and who may say that it does. `start`: the platform, which is ended here. */
export function describeReleaseNotices(start: StartPlatform, openReceiver: () => Promise<WebhookReceiver>): void {
  let platform: PlatformUnderTest;
  let operator: ApiClient;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    const models = [1, 2].map((answer) => withManifest(constantAnswer(answer), { name: 'noticed' }));
    platform = await start({ models, runners: 1 });
    operator = await platform.addKey(undefined);
  }, 120_000);

  afterAll(() => platform.end());

  beforeEach(async () => {
    receiver = await openReceiver();
  });

  afterEach(async () => {
    for (const { id } of await list()) await operator.send('DELETE', `${HOOKS}/${id}`);
    await receiver.stop();
  });

  const list = async () => (await operator.get(HOOKS)).json<{ items: WebhookJson[] }>().items;
  const whats = (secret: string) =>
    receiver.verified(secret).map(({ data }) => [data.what, data.by, data.why] as const);

  async function add(): Promise<WebhookJson> {
    const answer = await operator.post(HOOKS, { url: receiver.url });
    expect(answer.status, answer.text).toBe(201);
    return answer.json<WebhookJson>();
  }

  test('a release is told of, signed, as it starts and as it ends, also once a tenant was erased', async () => {
    const { id, secret } = await add();
    expect(await list()).toMatchObject([{ id, url: receiver.url, events: [...REGION_EVENTS], disabled: 'no' }]);
    expect(JSON.stringify(await list())).not.toContain('secret');
    const body = { version: '2', plan: GATED, reason: 'trained on May' };
    const answer = await operator.post('/control/v1/models/noticed/releases', body);
    expect(answer.status, answer.text).toBe(202);
    const release = answer.json<ReleaseStartedJson>();
    const begun = ['gate of step 1 waits', release.started_by, 'trained on May'];
    await vi.waitFor(() => expect(whats(secret)).toContainEqual(begun), SOON);
    await platform.addTenant('noticed-tenant');
    await eraseTenantData(platform.region().platform, 'noticed-tenant');
    await operator.post(`/control/v1/releases/${release.id}/verbs`, { verb: 'abort', reason: 'complaints' });
    const ended = ['rolled back', release.started_by, 'complaints'];
    await vi.waitFor(() => expect(whats(secret)).toContainEqual(ended), SOON);
    const last = receiver.verified(secret).find(({ data }) => data.what === 'rolled back');
    const { text } = last as Message & { readonly text: string };
    expect(text).toContain(`noticed 1 → 2: rolled back, by ${release.started_by}: complaints (`);
    expect(text).toContain(`/control/v1/releases/${release.id})`);
  }, 60_000);

  test('operators alone say who is told; ten addresses at the most, none of which is private', async () => {
    const admin = await platform.addTenant('noticed-admin');
    for (const answer of [await admin.get(HOOKS), await admin.post(HOOKS, { url: receiver.url })]) {
      expectProblem(answer, 'forbidden');
    }
    expectProblem(await operator.post(HOOKS, { url: 'ftp://example.com/' }), 'webhook-url-refused', { field: 'url' });
    const made = await Promise.all(Array.from({ length: 10 }, add));
    expectProblem(await operator.post(HOOKS, { url: receiver.url }), 'webhook-limit-reached', { limit: 10 });
    expect((await operator.send('DELETE', `${HOOKS}/${made[0]!.id}`)).status).toBe(204);
    expectProblem(await operator.send('DELETE', `${HOOKS}/${made[0]!.id}`), 'webhook-unknown');
    expect(await list()).toHaveLength(9);
  });
}
