import type { Wake } from '../../core/ports/wake.ts';
import { MINUTE_MS } from '../../core/units.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_WAKE: readonly Fault<Wake>[] = [
  {
    fault: 'asks for a start at every call',
    caughtBy: 'asks for one start a minute, after a restart too, whoever asks',
    breaks(wake) {
      let aheadMs = 0;
      return override(wake, {
        wake(pool, nowMs) {
          aheadMs += MINUTE_MS;
          return wake.wake(pool, nowMs + aheadMs);
        },
      });
    },
  },
  {
    fault: 'takes all pools for one',
    caughtBy: 'asks for each pool by itself',
    breaks: (wake) => override(wake, { wake: (_pool, nowMs) => wake.wake('default', nowMs) }),
  },
  {
    fault: 'gives up after a start that was refused',
    caughtBy: 'does not throw where a start is refused, and asks again after a minute',
    breaks(wake) {
      let first: number | Promise<number> | undefined;
      return override(wake, {
        wake(pool, nowMs) {
          first ??= wake.wake(pool, nowMs);
          return first;
        },
      });
    },
  },
  {
    fault: 'forgets what a start took',
    caughtBy: 'says less the longer a start is under way, and what the last starts took for the next one',
    breaks: (wake) => override(wake, { started: async () => {} }),
  },
  {
    fault: 'takes any worker for one that was asked for',
    caughtBy: 'takes a worker that nobody asked for as no start',
    breaks: (wake) =>
      override(wake, {
        async started(pool, nowMs) {
          await wake.wake(pool, nowMs);
          await wake.started(pool, nowMs + 1);
        },
      }),
  },
  {
    fault: 'says that a late start was due before',
    caughtBy: 'says a time that is neither endless nor negative, however often it is asked',
    breaks: (wake) => override(wake, { wake: async (pool, nowMs) => (await wake.wake(pool, nowMs)) - 10 * MINUTE_MS }),
  },
];
