import type { MeterRecord, Meters, SummedDays } from '../../core/ports/meters.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_METERS: readonly Fault<Meters>[] = [
  {
    fault: 'keeps records in memory alone',
    caughtBy: 'gives back a record, every number of it, after a crash too; nothing of a day that nobody wrote of',
    breaks(meters) {
      const kept: MeterRecord[] = [];
      return override(meters, {
        async save(record) {
          kept.push(record);
        },
        read: async (day) => kept.filter((record) => record.day === day),
      });
    },
  },
  {
    fault: 'adds what is saved again to what was there',
    caughtBy: 'puts later totals in place of earlier ones, and counts what is saved again once',
    breaks(meters) {
      let saved = 0;
      return override(meters, {
        save(record) {
          saved += 1;
          return meters.save({ ...record, part: saved });
        },
      });
    },
  },
  {
    fault: 'takes what comes last for the latest',
    caughtBy: 'is not set back by totals that come late',
    breaks(meters) {
      let saved = 1e9;
      return override(meters, {
        save(record) {
          saved += 1;
          return meters.save({ ...record, worker: { ...record.worker, upMs: saved } });
        },
      });
    },
  },
  {
    fault: 'takes the parts of a writer for one',
    caughtBy: 'keeps apart records that differ in day, writer or part',
    breaks: (meters) => override(meters, { save: (record) => meters.save({ ...record, part: 0 }) }),
  },
  {
    fault: 'keeps a thousand tenants of a record',
    caughtBy: 'holds a record of 300 KB and many of a day',
    breaks: (meters) =>
      override(meters, { save: (record) => meters.save({ ...record, uses: record.uses.slice(0, 1000) }) }),
  },
  {
    fault: 'reads the last day too',
    caughtBy: 'gives a tenant its own days in order, the latest of each, after a crash too',
    breaks: (meters) =>
      override(meters, { readTenantDays: (tenant, from, until) => meters.readTenantDays(tenant, from, until + 1) }),
  },
  {
    fault: 'keeps in memory alone what is added up',
    caughtBy: 'knows which days are added up: they begin where they began and end ever later',
    breaks(meters) {
      let summed: SummedDays | undefined;
      return override(meters, {
        async markSummed({ since, until }) {
          summed = { since: summed?.since ?? since, until: Math.max(until, summed?.until ?? 0) };
        },
        readSummed: async () => summed,
      });
    },
  },
  {
    fault: 'forgets a day too early',
    caughtBy: 'forgets a day 400 days after its end, not before, and purges those and no others',
    breaks: (meters) => override(meters, { purge: (nowMs) => meters.purge(nowMs + 24 * 3_600_000) }),
  },
];
