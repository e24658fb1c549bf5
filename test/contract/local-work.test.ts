import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../core/inference/job.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { aJob } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';
import { atOnce } from './contract.ts';

let platform: LocalPlatform;
let commits = 0;

beforeEach(async () => {
  platform = await openLocalPlatform({ onBoundary: (name) => (commits += name === 'commit:after' ? 1 : 0) });
});

afterEach(() => platform.close());

function take(max: number) {
  return platform.ports.queue.receive('default', 'interactive', max, 0, 30 * SECOND_MS);
}

function reserve(id: string, inFlightLimit: number) {
  const nowMs = platform.clock.nowMs();
  const expiresAtMs = nowMs + MINUTE_MS;
  return platform.ports.limits.reserve(
    { tenant: 'acme', id, inFlightLimit, computeMs: 10, dailyComputeMs: 1_000_000, expiresAtMs },
    nowMs,
  );
}

describe('the local queue', () => {
  it("hands a quiet tenant's job out in the next turn, whatever the backlog of others", async () => {
    for (let i = 0; i < 100; i++) await platform.ports.queue.send(aJob({ tenant: 'flood', durable: i % 10 === 0 }));
    await platform.ports.queue.send(aJob({ tenant: 'quiet' }));
    const deliveries = await take(2);
    expect(deliveries.map(({ job }) => job.tenant).sort()).toEqual(['flood', 'quiet']);
  });

  it('keeps the order of one tenant, also of what is given back', async () => {
    const jobs = Array.from({ length: 5 }, () => aJob());
    for (const job of jobs) await platform.ports.queue.send(job);
    const [first] = await take(1);
    await platform.ports.queue.giveBack([first!]);
    expect((await take(5)).map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id));
  });

  it('drops the message of a job that was cancelled while it waited, without any noise', async () => {
    const job = aJob({ durable: true });
    await platform.ports.jobs.create(job, platform.clock.nowMs() + DAY_MS);
    await platform.ports.queue.send(job);
    await platform.ports.jobs.cancel(job.tenant, job.id, platform.clock.nowMs());
    expect(await take(1)).toEqual([]);
    expect(platform.logged).toEqual([]);
    await platform.clock.advance(MINUTE_MS);
    expect(await take(1)).toEqual([]);
  });

  it('hands the durable job out once it became one', async () => {
    const job = aJob();
    await platform.ports.queue.send(job);
    await platform.ports.queue.persist({ ...job, durable: true });
    expect((await take(1))[0]?.job).toEqual({ ...job, durable: true });
  });
});

describe('a job whose caller waits', () => {
  it('touches no disk from its reservation to its answer', async () => {
    await reserve('pred_first', 10);
    await platform.ports.limits.settle('acme', 'pred_first', 1, platform.clock.nowMs());
    const before = commits;
    const jobs = Array.from({ length: 50 }, () => aJob());
    const waits = jobs.map(async (job) => {
      await reserve(job.id, 100);
      await platform.ports.queue.send(job);
      return platform.ports.jobs.wait(job, platform.clock.nowMs() + SECOND_MS);
    });
    const deliveries = [];
    while (deliveries.length < jobs.length) {
      deliveries.push(...(await platform.ports.queue.receive('default', 'interactive', 10, SECOND_MS, SECOND_MS)));
    }
    for (const { job } of deliveries) {
      await platform.ports.jobs.begin(job);
      const failed = { kind: 'failed', code: 'internal', facts: {}, computeMs: 0, endedAtMs: 0 } as const;
      await platform.ports.jobs.finish(job, failed);
      await platform.ports.limits.settle('acme', job.id, 1, platform.clock.nowMs());
    }
    await platform.ports.queue.acknowledge(deliveries);
    expect((await Promise.all(waits)).every((outcome) => outcome?.kind === 'failed')).toBe(true);
    expect(commits).toBe(before);
  });

  it('shares the commits of a hundred durable ones', async () => {
    await platform.ports.dataKeys.fingerprint('acme', Buffer.from('x'));
    const before = commits;
    await atOnce(100, () => platform.ports.jobs.create(aJob({ durable: true }), platform.clock.nowMs() + DAY_MS));
    expect(commits - before).toBe(1);
  });
});

describe('places in flight', () => {
  it('are kept over a crash for durable jobs that have not ended, and let go when they settle', async () => {
    const jobs: Job[] = Array.from({ length: 3 }, () =>
      aJob({ durable: true, deadlineMs: platform.clock.nowMs() + MINUTE_MS }),
    );
    for (const job of jobs) {
      await reserve(job.id, 10);
      await platform.ports.jobs.create(job, platform.clock.nowMs() + DAY_MS);
    }
    await reserve('pred_sync', 10);
    await platform.ports.jobs.cancel('acme', jobs[2]!.id, platform.clock.nowMs());
    await platform.crash();
    expect((await platform.ports.limits.usage('acme', platform.clock.nowMs())).inFlight).toBe(2);
    expect((await reserve('pred_more', 2)).kind).toBe('in-flight-full');
    expect((await reserve(jobs[0]!.id, 2)).kind).toBe('granted');
    const before = (await platform.ports.limits.usage('acme', platform.clock.nowMs())).computeMs;
    await platform.ports.limits.settle('acme', jobs[0]!.id, 5, platform.clock.nowMs());
    const after = await platform.ports.limits.usage('acme', platform.clock.nowMs());
    expect([after.inFlight, after.computeMs]).toEqual([1, before]);
    expect((await reserve('pred_more', 2)).kind).toBe('granted');
  });
});

describe('a tenant that was idle when the region crashed', () => {
  it('is charged half a burst at the most, and nothing a second later', async () => {
    const policy = { ratePerMs: 0.1, burst: 20 };
    await platform.crash();
    const lease = (tenant: string) =>
      platform.ports.limits.lease(tenant, 'requests', policy, 1, 20, platform.clock.nowMs());
    expect((await lease('acme')).granted).toBe(10);
    await platform.clock.advance(SECOND_MS);
    expect((await lease('globex')).granted).toBe(20);
    await platform.reopen();
    expect((await lease('initech')).granted).toBe(20);
  });
});
