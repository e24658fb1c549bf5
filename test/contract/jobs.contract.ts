import fc from 'fast-check';
import { expect } from 'vitest';
import type { Job, Outcome } from '../../core/inference/job.ts';
import type { Jobs } from '../../core/ports/jobs.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { aJob, floats } from '../support/jobs.ts';
import { anyTensor } from '../support/tensors.ts';
import { type Adapter, atOnce, type Case, countBy, describeContract, type Subject } from './contract.ts';

type JobsCase = Case<Subject<Jobs>>;

function durable(changes: Partial<Job> = {}): Job {
  return aJob({ durable: true, ...changes });
}

function success(value: number): Outcome {
  return {
    kind: 'succeeded',
    version: '1',
    outputs: [floats('y', [1, 1], [value])],
    computeMs: 0.5,
    queueMs: 1.25,
    batchRows: 1,
    endedAtMs: 1,
  };
}

function saidBy(outcome: Outcome | undefined): unknown {
  return outcome?.kind === 'succeeded'
    ? outcome.outputs[0]?.data[0]
    : outcome?.kind === 'failed'
      ? outcome.code
      : outcome;
}

async function outcomeOf({ port, nowMs }: Subject<Jobs>, job: Job): Promise<unknown> {
  const record = await port.read(job.tenant, job.id, nowMs());
  return record?.state.kind === 'ended' ? saidBy(record.state.outcome) : record?.state.kind;
}

const storing: JobsCase[] = [
  {
    name: 'gives back every job bit for bit, as submitting, before and after a crash',
    async run(subject) {
      const expiresAtMs = subject.nowMs() + DAY_MS;
      const jobs = fc.sample(fc.array(anyTensor(), { maxLength: 3 }), 20).map((inputs, index) =>
        durable({
          inputs,
          outputs: index % 2 === 0 ? ['y'] : undefined,
          clientId: `own ${index}`,
          traceparent: '00-aa',
        }),
      );
      await Promise.all(jobs.map((job) => subject.port.create(job, expiresAtMs)));
      const check = async () => {
        for (const job of jobs) {
          const record = await subject.port.read(job.tenant, job.id, subject.nowMs());
          expect(record).toEqual({ job, state: { kind: 'submitting' }, expiresAtMs });
        }
      };
      await check();
      await subject.crash();
      await check();
    },
  },
  {
    name: 'creates an id once, whoever asks first and however many',
    async run({ port, nowMs }) {
      const job = durable();
      const answers = await atOnce(20, () => port.create(job, nowMs() + DAY_MS));
      expect(countBy(answers, String)).toEqual({ created: 1, exists: 19 });
      await port.finish(job, success(1));
      expect(await port.create(durable({ id: job.id, model: 'other' }), nowMs() + DAY_MS)).toBe('exists');
      const record = await port.read(job.tenant, job.id, nowMs());
      expect([record?.job.model, record?.state.kind]).toEqual(['m', 'ended']);
    },
  },
  {
    name: 'moves submitting to queued and leaves every other state',
    async run(subject) {
      const { port, nowMs } = subject;
      const [queued, running, ended] = [durable(), durable(), durable()];
      for (const job of [queued, running, ended]) await port.create(job, nowMs() + DAY_MS);
      await port.begin(running);
      await port.finish(ended, success(1));
      for (const job of [queued, running, ended]) await port.markQueued(job.tenant, job.id);
      expect([
        await outcomeOf(subject, queued),
        await outcomeOf(subject, running),
        await outcomeOf(subject, ended),
      ]).toEqual(['queued', 'running', 1]);
    },
  },
  {
    name: 'lists what has stayed submitting since before a time, after a restart too, and no more than asked for',
    async run(subject) {
      const [first, second, late, queued, ended] = [durable(), durable(), durable(), durable(), durable()];
      const expiresAtMs = subject.nowMs() + DAY_MS;
      for (const job of [first, second, queued, ended]) await subject.port.create(job, expiresAtMs);
      await subject.advance(SECOND_MS);
      const betweenMs = subject.nowMs();
      await subject.advance(SECOND_MS);
      await subject.port.create(late, expiresAtMs);
      await subject.port.markQueued(queued.tenant, queued.id);
      await subject.port.finish(ended, success(1));
      await subject.crash();
      const listed = await subject.port.listUnsent(betweenMs, 10);
      expect(listed.map((job) => job.id).sort()).toEqual([first.id, second.id].sort());
      expect(listed.find((job) => job.id === first.id)).toEqual(first);
      expect(await subject.port.listUnsent(betweenMs, 1)).toHaveLength(1);
    },
  },
  {
    name: 'forgets a record at its expiry, not before, and purges those alone',
    async run(subject) {
      const [short, long] = [durable(), durable()];
      const expiresAtMs = subject.nowMs() + SECOND_MS;
      await subject.port.create(short, expiresAtMs);
      await subject.port.create(long, expiresAtMs + 1);
      expect(await subject.port.read(short.tenant, short.id, expiresAtMs - 1)).toBeDefined();
      expect(await subject.port.read(short.tenant, short.id, expiresAtMs)).toBeUndefined();
      expect(await subject.port.purge(expiresAtMs)).toBe(1);
      expect(await subject.port.read(long.tenant, long.id, expiresAtMs)).toBeDefined();
    },
  },
  {
    name: "keeps tenants apart: another's id is as if it did not exist, and the same id is another job",
    async run(subject) {
      const { port, nowMs } = subject;
      const job = durable({ tenant: 'acme' });
      await port.create(job, nowMs() + DAY_MS);
      expect(await port.read('globex', job.id, nowMs())).toBeUndefined();
      expect(await port.cancel('globex', job.id, nowMs())).toBe('unknown');
      await port.markQueued('globex', job.id);
      expect(await outcomeOf(subject, job)).toBe('submitting');
      const other = durable({ tenant: 'globex', id: job.id });
      expect(await port.create(other, nowMs() + DAY_MS)).toBe('created');
      await port.finish(other, success(2));
      expect([await outcomeOf(subject, job), await outcomeOf(subject, other)]).toEqual(['submitting', 2]);
      await port.erase('globex');
      expect([await outcomeOf(subject, job), await outcomeOf(subject, other)]).toEqual(['submitting', undefined]);
    },
  },
];

const ending: JobsCase[] = [
  {
    name: 'lets the first of concurrent outcomes win, and every reader see that one, after a crash too',
    async run(subject) {
      const job = durable();
      await subject.port.create(job, subject.nowMs() + DAY_MS);
      const answers = await atOnce(10, (index) => subject.port.finish(job, success(index)));
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

const waiting: JobsCase[] = [
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
];

export const jobsCases: readonly JobsCase[] = [...storing, ...ending, ...waiting];

export function describeJobsContract(name: string, adapter: Adapter<Jobs>): void {
  describeContract(`jobs: ${name}`, jobsCases, adapter);
}
