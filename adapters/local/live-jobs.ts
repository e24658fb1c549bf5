import type { Outcome } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { MINUTE_MS } from '../../core/units.ts';
import type { Deadlines } from './deadlines.ts';
import { TenantMap } from './tenant-map.ts';
import { Waiter } from './waiter.ts';

/**
 * What this process knows of a job beyond its row. A `stored` one has a row, which decides; `ended` spares a worker the
 * question. The others are only here: their outcome stays until somebody has taken it.
 */
export type LiveJob = {
  readonly tenant: string;
  readonly id: string;
  attempt: number;
  stored: boolean;
  ended: boolean;
  /** Without a row: how it ended, until somebody has taken that; of a cancelled one, as long as it is remembered. */
  outcome: Outcome | undefined;
  cancelled: boolean;
  waiters: Waiter<Outcome>[];
  restingSinceMs: number;
};

/**
 * How long an entry stays that nobody waits for: an outcome that its caller is about to make durable, or a cancelled job
 * that a worker still holds (2 s of prefetch, and 30 s until an unacknowledged delivery comes again).
 */
const REST_MS = 2 * MINUTE_MS;

/** Jobs in memory: no row, no timer and one map entry for a job whose caller waits on the connection. */
export class LiveJobs {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #jobs = new TenantMap<LiveJob>();
  /** In order of `restingSinceMs`. */
  readonly #resting = new Set<LiveJob>();

  constructor(clock: Clock, deadlines: Deadlines) {
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  find(tenant: string, id: string): LiveJob | undefined {
    return this.#jobs.get(tenant, id);
  }

  findOrAdd(tenant: string, id: string): LiveJob {
    let live = this.#jobs.get(tenant, id);
    if (live === undefined) {
      live = newLiveJob(tenant, id);
      this.#jobs.set(tenant, id, live);
    }
    return live;
  }

  ofTenant(tenant: string): LiveJob[] {
    return this.#jobs.ofTenant(tenant);
  }

  /** Ends a job that has no row. False: it had ended before. The outcome is kept for who comes next if nobody waits yet. */
  end(live: LiveJob, outcome: Outcome): boolean {
    if (live.ended) return false;
    live.ended = true;
    if (live.waiters.length > 0) {
      this.#wake(live, outcome);
      this.forget(live);
    } else {
      live.outcome = outcome;
      this.#rest(live);
    }
    return true;
  }

  /** Ends a job from outside: remembered for the worker that may still hold it, and for who waits too late. */
  cancel(live: LiveJob, outcome: Outcome): void {
    live.cancelled = true;
    live.outcome = outcome;
    this.#endAndRest(live, outcome);
  }

  /** Wakes who waits for a job whose row has ended, and remembers the end for the worker that may still hold it. */
  endStored(live: LiveJob, outcome: Outcome): void {
    live.stored = true;
    live.outcome = undefined;
    this.#endAndRest(live, outcome);
  }

  /** The row of a job has ended: tells who waits, and is remembered only for a worker that holds the job from before its row. */
  wake(tenant: string, id: string, outcome: Outcome): void {
    const live = this.find(tenant, id);
    if (live === undefined) return;
    if (live.stored) {
      this.endStored(live, outcome);
    } else {
      this.#wake(live, outcome);
      this.forget(live);
    }
  }

  /** The outcome of a job without a row, which is forgotten once taken. */
  take(live: LiveJob): Outcome | undefined {
    const { outcome } = live;
    if (outcome !== undefined && !live.cancelled) this.forget(live);
    return outcome;
  }

  forget(live: LiveJob): void {
    this.#jobs.delete(live.tenant, live.id);
    this.#resting.delete(live);
  }

  wait(live: LiveJob, untilMs: number, signal: AbortSignal | undefined): Waiter<Outcome> {
    const waiter = new Waiter<Outcome>(this.#deadlines, untilMs, signal, (gone) => this.#leave(live, gone));
    live.waiters.push(waiter);
    return waiter;
  }

  #endAndRest(live: LiveJob, outcome: Outcome): void {
    live.ended = true;
    this.#wake(live, outcome);
    this.#rest(live);
  }

  #leave(live: LiveJob, waiter: Waiter<Outcome>): void {
    const place = live.waiters.indexOf(waiter);
    if (place >= 0) live.waiters.splice(place, 1);
    if (live.waiters.length === 0) this.#rest(live);
  }

  #wake(live: LiveJob, outcome: Outcome): void {
    const { waiters } = live;
    live.waiters = [];
    for (const waiter of waiters) waiter.settle(outcome);
  }

  #rest(live: LiveJob): void {
    const nowMs = this.#clock.nowMs();
    this.#resting.delete(live);
    live.restingSinceMs = nowMs;
    this.#resting.add(live);
    for (const oldest of this.#resting) {
      if (oldest.restingSinceMs + REST_MS > nowMs) break;
      this.#resting.delete(oldest);
      // One that is waited for, or has a row and not ended, comes back here when that is over.
      if (oldest.waiters.length === 0 && (oldest.ended || !oldest.stored)) this.#jobs.delete(oldest.tenant, oldest.id);
    }
  }
}

function newLiveJob(tenant: string, id: string): LiveJob {
  return {
    tenant,
    id,
    attempt: 0,
    stored: false,
    ended: false,
    outcome: undefined,
    cancelled: false,
    waiters: [],
    restingSinceMs: 0,
  };
}
