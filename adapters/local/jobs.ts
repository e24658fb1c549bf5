import { asFailure, type Failure } from '../../core/failure.ts';
import type { Job, JobRecord, Outcome } from '../../core/inference/job.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Begun, EndedJob, Jobs } from '../../core/ports/jobs.ts';
import type { Log } from '../../core/ports/log.ts';
import type { LiveJob, LiveJobs } from './live-jobs.ts';
import type { StoredJob, StoredJobs } from './stored-jobs.ts';

/**
 * Jobs of one region. A job whose caller waits on the connection lives in memory alone; `create` gives it a row, at any
 * time while it waits or runs, and from that statement on the row decides who ended it.
 */
export class LocalJobs implements Jobs {
  readonly #stored: StoredJobs;
  readonly #live: LiveJobs;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(parts: { stored: StoredJobs; live: LiveJobs; clock: Clock; log: Log }) {
    this.#stored = parts.stored;
    this.#live = parts.live;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  async create(job: Job, expiresAtMs: number): Promise<'created' | 'exists'> {
    let live: LiveJob | undefined;
    let outcome: Outcome | undefined;
    try {
      const answer = await this.#stored.create(job, expiresAtMs, () => {
        // A worker may hold the job from before it was durable: it has to be told of the row.
        live = job.durable ? this.#live.find(job.tenant, job.id) : this.#live.findOrAdd(job.tenant, job.id);
        outcome = live?.outcome;
        if (live !== undefined) live.stored = true;
        return { attempt: live?.attempt ?? 0, outcome };
      });
      if (live !== undefined && outcome !== undefined) this.#live.endStored(live, outcome);
      return answer;
    } catch (error) {
      if (live !== undefined) live.stored = false;
      throw error;
    }
  }

  markQueued(tenant: string, id: string): Promise<void> {
    return this.#stored.markQueued(tenant, id);
  }

  begin(job: Job): Begun | Promise<Begun> {
    return this.#mayHaveRow(job) ? this.#beginStored(job) : this.#beginLive(job);
  }

  finish(job: Job, outcome: Outcome): boolean | Promise<boolean> {
    if (this.#mayHaveRow(job)) return this.#finishStored(job, outcome);
    return this.#live.end(this.#live.findOrAdd(job.tenant, job.id), outcome);
  }

  async cancel(tenant: string, id: string, nowMs: number): Promise<'cancelled' | 'ended' | 'unknown'> {
    const outcome = failed('prediction-cancelled', {}, nowMs);
    const stored = await this.#stored.find(tenant, id, nowMs);
    if (stored !== undefined) return (await this.#abort(stored, outcome)) ? 'cancelled' : 'ended';
    const live = this.#live.find(tenant, id);
    if (live === undefined || live.stored) return 'unknown';
    if (live.ended) return 'ended';
    this.#live.cancel(live, outcome);
    return 'cancelled';
  }

  hasEnded(job: Job): boolean {
    return this.#live.find(job.tenant, job.id)?.ended === true;
  }

  async read(tenant: string, id: string, nowMs: number): Promise<JobRecord | undefined> {
    const stored = await this.#stored.find(tenant, id, nowMs);
    return stored === undefined ? undefined : this.#stored.open(stored);
  }

  async wait(
    job: Pick<Job, 'tenant' | 'id'> & { readonly durable?: boolean },
    untilMs: number,
    signal?: AbortSignal,
  ): Promise<Outcome | undefined> {
    if (signal?.aborted) return undefined;
    const live = this.#live.findOrAdd(job.tenant, job.id);
    if (live.outcome !== undefined && !live.stored) return this.#live.take(live);
    // Waiting first, then looking: an outcome that comes in between wakes it.
    const waiter = this.#live.wait(live, untilMs, signal);
    if (live.stored || job.durable !== false) {
      const stored = await this.#stored.find(job.tenant, job.id, this.#clock.nowMs());
      if (stored?.state === 'ended') {
        waiter.expire();
        const { state } = this.#stored.open(stored);
        return state.kind === 'ended' ? state.outcome : undefined;
      }
    }
    return waiter.value;
  }

  async listUnsent(beforeMs: number, limit: number): Promise<readonly Job[]> {
    const jobs: Job[] = [];
    for (const stored of await this.#stored.listUnsent(beforeMs, limit)) {
      try {
        jobs.push(this.#stored.open(stored).job);
      } catch (error) {
        await this.endUndeliverable(stored.tenant, stored.id, asFailure(error));
      }
    }
    return jobs;
  }

  takeEnded(nowMs: number, leaseUntilMs: number, limit: number): Promise<readonly EndedJob[]> {
    return this.#stored.takeEnded(nowMs, leaseUntilMs, limit);
  }

  requestNotice(job: Pick<Job, 'tenant' | 'id' | 'requestedModel' | 'version'>): Promise<void> {
    return this.#stored.requestNotice(job);
  }

  markNotified(tenant: string, id: string): Promise<void> {
    return this.#stored.markNotified(tenant, id);
  }

  purge(nowMs: number): Promise<number> {
    return this.#stored.purge(nowMs, ({ tenant, id }) => {
      const live = this.#live.find(tenant, id);
      if (live !== undefined && live.waiters.length === 0) this.#live.forget(live);
    });
  }

  async erase(tenant: string): Promise<readonly string[]> {
    const unstarted = await this.#stored.erase(tenant);
    const outcome = failed('data-erased', {}, this.#clock.nowMs());
    for (const live of this.#live.ofTenant(tenant)) {
      if (live.attempt === 0 && !live.ended && !live.stored) unstarted.push(live.id);
      this.#live.cancel(live, outcome);
    }
    return unstarted;
  }

  /** Ends a job that cannot be run, for `failure`. */
  async endUndeliverable(tenant: string, id: string, failure: Failure): Promise<void> {
    this.#log.error('a job could not be delivered', failure, { tenant, job: id });
    const nowMs = this.#clock.nowMs();
    const outcome = failed(failure.code, failure.facts, nowMs);
    const stored = await this.#stored.find(tenant, id, nowMs);
    if (stored === undefined) this.#live.cancel(this.#live.findOrAdd(tenant, id), outcome);
    else await this.#abort(stored, outcome);
  }

  /** False if the job had ended. Remembered, so that a worker which holds it need not ask. */
  async #abort(stored: StoredJob, outcome: Outcome): Promise<boolean> {
    if (stored.state === 'ended' || (await this.#stored.abort(stored, outcome)) !== 'first') return false;
    this.#live.endStored(this.#live.findOrAdd(stored.tenant, stored.id), outcome);
    return true;
  }

  async #beginStored(job: Job): Promise<Begun> {
    const attempt = await this.#stored.begin(job.tenant, job.id);
    if (attempt === 'no-row') return this.#beginLive(job);
    return attempt === 'ended' ? { kind: 'ended' } : { kind: 'started', attempt };
  }

  #beginLive(job: Job): Begun {
    const live = this.#live.findOrAdd(job.tenant, job.id);
    if (live.ended) return { kind: 'ended' };
    live.attempt += 1;
    return { kind: 'started', attempt: live.attempt };
  }

  async #finishStored(job: Job, outcome: Outcome): Promise<boolean> {
    const answer = await this.#stored.finish(job, outcome);
    if (answer === 'no-row') return this.#live.end(this.#live.findOrAdd(job.tenant, job.id), outcome);
    if (answer === 'first') this.#live.wake(job.tenant, job.id, outcome);
    return answer === 'first';
  }

  #mayHaveRow(job: Job): boolean {
    return job.durable || this.#live.find(job.tenant, job.id)?.stored === true;
  }
}

function failed(code: Failure['code'], facts: Failure['facts'], endedAtMs: number): Outcome {
  return { kind: 'failed', code, facts, computeMs: 0, endedAtMs };
}
