import type { Delivery } from '../ports/job-queue.ts';
import { SECOND_MS } from '../units.ts';
import type { Bucket } from './batch-plan.ts';
import type { LaneWork } from './fair-queue.ts';
import type { Job } from './job.ts';
import type { TensorData } from './tensor.ts';

/** Clocks of gateways and workers may differ by this: work is dropped only beyond it. */
const CLOCK_SKEW_MS = SECOND_MS;
/** Starts of a durable job after which it is given up: something about it ends the worker itself. */
const MOST_ATTEMPTS = 5;

/** A delivered job as the scheduler holds it. */
export type Work = LaneWork & {
  readonly job: Job;
  readonly delivery: Delivery;
  /** The version that it runs on, `model@version`. */
  readonly version: string;
  readonly rows: number;
  readonly length: number;
  readonly costKey: number;
  readonly inputBytes: number;
};

export function toWork(delivery: Delivery, version: string, bucket: Bucket, costMs: number): Work {
  const { job } = delivery;
  return {
    job,
    delivery,
    version,
    tenant: job.tenant,
    lane: job.shadow === undefined ? job.lane : 'shadow',
    weight: job.weight,
    bucket: bucket.key,
    length: bucket.length,
    costKey: bucket.costKey,
    costMs,
    sinceMs: job.acceptedAtMs,
    rows: job.rows,
    inputBytes: bytesOf(job),
  };
}

/** True if nobody could use the answer any more. */
export function isExpired(job: Pick<Job, 'deadlineMs'>, nowMs: number): boolean {
  return nowMs > job.deadlineMs + CLOCK_SKEW_MS;
}

/** When a run with these jobs is killed: at the model's limit, or when the last of them has no use for it. */
export function runDeadlineMs(jobs: readonly Pick<Job, 'deadlineMs'>[], timeoutMs: number, nowMs: number): number {
  let latestMs = 0;
  for (const job of jobs) latestMs = Math.max(latestMs, job.deadlineMs);
  return Math.min(nowMs + timeoutMs, latestMs + CLOCK_SKEW_MS);
}

/** True if a job has been started so often, by workers that did not live to end it, that it is given up. */
export function isGivenUp(job: Pick<Job, 'durable'>, attempt: number): boolean {
  return job.durable && attempt > MOST_ATTEMPTS;
}

/** Bytes of the inputs in memory, about. */
function bytesOf(job: Job): number {
  let bytes = 0;
  for (const { data } of job.inputs) bytes += sizeOf(data);
  return bytes;
}

function sizeOf(data: TensorData): number {
  if (!Array.isArray(data)) return data.byteLength;
  let bytes = 0;
  for (const text of data) bytes += text.length;
  return bytes;
}
