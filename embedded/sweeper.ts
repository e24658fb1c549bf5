import { type SweepPorts, sweep, UNSENT_AFTER_MS } from '../core/inference/sweep.ts';
import type { Platform } from '../core/ports/platform.ts';
import { SECOND_MS } from '../core/units.ts';

const SWEEP_EVERY_MS = 5 * SECOND_MS;

/** Sends again at once what a crash left unsent, and goes on looking until stopped. */
export async function startSweeper(ports: SweepPorts & Pick<Platform, 'clock'>): Promise<{ stop(): Promise<void> }> {
  const nowMs = ports.clock.nowMs();
  const { resent } = await sweep(ports, nowMs, nowMs);
  if (resent > 0) ports.log.info('sent again after a restart', { jobs: resent });
  const stopped = new AbortController();
  const sweeping = sweepUntil(ports, stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await sweeping;
    },
  };
}

async function sweepUntil(ports: SweepPorts & Pick<Platform, 'clock'>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await ports.clock.sleep(SWEEP_EVERY_MS, signal);
      const nowMs = ports.clock.nowMs();
      await sweep(ports, nowMs - UNSENT_AFTER_MS, nowMs);
    } catch (error) {
      if (!signal.aborted) ports.log.error('sweep failed', error);
    }
  }
}
