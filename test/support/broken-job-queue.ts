import type { Delivery, JobQueue } from '../../core/ports/job-queue.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_JOB_QUEUE: readonly Fault<JobQueue>[] = [
  {
    fault: 'hands a message to two receivers that come together',
    caughtBy: 'hands out no more than asked for, and no message to two receivers at once',
    breaks(queue) {
      let last: readonly Delivery[] = [];
      return override(queue, {
        async receive(...asked) {
          const deliveries = await queue.receive(...asked);
          if (deliveries.length > 0) last = deliveries;
          return deliveries.length > 0 ? deliveries : last;
        },
      });
    },
  },
  {
    fault: 'takes an old receipt for the last one',
    caughtBy: 'goes by the last delivery: an old receipt neither acknowledges, extends nor returns',
    breaks(queue) {
      const last = new Map<string, Delivery>();
      return override(queue, {
        async receive(...asked) {
          const deliveries = await queue.receive(...asked);
          for (const delivery of deliveries) last.set(delivery.job.id, delivery);
          return deliveries;
        },
        acknowledge: (deliveries) => queue.acknowledge(deliveries.map((old) => last.get(old.job.id) ?? old)),
      });
    },
  },
  {
    fault: 'delivers again a second too early',
    caughtBy: 'delivers again when a visibility ends, not before, also to who waits already',
    breaks: (queue) =>
      override(queue, {
        receive: (pool, lane, max, waitMs, visibilityMs, signal) =>
          queue.receive(pool, lane, max, waitMs, visibilityMs - 1000, signal),
      }),
  },
  {
    fault: 'does not extend',
    caughtBy: 'keeps a delivery hidden as long as it is extended',
    breaks: (queue) => override(queue, { extend: async () => {} }),
  },
  {
    fault: 'loses at a crash what was in flight',
    caughtBy: 'delivers every durable message after a crash, in flight or not, once each',
    breaks: (queue) =>
      override(queue, {
        async receive(...asked) {
          const deliveries = await queue.receive(...asked);
          await queue.acknowledge(deliveries);
          return deliveries;
        },
      }),
  },
  {
    fault: 'brings a message back that was acknowledged before it was to last',
    caughtBy: 'lets nothing that was acknowledged last, before or after it was asked to',
    breaks: (queue) => override(queue, { persist: async (job) => queue.send(job) }),
  },
  {
    fault: "erases every tenant's messages",
    caughtBy: "erases a tenant's messages, waiting or in flight, and no other's",
    breaks: (queue) =>
      override(queue, {
        async erase(tenant) {
          for (const erased of [tenant, 'globex']) await queue.erase(erased);
        },
      }),
  },
  {
    fault: 'makes no difference between lanes',
    caughtBy: 'delivers what was sent, whole, to its pool and lane alone, and hides it then',
    breaks: (queue) => override(queue, { send: (job) => queue.send({ ...job, lane: 'interactive' }) }),
  },
  {
    fault: 'delivers for ever',
    caughtBy: 'stops delivering after 50 times',
    breaks(queue) {
      return override(queue, {
        async giveBack(deliveries) {
          await queue.acknowledge(deliveries);
          for (const { job } of deliveries) await queue.send(job);
        },
      });
    },
  },
];
