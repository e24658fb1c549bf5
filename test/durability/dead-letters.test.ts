import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LocalJobs } from '../../adapters/local/jobs.ts';
import type { OpenRegion } from '../../adapters/local/open-region.ts';
import { Failure } from '../../core/failure.ts';
import { deadLetterId, giveUp } from '../../core/inference/dead-letter.ts';
import type { Job } from '../../core/inference/job.ts';
import { redrive } from '../../core/inference/redrive.ts';
import { sweep } from '../../core/inference/sweep.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import { aJob } from '../support/jobs.ts';
import { type LocalPlatform, openLocalPlatform } from '../support/local-platform.ts';

const CONFIG = {
  region: 'us',
  regionUrls: {},
  corsOrigins: [],
  pools: ['default'],
  usdPerComputeHour: 1,
};
const STEPS = ['deadLetters', 'jobs', 'limits', 'queue'] as const;
type Moment = { readonly call: number; readonly when: 'before' | 'after' };
class Killed extends Error {}

let platform: LocalPlatform;
beforeEach(async () => {
  platform = await openLocalPlatform();
  const { registry } = platform.ports;
  for (const plan of DEFAULT_PLANS) await registry.writePlan(plan);
  await registry.writeTenant({
    id: 'acme',
    name: 'Acme',
    region: 'us',
    plan: 'pro',
    overrides: {},
    wrongRegion: 'refuse',
    allowedOrigins: [],
    suspended: false,
    pool: undefined,
    captureConsent: false,
    createdAtMs: 1,
    epoch: 1,
  });
});
afterEach(() => platform.close());

const hostOf = (ports: OpenRegion) => ({ ...ports, config: CONFIG as never, clock: platform.clock, log: platform.log });

/** The ports of a process that dies at one of its calls: after it nothing more is done. */
function dyingAt({ call, when }: Moment): { readonly ports: OpenRegion; calls(): number } {
  let calls = 0;
  const watch = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member = target[name as keyof T];
        if (typeof member !== 'function') return member;
        return async (...given: unknown[]) => {
          calls += 1;
          const at = calls;
          if (at > call || (at === call && when === 'before')) throw new Killed();
          const answer = (await member.apply(target, given)) as unknown;
          if (at === call) throw new Killed();
          return answer;
        };
      },
    });
  const watched = STEPS.map((name) => [name, watch(platform.ports[name])]);
  return { ports: { ...platform.ports, ...Object.fromEntries(watched) }, calls: () => calls };
}

async function bury(): Promise<Job> {
  const job = aJob({ durable: true, reservedComputeMs: 70 });
  const { deadLetters, jobs } = platform.ports;
  await jobs.create(job, platform.clock.nowMs() + 3_600_000);
  const { id, tenant, pool, lane } = job;
  const given = { id, tenant, pool, lane, job, failure: new Failure('internal'), attempts: 51 };
  await giveUp({ deadLetters, jobs: jobs as LocalJobs }, given, platform.clock.nowMs());
  return job;
}

/** Every message of the region, taken. */
async function messages(): Promise<readonly Job[]> {
  const taken = await platform.ports.queue.receive('default', 'bulk', 100, 0, 30_000);
  return taken.map(({ job }) => job);
}

/** What a start does, and then the one who asked for the redrive and heard nothing. */
async function comeBack(id: string): Promise<string | undefined> {
  await platform.crash();
  const { ports, clock } = platform;
  await sweep({ ...hostOf(ports) }, clock.nowMs() + 1, clock.nowMs());
  if ((await ports.deadLetters.read('acme', id, clock.nowMs())) === undefined) return undefined;
  return (await redrive(hostOf(ports), 'acme', id)).prediction;
}

/** As a worker does: after a crash each job that has not ended has its place in flight again. */
async function end(id: string): Promise<void> {
  const { jobs, limits } = platform.ports;
  await jobs.cancel('acme', id, platform.clock.nowMs());
  await limits.settle('acme', id, 0, platform.clock.nowMs());
}

async function callsOfOne(): Promise<number> {
  const job = await bury();
  const dying = dyingAt({ call: Number.POSITIVE_INFINITY, when: 'before' });
  await redrive(hostOf(dying.ports), 'acme', deadLetterId(job.id));
  return dying.calls();
}

