import { expect } from 'vitest';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aJob } from '../support/jobs.ts';
import { durable, type JobsCase, outcomeOf, saidBy, success } from './jobs-given.ts';

export const waitingCases: readonly JobsCase[] = [
  {
    name: 'wakes everyone who waits with the outcome, of created jobs and others',
    async run({ port, nowMs }) {
      for (const isDurable of [true, false]) {
        const job = aJob({ durable: isDurable });
        if (isDurable) await port.create(job, nowMs() + DAY_MS);
        const waits = [port.wait(job, nowMs() + SECOND_MS), port.wait(job, nowMs() + SECOND_MS)];
        await port.begin(job);
        expect(await port.finish(job, success(7))).toBe(true);
        expect((await Promise.all(waits)).map(saidBy)).toEqual([7, 7]);
      }
    },
  },
  {
    name: 'waits until its time is over, no less, and ends at once when the caller goes',
    async run(subject) {
      const { port } = subject;
      for (const isDurable of [true, false]) {
        const job = aJob({ durable: isDurable });
        if (isDurable) await port.create(job, subject.nowMs() + DAY_MS);
        let ended = false;
        const wait = port.wait(job, subject.nowMs() + 2 * SECOND_MS).then((outcome) => {
          ended = true;
          return outcome;
        });
        await subject.advance(1.9 * SECOND_MS);
        expect(ended).toBe(false);
        await subject.advance(0.2 * SECOND_MS);
        expect(await wait).toBeUndefined();
        const caller = new AbortController();
        const abandoned = port.wait(job, subject.nowMs() + DAY_MS, caller.signal);
        caller.abort();
        expect(await abandoned).toBeUndefined();
      }
    },
  },
  {
    name: 'answers at once who waits for a job that has ended, after a restart too',
    async run(subject) {
      const job = durable();
      await subject.port.create(job, subject.nowMs() + DAY_MS);
      await subject.port.finish(job, success(3));
      expect(saidBy(await subject.port.wait({ tenant: job.tenant, id: job.id }, subject.nowMs() + DAY_MS))).toBe(3);
      await subject.reopen();
      expect(saidBy(await subject.port.wait({ tenant: job.tenant, id: job.id }, subject.nowMs() + DAY_MS))).toBe(3);
    },
  },
  {
    name: 'lets the first outcome win of a job that was never created, and cancels it while somebody waits',
    async run({ port, nowMs }) {
      const finished = aJob();
      await port.begin(finished);
      expect(await port.finish(finished, success(1))).toBe(true);
      expect(await port.finish(finished, success(2))).toBe(false);
      expect(saidBy(await port.wait(finished, nowMs() + SECOND_MS))).toBe(1);

      const cancelled = aJob();
      const wait = port.wait(cancelled, nowMs() + SECOND_MS);
      expect(await port.cancel('globex', cancelled.id, nowMs())).toBe('unknown');
      expect(await port.cancel(cancelled.tenant, cancelled.id, nowMs())).toBe('cancelled');
      expect(saidBy(await wait)).toBe('prediction-cancelled');
      expect(port.hasEnded(cancelled)).toBe(true);
      expect(await port.begin(cancelled)).toEqual({ kind: 'ended' });
      expect(await port.finish(cancelled, success(1))).toBe(false);
      expect(await port.read(cancelled.tenant, cancelled.id, nowMs())).toBeUndefined();
    },
  },
  {
    name: 'shows one outcome of a job that became durable while it ran, whether it ended before, meanwhile or after',
    async run(subject) {
      for (const order of ['before', 'meanwhile', 'after'] as const) {
        const job = aJob();
        const wait = subject.port.wait(job, subject.nowMs() + SECOND_MS);
        await subject.port.begin(job);
        await subject.advance(1.1 * SECOND_MS);
        expect(await wait).toBeUndefined();
        if (order === 'before') expect(await subject.port.finish(job, success(5))).toBe(true);
        const created = subject.port.create({ ...job, durable: true }, subject.nowMs() + DAY_MS);
        if (order === 'meanwhile') expect(await subject.port.finish(job, success(5))).toBe(true);
        expect(await created).toBe('created');
        if (order === 'after') expect(await subject.port.finish(job, success(5))).toBe(true);
        await subject.port.markQueued(job.tenant, job.id);
        expect(await outcomeOf(subject, job)).toBe(5);
        expect(await subject.port.begin(job)).toEqual({ kind: 'ended' });
        expect(await subject.port.finish(job, success(6))).toBe(false);
        await subject.crash();
        expect(await outcomeOf(subject, job)).toBe(5);
      }
    },
  },
  {
    name: "erasing a tenant frees who waits for it, and nobody else's",
    async run({ port, nowMs }) {
      const [gone, kept] = [aJob({ tenant: 'acme' }), aJob({ tenant: 'globex' })];
      const waits = [port.wait(gone, nowMs() + SECOND_MS), port.wait(kept, nowMs() + SECOND_MS)];
      await port.erase('acme');
      expect(await port.finish(kept, success(4))).toBe(true);
      expect((await Promise.all(waits)).map(saidBy)).toEqual(['data-erased', 4]);
    },
  },
  {
    name: 'erasing a tenant tells which of its jobs nobody had started, stored or not',
    async run({ port, nowMs }) {
      const jobs = ['waits', 'runs', 'ended'].flatMap((state) => [
        { state, job: aJob({ tenant: 'acme' }) },
        { state, job: aJob({ tenant: 'acme', durable: true }) },
      ]);
      const waits = jobs.map(({ job }) => port.wait(job, nowMs() + SECOND_MS));
      for (const { state, job } of jobs) {
        if (job.durable) await port.create(job, nowMs() + DAY_MS);
        if (state !== 'waits') await port.begin(job);
        if (state === 'ended') await port.finish(job, success(1));
      }
      const unstarted = jobs.filter(({ state }) => state === 'waits').map(({ job }) => job.id);
      expect([...(await port.erase('acme'))].sort()).toEqual(unstarted.sort());
      await Promise.all(waits);
    },
  },
];
