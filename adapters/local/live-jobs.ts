import type { Outcome } from '../../core/inference/job.ts';
import { MINUTE_MS } from '../../core/units.ts';
import type { Deadlines, Expiring, Ticket } from './deadlines.ts';

/**
 * What this process knows of a job beyond its row. A `stored` one has a row, and that decides; `ended` says that a worker
 * need not ask it. The others are only here: their outcome stays until somebody has taken it.
 */
export type LiveJob = {
  readonly key: string;
  readonly tenant: string;
  attempt: number;
  stored: boolean;
  ended: boolean;
  outcome: Outcome | undefined;
  waiters: Waiter[];
  idleSinceMs: number;
};

/**
 * How long an entry stays that nobody waits for: an outcome that its caller is about to make durable, or a cancelled job
 * that a worker still holds (a prefetch of 2 s and a visibility of 30 s at the most).
 */
const IDLE_MS = 2 * MINUTE_MS;

/** Jobs in memory: no row, no timer and one map entry for a job whose caller waits on the connection. */
export class LiveJobs {
  readonly #deadlines: Deadlines;
  readonly #jobs = new Map<string, LiveJob>();
  /** In order of `idleSinceMs`. */
  readonly #idle = new Set<LiveJob>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  find(tenant: string, id: string): LiveJob | undefined {
    return this.#jobs.get(keyOf(tenant, id));
  }

  findOrAdd(tenant: string, id: string): LiveJob {
    const key = keyOf(tenant, id);
    let live = this.#jobs.get(key);
    if (live === undefined) {
      live = { key, tenant, attempt: 0, stored: false, ended: false, outcome: undefined, waiters: [], idleSinceMs: 0 };
      this.#jobs.set(key, live);
    }
    return live;
  }

  ofTenant(tenant: string): LiveJob[] {
    return [...this.#jobs.values()].filter((live) => live.tenant === tenant);
  }

  /** Ends a job that has no row. False: it had ended before. Kept if nobody waits, for who comes next. */
  end(live: LiveJob, outcome: Outcome, nowMs: number): boolean {
    if (live.ended) return false;
    live.ended = true;
    if (live.waiters.length > 0) {
      this.#wake(live, outcome);
      this.forget(live);
    } else {
      live.outcome = outcome;
      this.rest(live, nowMs);
    }
    return true;
  }

  /** Says that a job has ended whose end is told elsewhere, or must be remembered: who waits is woken. */
  markEnded(live: LiveJob, outcome: Outcome, nowMs: number): void {
    live.ended = true;
    this.#wake(live, outcome);
    this.rest(live, nowMs);
  }

  /** Keeps an entry for a while longer; those that have rested long enough go. */
  rest(live: LiveJob, nowMs: number): void {
    this.#idle.delete(live);
    live.idleSinceMs = nowMs;
    this.#idle.add(live);
    for (const oldest of this.#idle) {
      if (oldest.idleSinceMs + IDLE_MS > nowMs) break;
      this.#idle.delete(oldest);
      // Who is waited for, or has a row and not ended, rests no more: its end brings it back here.
      if (oldest.waiters.length === 0 && (oldest.ended || !oldest.stored)) this.#jobs.delete(oldest.key);
    }
  }

  forget(live: LiveJob): void {
    this.#jobs.delete(live.key);
    this.#idle.delete(live);
  }

  /** Resolves with the outcome or, at `untilMs` or on abort, with undefined. */
  wait(live: LiveJob, untilMs: number, signal: AbortSignal | undefined, nowMs: number): Waiter {
    const waiter = new Waiter(live, signal, (gone) => {
      this.#deadlines.remove(gone, gone.ticket!);
      const place = live.waiters.indexOf(gone);
      if (place >= 0) live.waiters.splice(place, 1);
      if (live.waiters.length === 0 && !live.ended) this.rest(live, nowMs);
    });
    waiter.ticket = this.#deadlines.add(waiter, untilMs);
    live.waiters.push(waiter);
    return waiter;
  }

  #wake(live: LiveJob, outcome: Outcome): void {
    const { waiters } = live;
    live.waiters = [];
    for (const waiter of waiters) {
      this.#deadlines.remove(waiter, waiter.ticket!);
      waiter.resolve(outcome);
    }
  }
}
