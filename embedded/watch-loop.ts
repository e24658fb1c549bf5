import { type MeasureSource, type WatchHost, watchMinute } from '../core/operations/watch.ts';
import type { CheckResult } from '../core/operations/watch-record.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';

/** After the end of a minute, by when its last reports are written: see `lastMinuteEnd`. */
const LATE_MS = 12 * SECOND_MS;

export type WatchParts<Host extends WatchHost> = {
  readonly host: Host;
  readonly sources: readonly MeasureSource<Host>[];
  /** This minute's checks; none where nothing is checked. */
  readonly check: () => Promise<readonly CheckResult[]>;
  /** Called after each minute that was measured. */
  readonly onWatched: () => void;
};

/** Watches a region once a minute until stopped. A minute that fails is logged; the next one goes on from the last that was kept. */
export function startWatchLoop<Host extends WatchHost>(parts: WatchParts<Host>): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const watching = watchUntil(parts, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await watching;
    },
  };
}

async function watchUntil<Host extends WatchHost>(parts: WatchParts<Host>, stopped: AbortSignal): Promise<void> {
  const { clock, log } = parts.host;
  while (!stopped.aborted) {
    await clock.sleep(untilNext(clock.nowMs()), stopped).catch(() => {});
    if (stopped.aborted) return;
    try {
      const checks = await parts.check();
      if (stopped.aborted) return;
      await watchMinute(parts.host, parts.sources, checks, clock.nowMs());
      parts.onWatched();
    } catch (error) {
      if (!stopped.aborted) log.error('the region was not watched this minute', error);
    }
  }
}

function untilNext(nowMs: number): number {
  const sinceMs = (nowMs - LATE_MS) % MINUTE_MS;
  return MINUTE_MS - sinceMs;
}
