import type { Clock } from '../core/ports/clock.ts';
import type { Platform } from '../core/ports/platform.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';
import { type DeliveryPorts, DeliveryRunner } from '../core/webhooks/run-deliveries.ts';
import { tellEnded } from '../core/webhooks/tell-ended.ts';

/** With nothing to do: two looks into indexes that are empty, some ten microseconds. */
const LOOK_EVERY_MS = SECOND_MS / 2;
const PURGE_EVERY_MS = MINUTE_MS;
/** What a post under way may still take when the platform is told to stop. */
const GRACE_MS = 2 * SECOND_MS;

type LoopPorts = DeliveryPorts & Pick<Platform, 'jobs'>;

/** Tells of ends and sends what is due until stopped: within a second, and without looking more often while nothing is. */
export function startWebhookLoop(ports: LoopPorts): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const runner = new DeliveryRunner(ports);
  const looping = loop(ports, runner, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await looping;
      await runner.stop(GRACE_MS);
    },
  };
}

async function loop(ports: LoopPorts, runner: DeliveryRunner, stopped: AbortSignal): Promise<void> {
  const { clock, log } = ports;
  let purgeAtMs = 0;
  while (!stopped.aborted) {
    let done = 0;
    try {
      const nowMs = clock.nowMs();
      if (nowMs >= purgeAtMs) {
        await ports.webhooks.purge(nowMs);
        purgeAtMs = nowMs + PURGE_EVERY_MS;
      }
      done = (await tellEnded(ports)) + (await runner.startDue());
    } catch (error) {
      log.error('webhooks could not be looked after', error);
    }
    if (done === 0) await untilNext(clock, runner, stopped);
  }
}

/** Until an attempt has ended, which makes room for others, or it is time to look again. */
async function untilNext(clock: Clock, runner: DeliveryRunner, stopped: AbortSignal): Promise<void> {
  const over = new AbortController();
  const slept = clock.sleep(LOOK_EVERY_MS, AbortSignal.any([over.signal, stopped])).catch(() => {});
  await Promise.race([slept, runner.oneEnded()]);
  over.abort();
}
