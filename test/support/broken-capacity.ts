import type { Capacity } from '../../core/ports/capacity.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_CAPACITY: readonly Fault<Capacity>[] = [
  {
    fault: 'believes a worker that has been silent for too long',
    caughtBy: 'leaves out what is older than 10 seconds, and nothing younger',
    breaks: (capacity) => override(capacity, { read: (pool, nowMs) => capacity.read(pool, nowMs - 1) }),
  },
  {
    fault: 'lets a report that comes late replace a newer one',
    caughtBy: 'keeps the newer of two reports that come in the wrong order',
    breaks(capacity) {
      let arrivals = 0;
      return override(capacity, {
        report(report) {
          arrivals += 1;
          return capacity.report({ ...report, atMs: report.atMs + arrivals * 1000 });
        },
      });
    },
  },
];
