import { afterEach, beforeEach, expect, test } from 'vitest';
import { giveVerb } from '../../../core/release/manage-releases.ts';
import { ReleaseNotices } from '../../../core/release/release-notices.ts';
import { DAY_MS } from '../../../core/units.ts';
import { MOST_WEBHOOKS } from '../../../core/webhooks/manage-webhooks.ts';
import { DeliveryRunner } from '../../../core/webhooks/run-deliveries.ts';
import { REGION_OWNER, RELEASE_EVENT, type WebhookEndpoint } from '../../../core/webhooks/webhook.ts';
import { override } from '../../support/fault.ts';
import { ReleaseWorld } from '../../support/release-world.ts';
import { anEndpoint } from '../../support/webhooks.ts';

const HOLD = { seconds: 20, minRequests: 20, escalateAfterS: 3600 };
const PLAN = { steps: [{ setWeight: 50, hold: HOLD }, { setWeight: 100 }], watch: { seconds: 30 } };

let world: ReleaseWorld;

beforeEach(async () => {
  world = await ReleaseWorld.open();
});

afterEach(() => world.local.close());

async function addEndpoint(changes: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const createdAtMs = Math.floor(world.nowMs());
  const endpoint = anEndpoint({ tenant: REGION_OWNER, events: [RELEASE_EVENT], createdAtMs, ...changes });
  expect(await world.local.ports.webhooks.addEndpoint(endpoint, MOST_WEBHOOKS)).toBe('added');
  return endpoint;
}

const messages = ({ id }: WebhookEndpoint) => world.local.ports.webhooks.listDeliveries(REGION_OWNER, id, 1000);
const bodies = async (endpoint: WebhookEndpoint) =>
  (await messages(endpoint)).map(({ body }) => JSON.parse(body) as { text: string; data: Record<string, unknown> });
const toldOf = async (endpoint: WebhookEndpoint) =>
  (await bodies(endpoint)).map(({ data }) => `${data.release} ${data.epoch} ${data.what}`).sort();
const auditsOf = async (id: string) =>
  (await world.audits(id)).map(({ release, epoch, what }) => `${release} ${epoch} ${what}`).sort();

function abort(id: string, why: string) {
  const { ports, clock, log } = world.local;
  return giveVerb({ ...ports, clock, log }, id, { id: crypto.randomUUID(), verb: 'abort', by: 'user:ann', why });
}

test('every webhook of the region is told of every audit of a release once, crashes in between or not', async () => {
  const endpoints = [await addEndpoint(), await addEndpoint()];
  const { id } = await world.start(PLAN);
  for (let crashes = 0; crashes < 4; crashes += 1) {
    await world.pass(id, 4);
    await world.crash();
  }
  expect((await world.pass(id, 60)).release.state.kind).toBe('promoted');
  for (const endpoint of endpoints) expect(await toldOf(endpoint)).toEqual(await auditsOf(id));
  expect((await auditsOf(id)).length).toBeGreaterThan(3);
});

test('a message has a text for Slack, in which a reason calls nobody, and says in fields who did what, when and why', async () => {
  const endpoint = await addEndpoint();
  const { id } = await world.start(PLAN);
  await abort(id, '<!channel> & co');
  await new ReleaseNotices({ ...world.local.ports, log: world.local.log }, 'https://us.example.com').tell(
    (await world.local.ports.releases.read(id))!,
    world.nowMs(),
  );
  const url = `https://us.example.com/control/v1/releases/${id}`;
  expect((await bodies(endpoint)).find(({ data }) => data.what === 'rolled back')).toEqual({
    type: 'release.changed',
    timestamp: new Date(world.nowMs()).toISOString(),
    text: `m 1 → 2: rolled back, by user:ann: &lt;!channel&gt; &amp; co (${url})`,
    data: {
      release: id,
      model: 'm',
      epoch: 2,
      stable: '1',
      candidate: '2',
      state: 'rolled-back',
      what: 'rolled back',
      why: '<!channel> & co',
      by: 'user:ann',
      url,
    },
  });
});

test('an end that cannot be told of leaves the release open until it is, and is in force all the same', async () => {
  const endpoint = await addEndpoint();
  const { id } = await world.start(PLAN);
  await world.look(id);
  await abort(id, 'no');
  const broken = override(world.local.ports.webhooks, {
    addDeliveries: () => Promise.reject(new Error('no storage')),
  });
  const { ports } = world.local;
  const notices = new ReleaseNotices({ ...ports, webhooks: broken, log: world.local.log }, '');
  const release = (await ports.releases.read(id))!;
  expect(await notices.tell(release, world.nowMs())).toBe('not-told');
  const driven = await world.look(id, undefined, notices);
  expect([driven.release.state.kind, driven.lookAtMs !== undefined]).toEqual(['rolled-back', true]);
  expect((await ports.releases.listOpen()).map((open) => open.id)).toEqual([id]);
  expect((await world.look(id)).lookAtMs).toBeUndefined();
  expect(await toldOf(endpoint)).toEqual(await auditsOf(id));
});

test('a release that ended and was followed by another one between two looks is told of too', async () => {
  const endpoint = await addEndpoint();
  const first = await world.start(PLAN);
  await abort(first.id, 'no');
  await world.local.clock.advance(1000);
  const second = await world.start(PLAN);
  await world.look(second.id);
  const both = [...(await auditsOf(first.id)), ...(await auditsOf(second.id))].sort();
  expect(await toldOf(endpoint)).toEqual(both);
});

test('a webhook is told of nothing that came before it was added, and one that is disabled or wants other events of nothing', async () => {
  const { id } = await world.start(PLAN);
  await world.local.clock.advance(1000);
  const late = await addEndpoint();
  const disabled = await addEndpoint({ disabled: 'gone' });
  const others = await addEndpoint({ events: ['model.drifted'] });
  await world.look(id);
  await world.local.clock.advance(1000);
  await abort(id, 'no');
  await world.look(id);
  const [start, ...later] = await auditsOf(id);
  expect(start).toContain('step 1 waits for capacity');
  expect(await toldOf(late)).toEqual(later);
  expect(await toldOf(disabled)).toEqual([]);
  expect(await toldOf(others)).toEqual([]);
});

test('what was delivered is not sent again days later, by whoever looks without remembering', async () => {
  await addEndpoint();
  const { id } = await world.start({ steps: [{ gate: { people: 1 } }, { setWeight: 100 }] });
  await world.look(id);
  const posts: string[] = [];
  const webhookSender = {
    check: async () => {},
    post: async (_: string, headers: Readonly<Record<string, string>>) => {
      posts.push(headers['webhook-id']!);
      return { kind: 'answered', status: 200 } as const;
    },
  };
  const { ports, clock, log } = world.local;
  const send = async () => {
    const runner = new DeliveryRunner({ ...ports, clock, log, webhookSender });
    await runner.startDue();
    await runner.stop(1000);
  };
  await send();
  expect(posts).toHaveLength((await auditsOf(id)).length);
  for (let days = 0; days < 8; days += 1) {
    await world.local.clock.advance(DAY_MS - 1);
    await ports.webhooks.purge(world.nowMs());
    const release = (await ports.releases.read(id))!;
    await new ReleaseNotices({ ...ports, log }, '').tell(release, world.nowMs());
    await send();
  }
  expect(new Set(posts).size).toBe(posts.length);
});
