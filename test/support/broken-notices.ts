import type { EndedJob, Jobs } from '../../core/ports/jobs.ts';
import { type Fault, override } from './fault.ts';

const LEASES = 'gives each end to one of concurrent callers, again when the lease is over, and never once it is marked';

/** Ways of telling wrongly of the ends of jobs. */
export const BROKEN_NOTICES: readonly Fault<Jobs>[] = [
  {
    fault: 'tells of what the worker was told to tell of',
    caughtBy: 'tells of the end of a job that became durable while it ran',
    breaks(jobs) {
      const silent = new Set<string>();
      return override(jobs, {
        finish(job, outcome) {
          if (!job.notify) silent.add(job.id);
          return jobs.finish(job, outcome);
        },
        async takeEnded(nowMs, untilMs, limit) {
          const ended = await jobs.takeEnded(nowMs, untilMs, limit);
          return ended.filter(({ id }) => !silent.has(id));
        },
      });
    },
  },
  {
    fault: 'notes an end in memory, after the outcome was written',
    caughtBy: 'tells of every end of what was created with notify, and of no other, after a crash too',
    breaks(jobs) {
      const ended: EndedJob[] = [];
      return override(jobs, {
        async finish(job, outcome) {
          const { tenant, id, requestedModel, version } = job;
          const first = await jobs.finish(job, outcome);
          const failure = outcome.kind === 'failed' ? outcome.code : undefined;
          if (first) ended.push({ tenant, id, model: requestedModel, version, failure, endedAtMs: outcome.endedAtMs });
          return first;
        },
        takeEnded: async (_, __, limit) => ended.splice(0, limit),
      });
    },
  },
  {
    fault: 'leases nothing',
    caughtBy: LEASES,
    breaks: (jobs) => override(jobs, { takeEnded: (nowMs, _, limit) => jobs.takeEnded(nowMs, nowMs, limit) }),
  },
  {
    fault: 'takes what is handed out as told',
    caughtBy: LEASES,
    breaks: (jobs) =>
      override(jobs, {
        async takeEnded(nowMs, untilMs, limit) {
          const ended = await jobs.takeEnded(nowMs, untilMs, limit);
          for (const { tenant, id } of ended) await jobs.markNotified(tenant, id);
          return ended;
        },
      }),
  },
  {
    fault: 'forgets that a job which became durable late is to be told of',
    caughtBy: 'tells of the end of a job that became durable while it ran',
    breaks(jobs) {
      const begun = new Set<string>();
      return override(jobs, {
        begin(job) {
          begun.add(job.id);
          return jobs.begin(job);
        },
        create: (job, expiresAtMs) => jobs.create({ ...job, notify: !begun.has(job.id) }, expiresAtMs),
      });
    },
  },
  {
    fault: 'comes too late for an end that has come',
    caughtBy: 'tells of an end that was asked for later, whether it had come or not, and of nothing unknown',
    breaks: (jobs) =>
      override(jobs, {
        async requestNotice(job) {
          const record = await jobs.read(job.tenant, job.id, 0);
          if (record?.state.kind !== 'ended') await jobs.requestNotice(job);
        },
      }),
  },
  {
    fault: "marks another tenant's job",
    caughtBy: 'tells nothing of what was marked before its end, erased or forgotten, and keeps tenants apart',
    breaks: (jobs) => override(jobs, { markNotified: (_, id) => jobs.markNotified('acme', id) }),
  },
];
