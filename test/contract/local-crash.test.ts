import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type OpenRegion, openRegion } from '../../adapters/local/open-region.ts';
import { JsonLog } from '../../adapters/node/json-log.ts';
import type { Job } from '../../core/inference/job.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/units.ts';
import { aJob, floats } from '../support/jobs.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** What callers had been told when the power went. */
type Told = {
  readonly created: Set<string>;
  readonly sent: Set<string>;
  readonly ended: Map<string, number>;
  granted: number;
};

const POLICY = { ratePerMs: 0.000001, burst: 1000 };
const REGION = 'us';
const clock = new ManualClock();
const log = new JsonLog({ write: () => true }, clock, 'silent');

/** One job's way, noting what each step has promised once it has. */
async function submit(region: OpenRegion, job: Job, told: Told): Promise<void> {
  const lease = await region.limits.lease('acme', 'requests', POLICY, 7, 7, clock.nowMs());
  told.granted += lease.granted;
  await region.jobs.create(job, clock.nowMs() + DAY_MS);
  told.created.add(job.id);
  await region.queue.send(job);
  told.sent.add(job.id);
  await region.jobs.markQueued(job.tenant, job.id);
}

async function work(region: OpenRegion, max: number, told: Told): Promise<number> {
  const deliveries = await region.queue.receive('default', 'interactive', max, 0, MINUTE_MS);
  await Promise.all(
    deliveries.map(async ({ job }, index) => {
      await region.jobs.begin(job);
      const outputs = [floats('y', [1], [index])];
      const times = { computeMs: 1, queueMs: 1, batchRows: 1, endedAtMs: 1 };
      const isFirst = await region.jobs.finish(job, { kind: 'succeeded', version: '1', outputs, ...times });
      if (isFirst) told.ended.set(job.id, index);
    }),
  );
  await region.queue.acknowledge(deliveries);
  return deliveries.length;
}

/** Runs `count` jobs and copies the files at the given boundary, with what had been told until then. */
async function runUntil(
  folder: string,
  count: number,
  boundary: number,
): Promise<{ copy: string; told: Told; jobs: Job[] }> {
  const told: Told = { created: new Set(), sent: new Set(), ended: new Map(), granted: 0 };
  const copy = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  let [passed, atCrash]: [number, Told | undefined] = [0, undefined];
  const onBoundary = () => {
    passed += 1;
    if (passed !== boundary) return;
    cpSync(folder, copy, { recursive: true });
    atCrash = {
      created: new Set(told.created),
      sent: new Set(told.sent),
      ended: new Map(told.ended),
      granted: told.granted,
    };
  };
  const region = await openRegion({ dataFolder: folder, region: REGION, clock, log, onBoundary });
  const jobs = Array.from({ length: count }, (_, index) => aJob({ durable: true, tenant: `t${index % 2}` }));
  const submitted = Promise.all(jobs.map((job) => submit(region, job, told)));
  for (let done = 0; done < count; ) {
    done += await work(region, 3, told);
    await new Promise(setImmediate);
  }
  await submitted;
  await region.close();
  if (atCrash === undefined) cpSync(folder, copy, { recursive: true });
  return { copy, told: atCrash ?? told, jobs };
}

it('keeps every promise over a crash at any write boundary', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: 12 }), fc.integer({ min: 6, max: 60 }), async (count, boundary) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
      const { copy, told, jobs } = await runUntil(folder, count, boundary);
      const region = await openRegion({ dataFolder: copy, region: REGION, clock, log });
      const unsent = new Set((await region.jobs.listUnsent(clock.nowMs() + 1, 100)).map(({ id }) => id));
      const queued = await region.queue.receive('default', 'interactive', 100, 0, SECOND_MS);
      const delivered = new Set(queued.map(({ job }) => job.id));
      for (const { tenant, id } of jobs) {
        const record = await region.jobs.read(tenant, id, clock.nowMs());
        if (told.created.has(id)) expect(record).toBeDefined();
        if (record === undefined) continue;
        if (record.state.kind === 'ended') {
          const { outcome } = record.state;
          const value = outcome.kind === 'succeeded' ? outcome.outputs[0]?.data[0] : undefined;
          if (told.ended.has(id)) expect(value).toBe(told.ended.get(id));
        } else {
          expect(told.ended.has(id)).toBe(false);
          if (told.sent.has(id)) expect(delivered.has(id)).toBe(true);
          expect(delivered.has(id) || unsent.has(id)).toBe(true);
        }
      }
      const lease = await region.limits.lease('acme', 'requests', POLICY, 1, POLICY.burst, clock.nowMs());
      expect(told.granted + lease.granted).toBeLessThanOrEqual(POLICY.burst);
      await region.close();
      for (const used of [folder, copy]) rmSync(used, { recursive: true });
    }),
    { numRuns: 20 },
  );
});
