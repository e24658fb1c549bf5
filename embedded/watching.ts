import type { ProcessCounters } from '../core/operations/process-counters.ts';
import type { Platform } from '../core/ports/platform.ts';
import { startWatchLoop } from './watch-loop.ts';

/** Watches a region once a minute: see `watchMinute`. */
export function startWatching(platform: Platform, counters: ProcessCounters): { stop(): Promise<void> } {
  return startWatchLoop({
    host: platform,
    sources: [],
    check: async () => [],
    onWatched: () => counters.tenants.turn(),
  });
}
