import type { WatchRecord } from '../../core/operations/watch-record.ts';
import type { Watches } from '../../core/ports/watches.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_WATCHES: readonly Fault<Watches>[] = [
  {
    fault: 'keeps a record in memory alone',
    caughtBy: 'gives back a record whole, after a crash too',
    breaks(watches) {
      let saved: WatchRecord | undefined;
      return override(watches, {
        async save(record) {
          saved = { ...record, checks: [] };
        },
        latest: async () => saved,
      });
    },
  },
  {
    fault: 'stays with the first',
    caughtBy: 'has the last one alone',
    breaks: (watches) =>
      override(watches, {
        async save(record) {
          if ((await watches.latest()) === undefined) await watches.save(record);
        },
      }),
  },
  {
    fault: 'takes an older one for news',
    caughtBy: 'keeps the younger one, whoever comes last',
    breaks(watches) {
      let last: WatchRecord | undefined;
      return override(watches, {
        async save(record) {
          last = record;
          await watches.save(record);
        },
        latest: async () => last ?? (await watches.latest()),
      });
    },
  },
  {
    fault: 'drops what it finds too much',
    caughtBy: 'takes as much as a large region measures',
    breaks: (watches) =>
      override(watches, { save: (record) => watches.save({ ...record, measures: record.measures.slice(0, 1000) }) }),
  },
];
