import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WaitingPlace, WaitingPlaces } from '../../core/ports/waiting-places.ts';
import { SECOND_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';
import { RegionPlaces } from './region-places.ts';

export const BROKEN_WAITING_PLACES: readonly Fault<WaitingPlaces>[] = [
  {
    fault: 'looks for a place and takes it in two steps',
    caughtBy: 'gives no more places than the limit to hundreds of concurrent callers',
    breaks(places) {
      let taken = 0;
      return override(places, {
        async take(tenant, limit, untilMs, nowMs) {
          if (taken >= limit) return undefined;
          await nextTurn();
          taken += 1;
          return places.take(tenant, Number.MAX_SAFE_INTEGER, untilMs, nowMs);
        },
      });
    },
  },
  {
    fault: 'counts two tenants as one',
    caughtBy: 'counts each tenant for itself',
    breaks: (places) => override(places, { take: (_, ...asked) => places.take('everyone', ...asked) }),
  },
  {
    fault: 'keeps a place that was left until it ends',
    caughtBy: 'has a place again for each one that was left, and no other',
    breaks: (places) =>
      override(places, {
        take: async (...asked) => (await places.take(...asked)) && { leave: async () => {} },
      }),
  },
  {
    fault: 'keeps places in the memory of one process',
    caughtBy: 'ends a place that nobody left at its time, within a second, and not before, after a crash too',
    breaks: () => new RegionPlaces(),
  },
  {
    fault: 'ends a place late',
    caughtBy: 'ends a place that nobody left at its time, within a second, and not before, after a crash too',
    breaks: (places) =>
      override(places, {
        take: (tenant, limit, untilMs, nowMs) => places.take(tenant, limit, untilMs + 2 * SECOND_MS, nowMs),
      }),
  },
  {
    fault: 'gives back whatever place was taken last',
    caughtBy: "changes nobody else's place where one is left that has ended",
    breaks(places) {
      let last: WaitingPlace | undefined;
      return override(places, {
        async take(...asked) {
          const place = await places.take(...asked);
          last = place ?? last;
          return place && { leave: (nowMs) => last!.leave(nowMs) };
        },
      });
    },
  },
];
