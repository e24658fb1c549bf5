import { expect } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { EndedJob, Jobs } from '../../core/ports/jobs.ts';
import { DAY_MS, MINUTE_MS } from '../../core/units.ts';
import { type Subject, takeAll } from './contract.ts';
import { durable, type JobsCase, success } from './jobs-given.ts';

const FAILED: Outcome = { kind: 'failed', code: 'prediction-expired', facts: {}, computeMs: 0, endedAtMs: 7 };

function told(changes: Partial<Job> = {}): Job {
  return durable({ notify: true, ...changes });
}

async function create({ port, nowMs }: Subject<Jobs>, job: Job): Promise<void> {
  await port.create(job, nowMs() + DAY_MS);
}

function take({ port, nowMs }: Subject<Jobs>, limit = 100): Promise<readonly EndedJob[]> {
  return port.takeEnded(nowMs(), nowMs() + MINUTE_MS, limit);
}

function idsOf(jobs: readonly Pick<Job, 'id'>[]): string[] {
  return jobs.map(({ id }) => id).sort();
}

export const tellingCases: readonly JobsCase[] = [
  {
    name: 'tells of every end of what was created with notify, and of no other, after a crash too',
    async run(subject) {
      const [open, succeeded, failed, cancelled] = [told(), told({ requestedModel: 'asked' }), told(), told()];
      const silent = durable();
      for (const job of [open, succeeded, failed, cancelled, silent]) await create(subject, job);
      // Who runs a job need not know that its end is to be told of.
      await subject.port.finish({ ...succeeded, notify: false }, { ...success(1), version: '9' } as Outcome);
      await subject.port.finish(failed, FAILED);
      await subject.port.cancel(cancelled.tenant, cancelled.id, subject.nowMs());
      await subject.port.finish(silent, success(1));
      await subject.crash();
      const ended = await take(subject);
      expect(idsOf(ended)).toEqual(idsOf([succeeded, failed, cancelled]));
      const of = (job: Job) => ended.find(({ id }) => id === job.id);
      const { tenant, id } = succeeded;
      const end = { model: 'asked', version: '9', failure: undefined, endedAtMs: 1 };
      expect(of(succeeded)).toEqual({ tenant, id, ...end });
      expect(of(failed)).toMatchObject({ model: 'm', version: '1', failure: 'prediction-expired', endedAtMs: 7 });
      expect(of(cancelled)?.failure).toBe('prediction-cancelled');
    },
  },
  {
    name: 'gives each end to one of concurrent callers, again when the lease is over, and never once it is marked',
    async run(subject) {
      const jobs = Array.from({ length: 20 }, () => told());
      for (const job of jobs) await create(subject, job);
      await Promise.all(jobs.map((job) => subject.port.finish(job, success(1))));
      expect(idsOf(await takeAll(8, () => take(subject, 8)))).toEqual(idsOf(jobs));
      for (const job of jobs.slice(0, 15)) await subject.port.markNotified(job.tenant, job.id);
      await subject.advance(MINUTE_MS - 1);
      expect(await take(subject)).toEqual([]);
      await subject.advance(1);
      expect(idsOf(await take(subject))).toEqual(idsOf(jobs.slice(15)));
      await subject.crash();
      await subject.advance(MINUTE_MS);
      expect(idsOf(await take(subject))).toEqual(idsOf(jobs.slice(15)));
    },
  },
  {
    name: 'tells of the end of a job that became durable while it ran',
    async run(subject) {
      const [before, after] = [told({ durable: false }), told({ durable: false })];
      for (const job of [before, after]) await subject.port.begin(job);
      await subject.port.finish(before, success(1));
      for (const job of [before, after]) await create(subject, { ...job, durable: true });
      await subject.port.finish({ ...after, notify: false }, FAILED);
      const ended = await take(subject);
      expect(ended.map(({ id, failure }) => [id, failure]).sort()).toEqual(
        [
          [before.id, undefined],
          [after.id, 'prediction-expired'],
        ].sort(),
      );
    },
  },
  {
    name: 'tells of an end that was asked for later, whether it had come or not, and of nothing unknown',
    async run(subject) {
      const [open, ended] = [durable(), durable()];
      for (const job of [open, ended]) await create(subject, job);
      await subject.port.finish(ended, FAILED);
      for (const job of [open, ended, durable()]) await subject.port.requestNotice(job);
      expect(await take(subject)).toMatchObject([{ id: ended.id, failure: 'prediction-expired', endedAtMs: 7 }]);
      await subject.port.requestNotice(open);
      await subject.crash();
      await subject.port.finish(open, success(1));
      await subject.advance(MINUTE_MS);
      expect(idsOf(await take(subject))).toEqual(idsOf([open, ended]));
    },
  },
  {
    name: 'tells nothing of what was marked before its end, erased or forgotten, and keeps tenants apart',
    async run(subject) {
      const [marked, erased, old, kept] = [told(), told({ tenant: 'globex' }), told(), told()];
      for (const job of [marked, erased, kept]) await create(subject, job);
      await subject.port.create(old, subject.nowMs() + MINUTE_MS);
      await subject.port.markNotified(marked.tenant, marked.id);
      await subject.port.markNotified('globex', kept.id);
      for (const job of [marked, erased, old, kept]) await subject.port.finish(job, success(1));
      await subject.port.erase('globex');
      await subject.advance(MINUTE_MS);
      expect(await subject.port.purge(subject.nowMs())).toBe(1);
      expect(idsOf(await take(subject))).toEqual([kept.id]);
    },
  },
];
