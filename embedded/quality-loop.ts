import { type AllPorts, lookAtAll } from '../core/quality/drift/look-at-all.ts';
import type { TellNotices } from '../core/quality/drift/tell.ts';
import { MINUTE_MS } from '../core/units.ts';

/** Windows end with whole minutes; a minute in which none does costs one small query. */
const LOOK_EVERY_MS = MINUTE_MS;

/** Looks at every version that is due, once a minute until stopped: a window is judged within two minutes of its end. */
export function startQualityLoop(ports: AllPorts, tell: TellNotices): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const looking = lookUntil(ports, tell, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await looking;
    },
  };
}

async function lookUntil(ports: AllPorts, tell: TellNotices, signal: AbortSignal): Promise<void> {
  const { clock, log } = ports;
  while (!signal.aborted) {
    try {
      await clock.sleep(LOOK_EVERY_MS, signal);
      await lookAtAll(ports, { untilMs: clock.nowMs() + LOOK_EVERY_MS, tell, signal });
    } catch (error) {
      if (!signal.aborted) log.error('the quality of versions could not be looked at', error);
    }
  }
}
