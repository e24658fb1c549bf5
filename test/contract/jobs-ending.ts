import { expect } from 'vitest';
import type { Outcome } from '../../core/inference/job.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { atOnce, countBy } from './contract.ts';
import { durable, type JobsCase, outcomeOf, saidBy, success } from './jobs-given.ts';

export const endingCases: readonly JobsCase[] = [
  {
    name: 'lets the first of concurrent outcomes win, and every reader see that one, after a crash too',
    async run(subject) {
      const job = durable();
      await subject.port.create(job, subject.nowMs() + DAY_MS);
      const answers = await atOnce(10, async (index) => subject.port.finish(job, success(index)));
      expect(countBy(answers, String)).toEqual({ true: 1, false: 9 });
      const winner = answers.indexOf(true);
      expect(await outcomeOf(subject, job)).toBe(winner);
      expect(saidBy(await subject.port.wait(job, subject.nowMs() + SECOND_MS))).toBe(winner);
      await subject.crash();
      expect(await outcomeOf(subject, job)).toBe(winner);
      expect(await subject.port.finish(job, success(99))).toBe(false);
      expect(await outcomeOf(subject, job)).toBe(winner);
    },
  },
  {
    name: 'keeps the outcome of each of many jobs that end together',
    async run(subject) {
      const jobs = Array.from({ length: 100 }, (_, index) => durable({ tenant: `t${index % 7}` }));
      await Promise.all(jobs.map((job) => subject.port.create(job, subject.nowMs() + DAY_MS)));
      await Promise.all(jobs.map((job, index) => subject.port.finish(job, success(index))));
      await subject.reopen();
      for (const [index, job] of jobs.entries()) expect(await outcomeOf(subject, job)).toBe(index);
    },
  },
  {
    name: 'leaves inputs out once a job has ended, and nothing else',
    async run({ port, nowMs }) {
      const job = durable({ clientId: 'mine' });
      await port.create(job, nowMs() + DAY_MS);
      await port.finish(job, success(1));
      const record = await port.read(job.tenant, job.id, nowMs());
      expect(record?.job).toEqual({ ...job, inputs: [] });
    },
  },
  {
    name: 'keeps the facts of a failure',
    async run({ port, nowMs }) {
      const job = durable();
      await port.create(job, nowMs() + DAY_MS);
      const outcome: Outcome = {
        kind: 'failed',
        code: 'prediction-failed',
        facts: { detail: 'why', field: 'x', index: 3, listed: ['a', 'b'], known: true },
        computeMs: 2,
        endedAtMs: 5,
      };
      await port.finish(job, outcome);
      expect((await port.read(job.tenant, job.id, nowMs()))?.state).toEqual({ kind: 'ended', outcome });
    },
  },
  {
    name: 'counts started attempts over crashes, and starts nothing that has ended',
    async run(subject) {
      const job = durable();
      await subject.port.create(job, subject.nowMs() + DAY_MS);
      expect(await subject.port.begin(job)).toEqual({ kind: 'started', attempt: 1 });
      expect(await subject.port.begin(job)).toEqual({ kind: 'started', attempt: 2 });
      await subject.crash();
      expect(await subject.port.begin(job)).toEqual({ kind: 'started', attempt: 3 });
      await subject.port.finish(job, success(1));
      expect(await subject.port.begin(job)).toEqual({ kind: 'ended' });
      await subject.crash();
      expect(await subject.port.begin(job)).toEqual({ kind: 'ended' });
    },
  },
  {
    name: 'cancels a job once, for good, and says so to its worker',
    async run(subject) {
      const { port, nowMs } = subject;
      const job = durable();
      await port.create(job, nowMs() + DAY_MS);
      expect(port.hasEnded(job)).toBe(false);
      expect(await port.cancel(job.tenant, job.id, nowMs())).toBe('cancelled');
      expect(port.hasEnded(job)).toBe(true);
      expect(await port.cancel(job.tenant, job.id, nowMs())).toBe('ended');
      expect(await port.begin(job)).toEqual({ kind: 'ended' });
      expect(await port.finish(job, success(1))).toBe(false);
      expect(await outcomeOf(subject, job)).toBe('prediction-cancelled');
      const finished = durable();
      await port.create(finished, nowMs() + DAY_MS);
      await port.finish(finished, success(1));
      expect(await port.cancel(finished.tenant, finished.id, nowMs())).toBe('ended');
      expect(await outcomeOf(subject, finished)).toBe(1);
      expect(await port.cancel('acme', 'pred_none', nowMs())).toBe('unknown');
    },
  },
];
