import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../core/inference/job.ts';
import type { SendAnswer, WebhookSender } from '../../core/ports/webhook-sender.ts';
import { tenantSchema } from '../../core/tenancy/tenant.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { DeliveryRunner } from '../../core/webhooks/run-deliveries.ts';
import { sign } from '../../core/webhooks/sign.ts';
import { tellEnded } from '../../core/webhooks/tell-ended.ts';
import type { WebhookEndpoint } from '../../core/webhooks/webhook.ts';
import { override } from '../support/fault.ts';
import { aJob, floats } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import { anEndpoint } from '../support/webhooks.ts';

type Post = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** A sender that answers as it is told; one that is told nothing waits until it is. */
class ScriptedSender implements WebhookSender {
  readonly posts: Post[] = [];
  readonly open: { readonly post: Post; end(answer: SendAnswer): void }[] = [];
  answer: (post: Post) => SendAnswer | undefined = () => ({ kind: 'answered', status: 204 });

  async check(): Promise<void> {}

  async post(url: string, headers: Post['headers'], body: string, signal?: AbortSignal): Promise<SendAnswer> {
    const post = { url, headers, body };
    this.posts.push(post);
    const answer = this.answer(post);
    if (answer !== undefined) return answer;
    return new Promise((end) => {
      this.open.push({ post, end });
      signal?.addEventListener('abort', () => end({ kind: 'failed', reason: 'unreachable' }));
    });
  }
}

const HANGS = (part: string) => (post: Post) =>
  post.url.includes(part) ? undefined : ({ kind: 'answered', status: 204 } as const);

let local: LocalPlatform;
let sender: ScriptedSender;
let runner: DeliveryRunner;

beforeEach(async () => {
  local = await openLocalPlatform();
  sender = new ScriptedSender();
  runner = newRunner();
});

afterEach(async () => {
  for (const { end } of sender.open) end({ kind: 'failed', reason: 'unreachable' });
  await local.close();
});

function portsNow() {
  return { ...local.ports, clock: local.clock, log: local.log, webhookSender: sender };
}

function newRunner(): DeliveryRunner {
  return new DeliveryRunner(portsNow());
}

async function addTenant(id: string, changes: { suspended?: boolean; epoch?: number } = {}): Promise<void> {
  const fields = { id, name: id, region: 'us', plan: 'pro', createdAtMs: 0, epoch: 1 };
  await local.ports.registry.writeTenant(tenantSchema.parse({ ...fields, ...changes }));
}

async function addEndpoint(changes: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const endpoint = anEndpoint(changes);
  await addTenant(endpoint.tenant).catch(() => {});
  await local.ports.webhooks.addEndpoint(endpoint, 10);
  return endpoint;
}

/** Accepted predictions that have ended. */
async function ended(tenant: string, count = 1): Promise<Job[]> {
  const jobs = Array.from({ length: count }, () => aJob({ tenant, durable: true, notify: true }));
  const { jobs: port } = local.ports;
  await Promise.all(jobs.map((job) => port.create(job, local.clock.nowMs() + DAY_MS)));
  const outcome = {
    kind: 'succeeded',
    version: '1',
    outputs: [floats('y', [1], [42])],
    computeMs: 1,
    queueMs: 1,
    batchRows: 1,
    endedAtMs: local.clock.nowMs(),
  } as const;
  await Promise.all(jobs.map((job) => port.finish(job, outcome)));
  return jobs;
}

