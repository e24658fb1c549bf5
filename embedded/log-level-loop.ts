import { JsonLog } from '../adapters/node/json-log.ts';
import { LiveLogLevel } from '../core/operations/log-level.ts';
import type { Platform } from '../core/ports/platform.ts';
import { SECOND_MS } from '../core/units.ts';

const LOOK_EVERY_MS = 2 * SECOND_MS;

/** Has the log of this process follow changes of its level, which regions of one machine share, until stopped. Another log than ours keeps its own. */
export function startLogLevelLoop(ports: Pick<Platform, 'logLevels' | 'clock' | 'log'>): { stop(): Promise<void> } {
  const { clock, log } = ports;
  const stopped = new AbortController();
  if (!(log instanceof JsonLog)) return { stop: async () => {} };
  const own = log.level;
  const live = new LiveLogLevel(ports, own, (level) => log.setLevel(level), 0);
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await live.refresh();
      await clock.sleep(LOOK_EVERY_MS, stopped.signal).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await looking;
      log.setLevel(own);
    },
  };
}
