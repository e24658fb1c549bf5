import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';

/** A submission writes, sends and marks within milliseconds; one that is this old was cut off. */
export const UNSENT_AFTER_MS = 5 * SECOND_MS;
/** Jobs sent again in one sweep at the most; the next sweep takes the rest. */
export const SWEEP_JOBS = 500;

/**
 * Sends again what was accepted but may never have reached the queue, and forgets expired records.
 * Sending twice is harmless: delivery is at least once and the first result stays.
 */
export async function sweep(
  ports: Pick<Platform, 'jobs' | 'queue' | 'answers' | 'captures' | 'telemetry' | 'validations'>,
  unsentBeforeMs: number,
  nowMs: number,
): Promise<{ resent: number; purged: number }> {
  const unsent = await ports.jobs.listUnsent(unsentBeforeMs, SWEEP_JOBS);
  for (const job of unsent) {
    await ports.queue.send(job);
    await ports.jobs.markQueued(job.tenant, job.id);
  }
  let purged = 0;
  for (const store of [ports.jobs, ports.answers, ports.captures, ports.telemetry, ports.validations])
    purged += await store.purge(nowMs);
  return { resent: unsent.length, purged };
}
