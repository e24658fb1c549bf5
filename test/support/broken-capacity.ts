import type { Capacity } from '../../core/ports/capacity.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_CAPACITY: readonly Fault<Capacity>[] = [
  {
    fault: 'believes a worker that has been silent for too long',
    caughtBy: 'leaves out what is older than 10 seconds, and nothing younger',
    breaks: (capacity) => override(capacity, { read: (pool, nowMs) => capacity.read(pool, nowMs - 1) }),
  },
  {
    fault: 'forgets for which tenant a breaker is open',
    caughtBy: 'tells of a worker that drains, and of breakers, tenant included, with the report that says so',
    breaks: (capacity) =>
      override(capacity, {
        report(report) {
          const breakers = Object.entries(report.breakers).map(([key, breaker]) => [
            key,
            { ...breaker, tenant: undefined },
          ]);
          return capacity.report({ ...report, breakers: Object.fromEntries(breakers) });
        },
      }),
  },
  {
    fault: 'tells too seldom how much a worker holds',
    caughtBy: 'follows a worker whose backlog changes, a second late at the most',
    breaks(capacity) {
      let nextAtMs = 0;
      return override(capacity, {
        async report(report) {
          if (report.atMs < nextAtMs) return;
          nextAtMs = report.atMs + 1500;
          await capacity.report(report);
        },
      });
    },
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