/** As the loop goes on until there is nothing left that it could start. */
async function run(): Promise<void> {
  for (let idle = 0; idle < 3; ) {
    const done = (await tellEnded(portsNow())) + (await runner.startDue());
    idle = done === 0 ? idle + 1 : 0;
    // Commits are made in the turns of the event loop, no sooner one after the other than each took.
    for (let i = 0; i < 5; i += 1) await nextTurn();
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function predictionsIn(posts: readonly Post[]): string[] {
  return posts.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id).sort();
}

function idsOf(jobs: readonly Job[]): string[] {
  return jobs.map(({ id }) => id).sort();
}

describe('an accepted prediction that has ended', () => {
  it('is told of once to each endpoint of its tenant, signed with that one\u2019s secret, and to no other tenant', async () => {
    const mine = [await addEndpoint({ url: 'https://a.example/' }), await addEndpoint({ url: 'https://b.example/' })];
    await addEndpoint({ tenant: 'globex', url: 'https://globex.example/' });
    const jobs = await ended('acme', 3);
    await run();
    await run();
    for (const endpoint of mine) {
      const posts = sender.posts.filter(({ url }) => url === endpoint.url);
      expect(predictionsIn(posts)).toEqual(idsOf(jobs));
      for (const { headers, body } of posts) {
        expect(headers).toEqual(sign(endpoint, headers['webhook-id']!, body, local.clock.nowMs()));
      }
      const deliveries = await local.ports.webhooks.listDeliveries('acme', endpoint.id, 10);
      expect(deliveries.map(({ state, attempts, lastResult }) => [state, attempts, lastResult])).toEqual(
        Array.from({ length: 3 }, () => ['delivered', 1, '204']),
      );
    }
    expect(sender.posts).toHaveLength(6);
  });

  it('is told of again and again until somebody listens: the same message, each attempt with its own time', async () => {
    const endpoint = await addEndpoint();
    await ended('acme');
    sender.answer = () => ({ kind: 'answered', status: 500 });
    await run();
    for (const waitMs of [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS]) {
      const before = sender.posts.length;
      await local.clock.advance(waitMs - 1);
      await run();
      expect(sender.posts).toHaveLength(before);
      await local.clock.advance(0.2 * waitMs + 1);
      await run();
      expect(sender.posts).toHaveLength(before + 1);
    }
    sender.answer = () => ({ kind: 'answered', status: 200 });
    await local.clock.advance(3 * HOUR_MS);
    await run();
    expect(sender.posts).toHaveLength(5);
    expect(new Set(sender.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(sender.posts.map(({ body }) => body)).size).toBe(1);
    expect(new Set(sender.posts.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(5);
    expect(await local.ports.webhooks.listDeliveries('acme', endpoint.id, 10)).toMatchObject([
      { state: 'delivered', attempts: 5, lastResult: '200' },
    ]);
    await local.clock.advance(DAY_MS);
    await run();
    expect(sender.posts).toHaveLength(5);
  });

  it('is given up after ten attempts', async () => {
    const endpoint = await addEndpoint();
    await ended('acme');
    sender.answer = () => ({ kind: 'failed', reason: 'timed-out' });
    for (let i = 0; i < 12; i += 1) {
      await run();
      await local.clock.advance(29 * HOUR_MS);
    }
    expect(sender.posts).toHaveLength(10);
    expect(await local.ports.webhooks.listDeliveries('acme', endpoint.id, 10)).toMatchObject([
      { state: 'given-up', attempts: 10, lastResult: 'timed-out' },
    ]);
  });

  it('is told of after a crash at any moment between its outcome and the settled delivery', async () => {
    const endpoint = await addEndpoint();
    const [afterOutcome] = await ended('acme');
    await local.crash();
    runner = newRunner();
    await run();
    expect(predictionsIn(sender.posts)).toEqual([afterOutcome!.id]);

    // Taken, and the deliveries written, but not marked: the message that comes again has the same id.
    const [afterFanOut] = await ended('acme');
    const { jobs } = local.ports;
    const dies = { ...portsNow(), jobs: override(jobs, { markNotified: () => Promise.reject(new Error('killed')) }) };
    await expect(tellEnded(dies)).rejects.toThrow('killed');
    await local.crash();
    runner = newRunner();
    await run();
    expect(predictionsIn(sender.posts)).toEqual([afterOutcome!.id, afterFanOut!.id].sort());
    expect(await local.ports.webhooks.listDeliveries('acme', endpoint.id, 10)).toHaveLength(2);

    // Posted, but not settled.
    const [afterPost] = await ended('acme');
    sender.answer = () => undefined;
    await run();
    expect(sender.open).toHaveLength(1);
    await local.crash();
    sender.answer = () => ({ kind: 'answered', status: 204 });
    runner = newRunner();
    await run();
    const posts = sender.posts.filter(({ body }) => body.includes(afterPost!.id));
    expect(posts).toHaveLength(2);
    expect(new Set(posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

describe('an address that is slow', () => {
  it('delays nobody: four attempts at once to each, eight to a tenant, and the others go on', async () => {
    for (let i = 0; i < 5; i += 1) await addEndpoint({ tenant: 'slow', url: `https://slow.example/${i}` });
    const quick = await addEndpoint({ tenant: 'slow', url: 'https://quick.example/' });
    await addEndpoint({ tenant: 'other', url: 'https://other.example/' });
    sender.answer = HANGS('slow.example');
    await ended('slow', 30);
    await run();
    expect(sender.open).toHaveLength(8);
    const each = new Map<string, number>();
    for (const { post } of sender.open) each.set(post.url, (each.get(post.url) ?? 0) + 1);
    expect(Math.max(...each.values())).toBeLessThanOrEqual(4);
    const jobs = await ended('other', 50);
    await run();
    expect(predictionsIn(sender.posts.filter(({ url }) => url.includes('other')))).toEqual(idsOf(jobs));
    // Room that is given back is used, by the slow tenant's quick address too.
    while (sender.posts.filter(({ url }) => url === quick.url).length < 30) {
      expect(sender.open.length).toBeGreaterThan(0);
      for (const { end } of sender.open.splice(0)) end({ kind: 'answered', status: 200 });
      await run();
    }
    expect(sender.open.length).toBeLessThanOrEqual(8);
  });
});

describe('an address that answers 410', () => {
  it('is disabled: what waits for it is given up, and it is sent nothing more', async () => {
    const endpoint = await addEndpoint();
    await ended('acme', 20);
    sender.answer = () => ({ kind: 'answered', status: 410 });
    await run();
    expect(sender.posts.length).toBeLessThanOrEqual(8);
    expect((await local.ports.webhooks.readEndpoint('acme', endpoint.id))?.disabled).toBe('gone');
    const results = (await local.ports.webhooks.listDeliveries('acme', endpoint.id, 100)).map(
      (each) => each.lastResult,
    );
    expect(new Set(results)).toEqual(new Set(['410', 'endpoint-disabled']));
    const before = sender.posts.length;
    await ended('acme', 3);
    await local.clock.advance(DAY_MS);
    await run();
    expect(sender.posts).toHaveLength(before);
  });

  it('stays enabled if it has been changed to another address meanwhile', async () => {
    const endpoint = await addEndpoint();
    await ended('acme');
    sender.answer = () => undefined;
    await run();
    await local.ports.webhooks.changeEndpoint('acme', endpoint.id, (now) => ({ ...now, url: 'https://new.example/' }));
    for (const { end } of sender.open.splice(0)) end({ kind: 'answered', status: 410 });
    await run();
    expect((await local.ports.webhooks.readEndpoint('acme', endpoint.id))?.disabled).toBe('no');
  });
});

describe('a suspended tenant', () => {
  it('is sent nothing until it is one no longer', async () => {
    await addEndpoint();
    await addTenant('acme', { suspended: true, epoch: 2 });
    const jobs = await ended('acme', 2);
    await run();
    await local.clock.advance(HOUR_MS);
    await run();
    expect(sender.posts).toEqual([]);
    await addTenant('acme', { epoch: 3 });
    await local.clock.advance(5 * MINUTE_MS);
    await run();
    expect(predictionsIn(sender.posts)).toEqual(idsOf(jobs));
  });
});

describe('a tenant whose data is erased', () => {
  it('is sent nothing more, not of ends that were not told yet either', async () => {
    await addEndpoint();
    sender.answer = () => ({ kind: 'answered', status: 500 });
    await ended('acme', 2);
    await run();
    const before = sender.posts.length;
    await ended('acme', 2);
    await local.ports.dataKeys.destroy('acme');
    await local.ports.jobs.erase('acme');
    await local.ports.webhooks.erase('acme');
    await local.clock.advance(DAY_MS);
    await run();
    expect(sender.posts).toHaveLength(before);
    expect(await local.ports.webhooks.listEndpoints('acme')).toEqual([]);
  });
});

describe('a runner that is told to stop', () => {
  it('starts nothing, breaks off what hangs, and its successor sends that again', async () => {
    const endpoint = await addEndpoint();
    const jobs = await ended('acme', 6);
    sender.answer = () => undefined;
    await run();
    expect(sender.open).toHaveLength(4);
    const stopping = runner.stop(2 * SECOND_MS);
    await local.clock.advance(2 * SECOND_MS);
    await stopping;
    expect(await runner.startDue()).toBe(0);
    const waiting = await local.ports.webhooks.listDeliveries('acme', endpoint.id, 10);
    expect(waiting.map(({ state, attempts }) => [state, attempts])).toEqual(waiting.map(() => ['waiting', 0]));
    await local.reopen();
    sender.answer = () => ({ kind: 'answered', status: 204 });
    sender.posts.length = 0;
    runner = newRunner();
    await run();
    expect(predictionsIn(sender.posts)).toEqual(idsOf(jobs));
  });
});

describe('what is kept and logged', () => {
  it('holds no secret and no address in the clear, and a broken sender brings none of them into the log', async () => {
    const { secret, url } = await addEndpoint({ url: 'https://hooks.example.com/the-secret-path' });
    sender.answer = () => {
      throw new Error(`cannot post to ${url}`);
    };
    await ended('acme');
    await run();
    expect(local.logged.join()).toContain('a webhook delivery broke');
    for (const text of [secret, url, 'the-secret-path']) expect(local.logged.join()).not.toContain(text);
    await local.ports.close();
    for (const name of readdirSync(local.folder).filter((file) => file.startsWith('region.db'))) {
      const bytes = readFileSync(join(local.folder, name));
      for (const text of [secret, url]) expect(bytes.includes(text)).toBe(false);
    }
    await local.start();
  });
});
