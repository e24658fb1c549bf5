import type { MeterRecord, Meters } from '../../core/ports/meters.ts';
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
    fault: 'forgets a day too early',
    caughtBy: 'forgets a day 400 days after its end, not before, and purges those and no others',
    breaks: (meters) => override(meters, { purge: (nowMs) => meters.purge(nowMs + 24 * 3_600_000) }),
  },
];
