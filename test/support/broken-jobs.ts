import type { Job, Outcome } from '../../core/inference/job.ts';
import type { Jobs } from '../../core/ports/jobs.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_JOBS: readonly Fault<Jobs>[] = [
  {
    fault: 'lets a second outcome win',
    caughtBy: 'lets the first of concurrent outcomes win, and every reader see that one, after a crash too',
    breaks(jobs) {
      const last = new Map<string, Outcome>();
      return override(jobs, {
        async finish(job, outcome) {
          last.set(job.id, outcome);
          return jobs.finish(job, outcome);
        },
        async read(tenant, id, nowMs) {
          const record = await jobs.read(tenant, id, nowMs);
          const outcome = last.get(id);
          if (record === undefined || outcome === undefined) return record;
          return { ...record, state: { kind: 'ended', outcome } };
        },
      });
    },
  },
  {
    fault: 'tells two of those that end a job that they were first',
    caughtBy: 'lets the first outcome win of a job that was never created, and cancels it while somebody waits',
    breaks: (jobs) =>
      override(jobs, {
        async finish(job, outcome) {
          await jobs.finish(job, outcome);
          return true;
        },
      }),
  },
  {
    fault: "shows a tenant another's job",
    caughtBy: "keeps tenants apart: another's id is as if it did not exist, and the same id is another job",
    breaks(jobs) {
      const owners = new Map<string, string>();
      return override(jobs, {
        create(job, expiresAtMs) {
          owners.set(job.id, job.tenant);
          return jobs.create(job, expiresAtMs);
        },
        read: (tenant, id, nowMs) => jobs.read(owners.get(id) ?? tenant, id, nowMs),
      });
    },
  },
  {
    fault: "cancels another tenant's job that somebody waits for",
    caughtBy: 'lets the first outcome win of a job that was never created, and cancels it while somebody waits',
    breaks: (jobs) => override(jobs, { cancel: (_, id, nowMs) => jobs.cancel('acme', id, nowMs) }),
  },
  {
    fault: 'keeps a record a millisecond too long',
    caughtBy: 'forgets a record at its expiry, not before, and purges those alone',
    breaks: (jobs) => override(jobs, { read: (tenant, id, nowMs) => jobs.read(tenant, id, nowMs - 1) }),
  },
  {
    fault: 'forgets attempts in a crash',
    caughtBy: 'counts started attempts over crashes, and starts nothing that has ended',
    breaks(jobs) {
      const attempts = new Map<string, number>();
      return override(jobs, {
        async begin(job) {
          const answer = await jobs.begin(job);
          const attempt = (attempts.get(job.id) ?? 0) + 1;
          attempts.set(job.id, attempt);
          return answer.kind === 'ended' ? answer : { kind: 'started', attempt };
        },
      });
    },
  },
  {
    fault: 'makes a running job durable without its outcome',
    caughtBy:
      'shows one outcome of a job that became durable while it ran, whether it ended before, meanwhile or after',
    breaks(jobs) {
      const created = new Set<string>();
      return override(jobs, {
        async create(job, expiresAtMs) {
          const answer = await jobs.create(job, expiresAtMs);
          created.add(job.id);
          return answer;
        },
        finish: (job: Job, outcome) =>
          created.has(job.id) || job.durable ? jobs.finish(job, outcome) : lost(jobs, job),
      });
    },
  },
  {
    fault: 'stops waiting too early',
    caughtBy: 'waits until its time is over, no less, and ends at once when the caller goes',
    breaks: (jobs) => override(jobs, { wait: (job, untilMs, signal) => jobs.wait(job, untilMs - 500, signal) }),
  },
  {
    fault: 'lists what has only just been written as unsent',
    caughtBy: 'lists what has stayed submitting since before a time, after a restart too, and no more than asked for',
    breaks: (jobs) => override(jobs, { listUnsent: (beforeMs, limit) => jobs.listUnsent(beforeMs + 5000, limit) }),
  },
  {
    fault: 'erases jobs without a word of which had not started',
    caughtBy: 'erasing a tenant tells which of its jobs nobody had started, stored or not',
    breaks: (jobs) =>
      override(jobs, {
        async erase(tenant) {
          await jobs.erase(tenant);
          return [];
        },
      }),
  },
];

/** Ends a job for those who wait now, and remembers nothing. */
async function lost(jobs: Jobs, job: Job): Promise<boolean> {
  return !jobs.hasEnded(job);
}