describe('a redrive', () => {
  test('that is killed at any of its steps and asked for again is one prediction, paid for once', async () => {
    const calls = await callsOfOne();
    expect(calls).toBeGreaterThanOrEqual(7);
    const ran = new Set((await messages()).map(({ id }) => id));
    for (const id of ran) await end(id);
    for (let call = 1; call <= calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const job = await bury();
        const letter = deadLetterId(job.id);
        const { ports } = dyingAt({ call, when });
        await expect(redrive(hostOf(ports), 'acme', letter), `${when} call ${call}`).rejects.toThrow(Killed);
        await comeBack(letter);
        const fresh = (await messages()).filter(({ id }) => !ran.has(id));
        expect(
          fresh.map(({ inputs, rows }) => ({ inputs, rows })),
          `${when} call ${call}`,
        ).toEqual([{ inputs: job.inputs, rows: job.rows }]);
        expect(fresh[0]!.id).not.toBe(job.id);
        ran.add(fresh[0]!.id);
        const { deadLetters, jobs, limits } = platform.ports;
        const nowMs = platform.clock.nowMs();
        expect(await deadLetters.read('acme', letter, nowMs)).toBeUndefined();
        expect((await limits.usage('acme', nowMs)).inFlight, `${when} call ${call}`).toBe(1);
        // What became of the first one stays.
        expect((await jobs.read('acme', job.id, nowMs))?.state).toMatchObject({ outcome: { code: 'internal' } });
        await end(fresh[0]!.id);
      }
    }
  });

  test('of two people at once is one prediction', async () => {
    const job = await bury();
    const host = hostOf(platform.ports);
    const answers = await Promise.allSettled([1, 2, 3].map(() => redrive(host, 'acme', deadLetterId(job.id))));
    const made = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.prediction] : []));
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made).size).toBe(1);
    expect(await messages()).toHaveLength(1);
  });

  test('is refused where the tenant has no place left, and leaves the letter', async () => {
    const job = await bury();
    const { limits, registry, deadLetters } = platform.ports;
    const tenant = (await registry.readTenant('acme'))!;
    await registry.writeTenant({ ...tenant, overrides: { requestsInFlight: 1 }, epoch: 2 });
    const nowMs = platform.clock.nowMs();
    const other = { tenant: 'acme', id: 'other', inFlightLimit: 1, computeMs: 1, dailyComputeMs: 1e6 };
    await limits.reserve({ ...other, expiresAtMs: nowMs + 60_000 }, nowMs);
    const letter = deadLetterId(job.id);
    await expect(redrive(hostOf(platform.ports), 'acme', letter)).rejects.toMatchObject({ code: 'in-flight-exceeded' });
    expect(await deadLetters.read('acme', letter, nowMs)).toBeDefined();
    expect(await messages()).toEqual([]);
  });

  test('counts nothing for a release, and tells webhooks of its own end alone', async () => {
    const lot = { release: 'rel_1', cohort: 3, unit: 5 };
    const job = aJob({ durable: true, lot, onCandidate: true, shadowOn: '2', notify: false, captureUntilMs: 5 });
    const { deadLetters } = platform.ports;
    const nowMs = platform.clock.nowMs();
    const letter = { id: deadLetterId(job.id), tenant: 'acme', prediction: job.id, model: 'm', version: '1' };
    const died = { pool: 'default', lane: 'interactive', reason: 'internal', attempts: 51, redrivable: true } as const;
    await deadLetters.add({ ...letter, ...died, atMs: nowMs }, job);
    await redrive(hostOf(platform.ports), 'acme', letter.id);
    const [run] = await messages();
    expect(run).toMatchObject({ lane: 'bulk', durable: true, captureUntilMs: undefined, notify: false });
    for (const member of ['lot', 'onCandidate', 'shadowOn'] as const) expect(run![member]).toBeUndefined();
  });
});

test('giving up that is killed between its steps and repeated keeps one letter, and ends the job once', async () => {
  const job = aJob({ durable: true });
  const { ports, clock } = platform;
  await ports.jobs.create(job, clock.nowMs() + 3_600_000);
  const { id, tenant, pool, lane } = job;
  const given = { id, tenant, pool, lane, job, failure: new Failure('internal'), attempts: 51 };
  const dead = { read: ports.jobs.read.bind(ports.jobs), endUndeliverable: () => Promise.reject(new Killed()) };
  const once = giveUp({ deadLetters: ports.deadLetters, jobs: dead }, given, clock.nowMs());
  await expect(once).rejects.toThrow(Killed);
  await platform.crash();
  const { deadLetters, jobs } = platform.ports;
  expect((await jobs.read('acme', id, clock.nowMs()))?.state.kind).toBe('submitting');
  for (let times = 0; times < 2; times += 1)
    await giveUp({ deadLetters, jobs: jobs as LocalJobs }, { ...given, attempts: 60 }, clock.nowMs());
  expect((await deadLetters.list({}, 10, clock.nowMs())).items).toMatchObject([{ prediction: id, attempts: 51 }]);
  expect((await jobs.read('acme', id, clock.nowMs()))?.state).toMatchObject({ outcome: { code: 'internal' } });
});
