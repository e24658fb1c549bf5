import { expect } from 'vitest';
import type { Job } from '../../core/inference/job.ts';
import type { Delivery, JobQueue } from '../../core/ports/job-queue.ts';
import { SECOND_MS } from '../../core/units.ts';
import { aJob, floats } from '../support/jobs.ts';
import { type Adapter, atOnce, type Case, describeContract, type Subject } from './contract.ts';

type QueueCase = Case<Subject<JobQueue>>;

const VISIBILITY_MS = 10 * SECOND_MS;

function durable(changes: Partial<Job> = {}): Job {
  return aJob({ durable: true, ...changes });
}

/** What is there now. */
function take(port: JobQueue, max = 10, lane: Job['lane'] = 'interactive'): Promise<readonly Delivery[]> {
  return port.receive('default', lane, max, 0, VISIBILITY_MS);
}

function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ job }) => job.id).sort();
}

const delivering: QueueCase[] = [
  {
    name: 'delivers what was sent, whole, to its pool and lane alone, and hides it then',
    async run({ port }) {
      const jobs = [
        durable({ inputs: [floats('x', [2, 2], [1, 2, 3, 4])] }),
        aJob({ inputs: [{ name: 't', datatype: 'BYTES', shape: [2], data: ['ä\n', ''] }] }),
      ];
      for (const job of jobs) await port.send(job);
      await port.send(aJob({ lane: 'bulk', id: 'pred_bulk' }));
      await port.send(aJob({ pool: 'gpu', id: 'pred_gpu' }));
      expect(await port.depth('default', 'interactive')).toBe(2);
      const deliveries = await take(port);
      expect(idsOf(deliveries)).toEqual(jobs.map((job) => job.id).sort());
      for (const job of jobs) expect(deliveries.find((delivery) => delivery.job.id === job.id)?.job).toEqual(job);
      expect(deliveries.map(({ receiveCount }) => receiveCount)).toEqual([1, 1]);
      expect(await take(port)).toEqual([]);
      expect(await port.depth('default', 'interactive')).toBe(0);
      expect(idsOf(await take(port, 10, 'bulk'))).toEqual(['pred_bulk']);
      expect(idsOf(await port.receive('gpu', 'interactive', 10, 0, VISIBILITY_MS))).toEqual(['pred_gpu']);
    },
  },
  {
    name: 'hands out no more than asked for, and no message to two receivers at once',
    async run({ port }) {
      const jobs = Array.from({ length: 50 }, () => aJob());
      await Promise.all(jobs.map((job) => port.send(job)));
      expect(await take(port, 3)).toHaveLength(3);
      const rest = (await atOnce(10, () => take(port, 7))).flat();
      expect(rest).toHaveLength(47);
      expect(new Set(idsOf(rest)).size).toBe(47);
    },
  },
  {
    name: 'wakes a receiver when a message comes, and lets it go at its time or on abort',
    async run(subject) {
      const { port } = subject;
      const receive = (signal?: AbortSignal) =>
        port.receive('default', 'interactive', 5, 2 * SECOND_MS, VISIBILITY_MS, signal);
      const waiting = receive();
      const job = aJob();
      await port.send(job);
      expect(idsOf(await waiting)).toEqual([job.id]);
      let ended = false;
      const idle = receive().finally(() => {
        ended = true;
      });
      await subject.advance(1.9 * SECOND_MS);
      expect(ended).toBe(false);
      await subject.advance(0.2 * SECOND_MS);
      expect(await idle).toEqual([]);
      const leaving = new AbortController();
      const left = receive(leaving.signal);
      leaving.abort();
      expect(await left).toEqual([]);
    },
  },
  {
    name: 'delivers again when a visibility ends, not before, also to who waits already',
    async run(subject) {
      const { port } = subject;
      await port.send(aJob());
      await take(port);
      await subject.advance(VISIBILITY_MS - 1);
      expect(await take(port)).toEqual([]);
      const waiting = port.receive('default', 'interactive', 5, SECOND_MS, VISIBILITY_MS);
      await subject.advance(100);
      expect((await waiting).map(({ receiveCount }) => receiveCount)).toEqual([2]);
    },
  },
  {
    name: 'keeps a delivery hidden as long as it is extended',
    async run(subject) {
      const { port } = subject;
      await port.send(aJob());
      const deliveries = await take(port);
      await subject.advance(VISIBILITY_MS - 1);
      await port.extend(deliveries, VISIBILITY_MS);
      await subject.advance(VISIBILITY_MS - 1);
      expect(await take(port)).toEqual([]);
      await subject.advance(1);
      expect(await take(port)).toHaveLength(1);
    },
  },
  {
    name: 'goes by the last delivery: an old receipt neither acknowledges, extends nor returns',
    async run(subject) {
      const { port } = subject;
      await port.send(durable());
      const old = await take(port);
      await subject.advance(VISIBILITY_MS);
      const current = await take(port);
      expect(current).toHaveLength(1);
      await port.acknowledge(old);
      await port.giveBack(old);
      await port.extend(old, 0);
      expect(await take(port)).toEqual([]);
      await subject.advance(VISIBILITY_MS);
      expect(await take(port)).toHaveLength(1);
    },
  },
  {
    name: 'delivers at once what is given back',
    async run({ port }) {
      for (const job of [aJob(), durable()]) await port.send(job);
      const deliveries = await take(port);
      const waiting = port.receive('default', 'interactive', 5, SECOND_MS, VISIBILITY_MS);
      await port.giveBack(deliveries.slice(0, 1));
      expect(idsOf(await waiting)).toEqual(idsOf(deliveries.slice(0, 1)));
    },
  },
  {
    name: 'never delivers again what was acknowledged',
    async run(subject) {
      for (const job of [aJob(), durable()]) await subject.port.send(job);
      await subject.port.acknowledge(await take(subject.port));
      await subject.advance(2 * VISIBILITY_MS);
      expect(await take(subject.port)).toEqual([]);
      await subject.crash();
      expect(await take(subject.port)).toEqual([]);
    },
  },
  {
    name: 'says how long the first that waits has waited',
    async run(subject) {
      expect(await subject.port.oldestMs('default', 'interactive')).toBe(0);
      await subject.port.send(aJob({ acceptedAtMs: subject.nowMs(), tenant: 'globex' }));
      await subject.advance(3000);
      await subject.port.send(durable({ acceptedAtMs: subject.nowMs() }));
      await subject.advance(2000);
      expect(await subject.port.oldestMs('default', 'interactive')).toBe(5000);
      expect(await subject.port.oldestMs('default', 'bulk')).toBe(0);
      const [first, ...others] = (await take(subject.port)).toSorted((a, b) => a.job.acceptedAtMs - b.job.acceptedAtMs);
      expect(await subject.port.oldestMs('default', 'interactive')).toBe(0);
      await subject.port.acknowledge([first!]);
      await subject.port.giveBack(others);
      expect(await subject.port.oldestMs('default', 'interactive')).toBe(2000);
    },
  },
  {
    name: 'stops delivering after 50 times',
    async run(subject) {
      for (const job of [aJob(), durable()]) await subject.port.send(job);
      const counts: number[] = [];
      for (let i = 0; i < 60; i++) {
        const deliveries = await take(subject.port);
        counts.push(...deliveries.map(({ receiveCount }) => receiveCount));
        await subject.port.giveBack(deliveries);
        await subject.advance(VISIBILITY_MS);
      }
      expect(counts).toHaveLength(100);
      expect(Math.max(...counts)).toBe(50);
    },
  },
];

