import type { Clock } from '../../core/ports/clock.ts';
import { type Fault, override } from './fault.ts';

export const BROKEN_CLOCK: readonly Fault<Clock>[] = [
  {
    fault: 'wakes a little early',
    caughtBy: 'sleeps as long as told, no less',
    breaks: (clock) => override(clock, { sleep: (ms, signal) => clock.sleep(ms / 2, signal) }),
  },
  {
    fault: 'wakes from an aborted sleep as if nothing was',
    caughtBy: 'wakes with the reason of the signal, before or while it sleeps',
    breaks: (clock) => override(clock, { sleep: (ms, signal) => clock.sleep(ms, signal).catch(() => {}) }),
  },
];
