import fc from 'fast-check';
import { expect } from 'vitest';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import { anyTensor } from '../support/tensors.ts';
import { atOnce, countBy } from './contract.ts';
import { durable, type JobsCase, outcomeOf, success } from './jobs-given.ts';

export const storingCases: readonly JobsCase[] = [
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