const lasting: QueueCase[] = [
  {
    name: 'delivers every durable message after a crash, in flight or not, once each',
    async run(subject) {
      const jobs = Array.from({ length: 20 }, (_, index) => durable({ tenant: `t${index % 3}` }));
      await Promise.all(jobs.map((job) => subject.port.send(job)));
      const taken = await take(subject.port, 8);
      await subject.port.acknowledge(taken.slice(0, 3));
      await subject.crash();
      const again = await take(subject.port, 100);
      const left = jobs.filter((job) => !taken.slice(0, 3).some((done) => done.job.id === job.id));
      expect(idsOf(again)).toEqual(left.map((job) => job.id).sort());
      for (const job of left) expect(again.find((delivery) => delivery.job.id === job.id)?.job).toEqual(job);
    },
  },
  {
    name: 'makes a sent message last when asked to, waiting or in flight',
    async run(subject) {
      const [waiting, running] = [aJob(), aJob()];
      await subject.port.send(running);
      await take(subject.port);
      await subject.port.send(waiting);
      for (const job of [waiting, running]) await subject.port.persist({ ...job, durable: true });
      await subject.crash();
      expect(idsOf(await take(subject.port))).toEqual([waiting.id, running.id].sort());
    },
  },
  {
    name: 'lets nothing that was acknowledged last, before or after it was asked to',
    async run(subject) {
      const [early, late, meanwhile] = [aJob(), aJob(), aJob()];
      for (const job of [early, late, meanwhile]) await subject.port.send(job);
      const deliveries = await take(subject.port);
      const of = (job: Job) => deliveries.filter((delivery) => delivery.job.id === job.id);
      await subject.port.acknowledge(of(early));
      await subject.port.persist({ ...early, durable: true });
      await subject.port.persist({ ...late, durable: true });
      await subject.port.acknowledge(of(late));
      await Promise.all([
        subject.port.persist({ ...meanwhile, durable: true }),
        subject.port.acknowledge(of(meanwhile)),
      ]);
      await subject.crash();
      expect(await take(subject.port)).toEqual([]);
    },
  },
  {
    name: 'sending again does harm to nothing: it is delivered, and gone when acknowledged',
    async run(subject) {
      const job = durable();
      await atOnce(3, async () => subject.port.send(job));
      const deliveries = await take(subject.port);
      expect(deliveries.length).toBeGreaterThan(0);
      await subject.port.send(job);
      for (let more = deliveries; more.length > 0; more = await take(subject.port))
        await subject.port.acknowledge(more);
      await subject.crash();
      expect(await take(subject.port)).toEqual([]);
    },
  },
  {
    name: "erases a tenant's messages, waiting or in flight, and no other's",
    async run(subject) {
      const kept = durable({ tenant: 'globex' });
      for (const job of [durable(), aJob(), kept]) await subject.port.send(job);
      await subject.port.giveBack(await take(subject.port, 2));
      await subject.port.erase('acme');
      await subject.advance(VISIBILITY_MS);
      const deliveries = await take(subject.port);
      expect(idsOf(deliveries)).toEqual([kept.id]);
      await subject.crash();
      expect(idsOf(await take(subject.port))).toEqual([kept.id]);
    },
  },
];

export const jobQueueCases: readonly QueueCase[] = [...delivering, ...lasting];

export function describeJobQueueContract(name: string, adapter: Adapter<JobQueue>): void {
  describeContract(`job queue: ${name}`, jobQueueCases, adapter);
}
