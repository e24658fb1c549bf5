import { expect, test } from 'vitest';
import type { Clock } from '../../core/ports/clock.ts';
import type { Jobs } from '../../core/ports/jobs.ts';
import type { Registry } from '../../core/ports/registry.ts';
import type { WebhookSender } from '../../core/ports/webhook-sender.ts';
import type { Webhooks } from '../../core/ports/webhooks.ts';
import { MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import type { WebhookDelivery } from '../../core/webhooks/webhook.ts';
import { sendNotices } from '../../lambdas/schedule/send-notices.ts';
import { sweepAll } from '../../lambdas/schedule/sweep-all.ts';
import { validatePushes } from '../../lambdas/schedule/validate-pushes.ts';
import { NO_LOG } from '../support/aws/aws-jobs.ts';
import { aDelivery, anEndpoint } from '../support/webhooks.ts';

/** Time passes by sleeping alone, at once; a sleep ends early if it is aborted. */
class SleptClock implements Clock {
  #nowMs = 1_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise(setImmediate);
    if (signal?.aborted) throw signal.reason;
    this.#nowMs += ms;
  }
}

/** A region with deliveries that become due at each look in turn, and posts that take so long. */
class Hooks {
  readonly clock = new SleptClock();
  readonly settled: WebhookDelivery[] = [];
  looks = 0;
  readonly #due: WebhookDelivery[][];
  readonly #endpoint = anEndpoint();
  readonly #postMs: number;

  constructor(due: readonly number[], postMs = 0) {
    this.#due = due.map((count) => Array.from({ length: count }, () => aDelivery(this.#endpoint)));
    this.#postMs = postMs;
  }

  get ports() {
    const webhooks = {
      takeDue: async () => {
        this.looks += 1;
        return this.#due.shift() ?? [];
      },
      readEndpoint: async () => this.#endpoint,
      settleDelivery: async (delivery: WebhookDelivery) => void this.settled.push(delivery),
    } as unknown as Webhooks;
    const webhookSender: WebhookSender = {
      check: async () => {},
      post: async (_url, _headers, _body, signal) => {
        if (this.#postMs > 0) await this.clock.sleep(this.#postMs, signal);
        return { kind: 'answered', status: 204 };
      },
    };
    const registry = { readTenant: async () => ({ suspended: false }) } as unknown as Registry;
    const jobs = { takeEnded: async () => [] } as unknown as Jobs;
    return { webhooks, webhookSender, registry, jobs, clock: this.clock, log: NO_LOG };
  }
}

test('with nothing to tell of, notices are looked for twice, a second apart: the index may be behind the stream', async () => {
  const hooks = new Hooks([]);
  const startMs = hooks.clock.nowMs();
  await sendNotices(hooks.ports, startMs + MINUTE_MS);
  expect(hooks.looks).toBe(2);
  expect(hooks.clock.nowMs() - startMs).toBeGreaterThanOrEqual(SECOND_MS);
});

test('what is due only at the second look is sent, and whatever comes with it', async () => {
  const hooks = new Hooks([0, 2, 1]);
  await sendNotices(hooks.ports, hooks.clock.nowMs() + MINUTE_MS);
  expect(hooks.settled.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
});

test('while a slow post is under way those that wait for it are looked for', async () => {
  const hooks = new Hooks([1, 0, 0, 2], 3 * SECOND_MS);
  await sendNotices(hooks.ports, hooks.clock.nowMs() + MINUTE_MS);
  expect(hooks.settled).toHaveLength(3);
});

test('nothing is started that could not end before the time is over', async () => {
  const hooks = new Hooks(Array(100).fill(1));
  await sendNotices(hooks.ports, hooks.clock.nowMs() + 5 * SECOND_MS);
  expect(hooks.looks).toBe(1);
  expect(hooks.settled).toHaveLength(1);
});

test('a post under way is waited for before the function ends', async () => {
  const hooks = new Hooks([1], 8 * SECOND_MS);
  await sendNotices(hooks.ports, hooks.clock.nowMs() + MINUTE_MS);
  expect(hooks.settled).toHaveLength(1);
});

test('with no push that waits, validation ends at once and leaves no timer', async () => {
  const validations = { take: async () => undefined };
  const clock = new SleptClock();
  const startMs = clock.nowMs();
  const ports = { validations, clock, log: NO_LOG } as unknown as Parameters<typeof validatePushes>[0];
  expect(await validatePushes(ports, startMs + 15 * MINUTE_MS)).toBe(0);
});

/** A region with so many jobs that were cut off, of which those of a pool that is gone cannot be sent, and one pool that sleeps. */
function aRegionWithUnsent(jobs: number, gone: number) {
  const unsent = Array.from({ length: jobs }, (_, at) => ({
    tenant: 'acme',
    id: String(at),
    pool: at < gone ? 'gone' : 'default',
  }));
  const sent: string[] = [];
  const woken: string[] = [];
  const purge = async () => 0;
  const ports = {
    clock: new SleptClock(),
    log: NO_LOG,
    config: { pools: ['default'] },
    jobs: {
      purge,
      listUnsent: async (_beforeMs: number, limit: number) => unsent.slice(0, limit),
      markQueued: async (_tenant: string, id: string) =>
        void unsent.splice(
          unsent.findIndex((job) => job.id === id),
          1,
        ),
    },
    queue: {
      depth: async () => 1,
      async send({ id, pool }: { readonly id: string; readonly pool: string }) {
        if (pool === 'gone') throw new Error('no queue is configured');
        sent.push(id);
      },
      collectDead: async () => 0,
    },
    capacity: { read: async () => [] },
    wake: { wake: async (pool: string) => woken.push(pool) },
    ...Object.fromEntries(
      ['answers', 'captures', 'deadLetters', 'feedbacks', 'telemetry', 'meters', 'validations'].map((name) => [
        name,
        { purge },
      ]),
    ),
  };
  return { ports: ports as unknown as Parameters<typeof sweepAll>[0], sent, woken };
}

test('a job that cannot be sent again keeps neither the others from it nor a pool from being woken', async () => {
  const { ports, sent, woken } = aRegionWithUnsent(200, 3);
  await sweepAll(ports, ports.clock.nowMs() + MINUTE_MS);
  expect(sent).toHaveLength(197);
  expect(woken).toEqual(['default']);
});

test('a pool is woken though nobody can tell which jobs were cut off', async () => {
  const { ports, woken } = aRegionWithUnsent(0, 0);
  const failing = { ...ports.jobs, listUnsent: () => Promise.reject(new Error('no answer')) };
  await expect(sweepAll({ ...ports, jobs: failing }, ports.clock.nowMs() + MINUTE_MS)).rejects.toThrow('no answer');
  expect(woken).toEqual(['default']);
});
