import { sweep, UNSENT_AFTER_MS } from '../../core/inference/sweep.ts';
import { wakeWaiting } from '../../core/inference/wake-waiting.ts';
import type { Platform } from '../../core/ports/platform.ts';

/** Read together, with inputs of 4 MiB at the most: what a function of 1 GiB holds of them while it seals them again. */
const ROUND_JOBS = 48;
/** Of 50 ms each, sixteen at once: a second. */
const MOST_DEAD = 320;

type SweepPorts = Pick<
  Platform,
  | 'answers'
  | 'capacity'
  | 'captures'
  | 'deadLetters'
  | 'clock'
  | 'config'
  | 'feedbacks'
  | 'jobs'
  | 'log'
  | 'meters'
  | 'queue'
  | 'telemetry'
  | 'validations'
  | 'wake'
>;

/**
 * Sends again what was accepted and cut off, until none is left or `untilMs`, takes in what queues gave up by themselves, and wakes pools that have work and no
 * worker, also where something keeps jobs from being sent.
 */
export async function sweepAll(ports: SweepPorts, untilMs: number): Promise<void> {
  const { clock, log } = ports;
  try {
    await sendAll(ports, untilMs);
    const collected = await ports.queue.collectDead(MOST_DEAD);
    if (collected > 0) log.warn('took in what queues had given up', { jobs: collected });
  } finally {
    for (const pool of await wakeWaiting(ports, clock.nowMs()))
      log.info('woke a pool that has work and no worker', { pool });
  }
}

async function sendAll(ports: SweepPorts, untilMs: number): Promise<void> {
  const { clock, log } = ports;
  for (let left = true; left; ) {
    const nowMs = clock.nowMs();
    const { found, resent } = await sweep(ports, nowMs - UNSENT_AFTER_MS, nowMs, ROUND_JOBS);
    if (resent > 0) log.info('sent again what was cut off', { jobs: resent });
    left = found === ROUND_JOBS && resent > 0 && clock.nowMs() < untilMs;
  }
}
