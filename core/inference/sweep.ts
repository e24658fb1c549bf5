import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import type { Job } from './job.ts';

/** A submission writes, sends and marks within milliseconds; one that is this old was cut off. */
export const UNSENT_AFTER_MS = 5 * SECOND_MS;
/** Jobs sent again in one sweep unless told otherwise; the next sweep takes the rest. */
const SWEEP_JOBS = 500;
/** Of 25 ms each on AWS: a whole sweep sends for a second. */
const SENT_AT_ONCE = 16;

/** What a sweep looks through. */
export type SweepPorts = Pick<
  Platform,
  | 'jobs'
  | 'queue'
  | 'answers'
  | 'captures'
  | 'deadLetters'
  | 'feedbacks'
  | 'telemetry'
  | 'meters'
  | 'validations'
  | 'log'
>;

/**
 * Sends again what was accepted but may never have reached the queue, and forgets expired records.
 * Sending twice is harmless: delivery is at least once and the first result stays. A job that cannot be sent, such as one whose pool
 * is gone, is logged and keeps no other from it.
 */
export async function sweep(
  ports: SweepPorts,
  unsentBeforeMs: number,
  nowMs: number,
  mostJobs: number = SWEEP_JOBS,
): Promise<{ found: number; resent: number; purged: number }> {
  const unsent = await ports.jobs.listUnsent(unsentBeforeMs, mostJobs);
  let resent = 0;
  for (let at = 0; at < unsent.length; at += SENT_AT_ONCE) {
    const sent = await Promise.all(unsent.slice(at, at + SENT_AT_ONCE).map((job) => sendAgain(ports, job)));
    resent += sent.filter(Boolean).length;
  }
  let purged = 0;
  for (const store of [
    ports.jobs,
    ports.answers,
    ports.captures,
    ports.deadLetters,
    ports.feedbacks,
    ports.telemetry,
    ports.meters,
    ports.validations,
  ])
    purged += await store.purge(nowMs);
  return { found: unsent.length, resent, purged };
}

async function sendAgain({ queue, jobs, log }: Pick<SweepPorts, 'queue' | 'jobs' | 'log'>, job: Job): Promise<boolean> {
  try {
    await queue.send(job);
    await jobs.markQueued(job.tenant, job.id);
    return true;
  } catch (error) {
    log.error('a job could not be sent again', error, { tenant: job.tenant, job: job.id, pool: job.pool });
    return false;
  }
}
