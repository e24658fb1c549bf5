import { SWEEP_JOBS, sweep, UNSENT_AFTER_MS } from '../../core/inference/sweep.ts';
import { wakeWaiting } from '../../core/inference/wake-waiting.ts';
import type { Platform } from '../../core/ports/platform.ts';

type SweepPorts = Pick<
  Platform,
  | 'answers'
  | 'capacity'
  | 'captures'
  | 'clock'
  | 'config'
  | 'jobs'
  | 'log'
  | 'queue'
  | 'telemetry'
  | 'validations'
  | 'wake'
>;

/** Sends again what was accepted and cut off, until none is left or `untilMs`, and wakes pools that have work and no worker. */
export async function sweepAll(ports: SweepPorts, untilMs: number): Promise<void> {
  const { clock, log } = ports;
  let left = true;
  while (left) {
    const nowMs = clock.nowMs();
    const { resent } = await sweep(ports, nowMs - UNSENT_AFTER_MS, nowMs);
    if (resent > 0) log.info('sent again what was cut off', { jobs: resent });
    left = resent === SWEEP_JOBS && clock.nowMs() < untilMs;
  }
  for (const pool of await wakeWaiting(ports, clock.nowMs()))
    log.info('woke a pool that has work and no worker', { pool });
}
