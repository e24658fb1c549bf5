import { Failure } from '../failure.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { CapacityReport } from '../ports/capacity.ts';
import type { ReserveAnswer } from '../ports/limits.ts';
import type { Platform } from '../ports/platform.ts';
import type { PlanLimits } from '../tenancy/plan.ts';
import { MINUTE_MS } from '../units.ts';
import { BreakerGate, type FailingVersions, failingVersions } from './failing-versions.ts';
import type { Job } from './job.ts';

/** Backlog figures are read at most this often; workers report every 100 ms or so. */
const BACKLOG_AGE_MS = 50;
/** An unsettled reservation outlives its job's deadline by this: time for a late worker to settle it. */
const SETTLE_GRACE_MS = MINUTE_MS;

type AdmitPorts = Pick<Platform, 'limits' | 'capacity' | 'queue'>;

type ReservedLimits = Pick<PlanLimits, 'requestsInFlight' | 'dailyComputeMs'>;

/** Takes a place in flight and the job's compute; throws `in-flight-exceeded` or `compute-budget-exceeded`. */
export function reserveFor(
  ports: Pick<AdmitPorts, 'limits'>,
  job: Job,
  limits: ReservedLimits,
  nowMs: number,
): void | Promise<void> {
  const answer = ports.limits.reserve(
    {
      tenant: job.tenant,
      id: job.id,
      inFlightLimit: limits.requestsInFlight,
      computeMs: job.reservedComputeMs,
      dailyComputeMs: limits.dailyComputeMs,
      expiresAtMs: job.deadlineMs + SETTLE_GRACE_MS,
    },
    nowMs,
  );
  return answer instanceof Promise ? answer.then((read) => refuse(read, limits)) : refuse(answer, limits);
}

function refuse(answer: ReserveAnswer, limits: ReservedLimits): void {
  if (answer.kind === 'granted') return;
  if (answer.kind === 'in-flight-full') {
    throw new Failure('in-flight-exceeded', { limit: limits.requestsInFlight, retryAfterMs: answer.retryAfterMs });
  }
  throw new Failure('compute-budget-exceeded', { limit: limits.dailyComputeMs, retryAfterMs: answer.retryAfterMs });
}

export type Backlog = {
  readonly reports: readonly CapacityReport[];
  readonly depth: number;
  readonly failing: FailingVersions;
};

/** Refuses at once what would not be answered in time, rather than let it wait in vain. */
export class LoadShedder {
  readonly #ports: AdmitPorts;
  readonly #backlogs = new FreshCache<Backlog>(BACKLOG_AGE_MS, 100);
  readonly #gate = new BreakerGate();

  constructor(ports: AdmitPorts) {
    this.#ports = ports;
  }

  /** What a job's pool has before it, read once for one admission. Without a promise where it was read a moment ago. */
  backlogOf(job: Pick<Job, 'pool' | 'lane'>, nowMs: number): Backlog | Promise<Backlog> {
    return this.#backlogs.get(`${job.pool}\n${job.lane}`, nowMs, () => this.#read(job, nowMs));
  }

  /** Throws `version-unavailable` if the version keeps failing and is left alone for a while. */
  checkBreaker({ failing }: Backlog, job: Job, nowMs: number): void {
    this.#gate.check(failing, job, nowMs);
  }

  async #read(job: Pick<Job, 'pool' | 'lane'>, nowMs: number): Promise<Backlog> {
    const [reports, depth] = await Promise.all([
      this.#ports.capacity.read(job.pool, nowMs),
      this.#ports.queue.depth(job.pool, job.lane),
    ]);
    return { reports, depth, failing: failingVersions(reports) };
  }
}

/** True if a worker takes jobs: one that drains has given its work up already. */
export function hasWorkers(reports: readonly CapacityReport[]): boolean {
  for (const { draining, runners } of reports) if (!draining && runners > 0) return true;
  return false;
}

/**
 * Throws `overloaded` if the estimated wait and run would end after the job's deadline, `startMs` being the time until the
 * pool has a worker.
 */
export function shed(backlog: Backlog, job: Job, nowMs: number, startMs: number): void {
  const waitMs = startMs + estimateWaitMs(backlog.reports, backlog.depth, job);
  if (nowMs + waitMs > job.deadlineMs)
    throw new Failure('overloaded', { retryAfterMs: Math.max(1000, waitMs - (job.deadlineMs - nowMs)) });
}

/**
 * Milliseconds until the job would be answered: what workers hold, what waits in the queue and its own rows,
 * over all runners. 0 where no worker reports: nothing is known of a pool that has yet to start.
 */
export function estimateWaitMs(
  reports: readonly CapacityReport[],
  depth: number,
  job: Pick<Job, 'model' | 'version' | 'rows'>,
): number {
  let runners = 0;
  let backlogMs = 0;
  let rowMsSum = 0;
  let rowMsCount = 0;
  let ownRowMs = 0;
  for (const report of reports) {
    if (report.draining) continue;
    runners += report.runners;
    backlogMs += report.backlogMs;
    ownRowMs = Math.max(ownRowMs, report.rowMs[`${job.model}@${job.version}`] ?? 0);
    for (const rowMs of Object.values(report.rowMs)) {
      rowMsSum += rowMs;
      rowMsCount += 1;
    }
  }
  if (runners === 0) return 0;
  const meanRowMs = rowMsCount === 0 ? 0 : rowMsSum / rowMsCount;
  return (backlogMs + depth * meanRowMs) / runners + ownRowMs * job.rows;
}
